"""Roll-ups on a million flow lines over 3,500 plan-years, as ratios against bare statements in the same run.

Run with `make bench`. The database is a scratch one on the embedded test server; nothing else is touched.

Bare reference: the same keys, measures and grouping sets over one flat, already classed table that needs no join. It does what any
solution would have to do: delete the old figures of the plan-year, group its lines, and insert the result into an equal table.
"""

import argparse
import statistics
import time

import scratch  # isort: skip  (it starts the services that the settings need)
from django.db import connection, transaction

from funding.rollups import rebuild, recompute, verify
from funding.rollups.ledger import _GROUPING_SETS, KEYS, LEVELS, MEASURES, with_ledger

COLUMNS = ", ".join(
    ("plan_id", "year", "level", "place", "country_id", "split", "sector_id", "partner_id", "donor_id", *MEASURES)
)


def execute(sql, parameters=None):
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchall() if cursor.description else None


def seed(plans: int, years: int, lines: int) -> None:
    """Plans with five countries, ten sectors, forty partners, thirty donors; `lines` flow lines in each plan-year."""
    execute(f"""
        SET session_replication_role = replica;
        INSERT INTO reference_bureau (code, name, names, position) VALUES ('B', 'Bureau', '{{}}', 0) ON CONFLICT DO NOTHING;
        INSERT INTO reference_organisationtype (code, name, names, position, may_own_requirement, may_give, localisation, fts_types, iati_code,
            why_no_requirement) VALUES ('un_agency', 'UN agency', '{{}}', 0, true, true, 'international', '{{}}', '', '') ON CONFLICT DO NOTHING;
        INSERT INTO reference_country (iso3, iso2, name, names, position, region)
        SELECT 'X' || chr(65 + i) || 'A', '', 'Country ' || i, '{{}}', 0, '' FROM generate_series(0, 4) i ON CONFLICT DO NOTHING;
        INSERT INTO reference_sector (id, code, name, names, position)
        SELECT i, 'S' || i, 'Sector ' || i, '{{}}', 0 FROM generate_series(1, 10) i ON CONFLICT DO NOTHING;
        INSERT INTO reference_organisation (id, name, acronym, native_name, type_id, fts_type, iati_id, website, is_verified, is_women_led,
            is_refugee_led, is_youth_led, is_disability_led, is_lead_agency, is_demonstration)
        SELECT i, 'Organisation ' || i, '', '', 'un_agency', '', '', '', true, false, false, false, false, false, false
          FROM generate_series(1, 70) i ON CONFLICT DO NOTHING;
        INSERT INTO planning_plan (id, code, name, names, type, is_emergency, starts_on, ends_on, fts_code, fts_type, is_demonstration, published_on)
        SELECT p, 'B' || p, 'Plan ' || p, '{{}}', 'regional_rrp', false, '2020-01-01', make_date(2019 + {years}, 12, 31), '', '', false, '2020-01-01'
          FROM generate_series(1, {plans}) p;
        INSERT INTO planning_plansector (id, plan_id, sector_id, name, position)
        SELECT p * 10 + s, p, s, 'Sector ' || s, s FROM generate_series(1, {plans}) p, generate_series(1, 10) s;
        INSERT INTO planning_chapter (id, plan_id, country_id, title, position, overlap_with_hrp_usd)
        SELECT p * 5 + c, p, 'X' || chr(65 + c) || 'A', '', 0, 0 FROM generate_series(1, {plans}) p, generate_series(0, 4) c;
        INSERT INTO planning_planversion (id, plan_id, major, minor, scope, status, approved_on, reason, source, created_at)
        SELECT p, p, 1, 0, 'original', 'approved', '2020-01-01', '', '', now() FROM generate_series(1, {plans}) p;
        INSERT INTO planning_requirement (version_id, chapter_id, sector_id, partner_id, year, gross_usd, covered_elsewhere_usd, activity, note,
            source, status, created_at, changed_at)
        SELECT p, p * 5 + (n % 5), p * 10 + 1 + (n % 10), 1 + (n * 7) % 40, 2020 + y, 100000 + n * 1000, 0, '', '', 'partner', 'accepted', now(), now()
          FROM generate_series(1, {plans}) p, generate_series(0, {years} - 1) y, generate_series(1, 40) n;
        INSERT INTO funding_flow (id, reference, description, status, type, contribution_type, method, is_new_money, earmarking, earmarking_modality,
            amount_usd, rate_source, valuation_basis, donor_id, is_donor_anonymous, recipient_id, source_plan_id, source_year, source_place,
            source_split, reason, keywords, emergencies, project_name, project_code, report_details, channel)
        SELECT n, '', '', CASE WHEN n % 20 = 0 THEN 'pledge' WHEN n % 3 = 0 THEN 'commitment' ELSE 'paid' END,
               CASE WHEN n % 25 = 0 THEN 'pass_through' ELSE 'standard' END, CASE WHEN n % 30 = 0 THEN 'in_kind' ELSE 'financial' END,
               'traditional', true, 'earmarked', '', 1000 + n % 997, '', '', CASE WHEN n % 25 = 0 THEN 1 + n % 40 ELSE 41 + n % 30 END, false,
               1 + (n * 11) % 40, CASE WHEN n % 25 = 0 THEN 1 + (n - 1) / {lines} / {years} END, NULL, '', '', '', '{{}}', '{{}}', '', '', '[]', 'fts'
          FROM generate_series(1, {plans * years * lines}) n;
        INSERT INTO funding_flowline (id, flow_id, amount_usd, plan_id, year, place, country_id, split, sector_id, named_years, named_countries,
            named_sectors)
        SELECT n, n, 1000 + n % 997, 1 + (n - 1) / {lines} / {years}, 2020 + ((n - 1) / {lines}) % {years},
               CASE WHEN n % 17 = 0 THEN 'not_specified' ELSE 'country' END, CASE WHEN n % 17 > 0 THEN 'X' || chr(65 + (n % 5)) || 'A' END,
               CASE WHEN n % 13 = 0 THEN 'shared' ELSE 'single' END,
               CASE WHEN n % 13 > 0 THEN (1 + (n - 1) / {lines} / {years}) * 10 + 1 + n % 10 END, '{{}}', '{{}}', '{{}}'
          FROM generate_series(1, {plans * years * lines}) n;
        INSERT INTO funding_planyear (plan_id, year, basis) SELECT p, 2020 + y, 'flows' FROM generate_series(1, {plans}) p, generate_series(0, {years} - 1) y;
        SET session_replication_role = origin;
    """)
    execute("VACUUM ANALYZE")


def bare_tables() -> None:
    """A flat table of ledger lines and an empty copy of the table of figures."""
    scope = "SELECT plan_id, year, basis FROM funding_planyear"
    execute("DROP TABLE IF EXISTS bare_line, bare_figure")
    execute(
        f"CREATE TABLE bare_line AS {with_ledger(scope)} SELECT {', '.join(KEYS)}, {', '.join(MEASURES)} FROM entry"
    )
    execute("CREATE INDEX ON bare_line (plan_id, year)")
    execute("CREATE TABLE bare_figure (LIKE funding_figure INCLUDING ALL)")
    execute("VACUUM ANALYZE bare_line")


def bare_select(where: str) -> str:
    level = " ".join(f"WHEN {mask} THEN '{name}'" for mask, name in LEVELS.items())
    sums = ", ".join(f"COALESCE(sum({measure}), 0) AS {measure}" for measure in MEASURES)
    return f"""
        SELECT plan_id, year, CASE GROUPING(place, split, partner_id, has_donor) {level} END AS level, COALESCE(place, '') AS place,
               country_id, COALESCE(split, '') AS split, sector_id, partner_id, donor_id, {sums}
          FROM bare_line {where} GROUP BY {_GROUPING_SETS} HAVING GROUPING(has_donor) = 1 OR has_donor"""


@transaction.atomic
def bare_recompute(plan: int, year: int) -> None:
    execute("DELETE FROM bare_figure WHERE plan_id = %s AND year = %s", [plan, year])
    execute(f"INSERT INTO bare_figure ({COLUMNS}) {bare_select('WHERE plan_id = %s AND year = %s')}", [plan, year])


def bare_rebuild(hashagg: str, *, indexed: bool) -> float:
    """The statement alone into a table without indexes, or into an empty table like that of figures."""
    start = time.perf_counter()
    with transaction.atomic():
        execute(f"SET LOCAL enable_hashagg = {hashagg}")
        execute("SET LOCAL work_mem = '128MB'")
        if indexed:
            execute("TRUNCATE bare_figure")
            execute(f"INSERT INTO bare_figure ({COLUMNS}) {bare_select('')}")
        else:
            execute(f"DROP TABLE IF EXISTS bare_result; CREATE TABLE bare_result AS {bare_select('')}")
    return time.perf_counter() - start


def median_ms(call, keys) -> float:
    times = []
    for key in keys:
        start = time.perf_counter()
        call(*key)
        times.append((time.perf_counter() - start) * 1000)
    return statistics.median(times)


def measure(plans: int, years: int, lines: int, repeats: int) -> float:
    """Seed, measure, print; returns the cost of recomputing one plan-year in milliseconds."""
    name = f"{plans * years * lines:,} lines over {plans * years:,} plan-years"
    seed(plans, years, lines)
    bare_tables()
    keys = [(1 + (n * 37) % plans, 2020 + n % years) for n in range(repeats)]
    for call in (recompute, bare_recompute):
        median_ms(call, keys[:3])
    ours, theirs = median_ms(recompute, keys), median_ms(bare_recompute, keys)
    print(f"{name}: recompute one plan-year {ours:.2f} ms, bare {theirs:.2f} ms, ratio {ours / theirs:.2f}")
    start = time.perf_counter()
    rebuild()
    whole = time.perf_counter() - start
    kept = min(bare_rebuild(setting, indexed=True) for setting in ("off", "on"))
    alone = min(bare_rebuild(setting, indexed=False) for setting in ("off", "on"))
    print(f"{name}: rebuild everything {whole:.2f} s; bare into an equal table {kept:.2f} s, ratio {whole / kept:.2f};")
    print(f"    bare without indexes {alone:.2f} s, ratio {whole / alone:.2f}")
    print(f"{name}: differences found by verify: {len(verify())}")
    return ours


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--plans", type=int, default=700)
    parser.add_argument("--lines", type=int, default=286)
    parser.add_argument("--repeats", type=int, default=60)
    options = parser.parse_args()
    with scratch.database():
        small = measure(7, 5, options.lines, options.repeats)
        execute("TRUNCATE planning_plan, planning_planversion, funding_flow CASCADE")
        execute("TRUNCATE funding_figure, funding_planyear, funding_stalemark")
        large = measure(options.plans, 5, options.lines, options.repeats)
        print(f"recompute one plan-year, a million lines against ten thousand: ratio {large / small:.2f}")


if __name__ == "__main__":
    main()
