"""The ledger: every requirement and every movement of money as lines with the same columns, stacked and grouped once.

An information officer can read this SQL and run it. Sources are stacked (UNION ALL), never joined to each other, so that no amount is
ever multiplied; totals and lines come from one statement (GROUPING SETS), so that they cannot disagree. Rules: BR-02 to BR-19.
"""

from datetime import date

MEASURES = (
    "required",
    "original",
    "funded",
    "paid",
    "committed",
    "pledged",
    "in_kind",
    "carry_over",
    "new_money",
    "flexible",
    "incoming",
    "received",
    "passed_on",
)

# The columns of a ledger line, in order: where it belongs, who, and what it measures.
KEYS = ("plan_id", "year", "place", "country_id", "split", "sector_id", "partner_id", "has_donor", "donor_id")

# GROUPING(place, split, partner_id, has_donor) as a number -> the level it stands for.
LEVELS = {
    15: "total",
    7: "country",
    11: "sector",
    13: "partner",
    14: "donor",
    3: "country_sector",
    5: "country_partner",
    6: "country_donor",
    1: "cell",
}

_GROUPING_SETS = """
    GROUPING SETS (
        (plan_id, year),
        (plan_id, year, place, country_id),
        (plan_id, year, split, sector_id),
        (plan_id, year, partner_id),
        (plan_id, year, has_donor, donor_id),
        (plan_id, year, place, country_id, split, sector_id),
        (plan_id, year, place, country_id, partner_id),
        (plan_id, year, place, country_id, has_donor, donor_id),
        (plan_id, year, place, country_id, split, sector_id, partner_id)
    )
"""

# The state of flows and their lines on a past day, read from their history. A row that was entered with its flow was true since the day
# the flow was first reported; every later change is true since the day it was made here.
_AS_OF = """
    flow_day AS (
        SELECT e.pgh_id, e.pgh_obj_id, e.pgh_label,
               CASE WHEN e.pgh_label = 'insert' THEN LEAST(e.pgh_created_at::date, COALESCE(e.first_reported_on, e.pgh_created_at::date))
                    ELSE e.pgh_created_at::date END AS true_since
          FROM funding_flowevent e
         WHERE e.pgh_obj_id IN (SELECT le.flow_id FROM funding_flowlineevent le JOIN scope s ON s.plan_id = le.plan_id)
            OR e.pgh_obj_id IN (SELECT fe.pgh_obj_id FROM funding_flowevent fe JOIN scope s ON s.plan_id = fe.source_plan_id)
    ),
    flow AS (
        SELECT e.*
          FROM (SELECT DISTINCT ON (d.pgh_obj_id) d.pgh_id, d.pgh_label FROM flow_day d
                 WHERE d.true_since <= %(as_of)s ORDER BY d.pgh_obj_id, d.pgh_id DESC) latest
          JOIN funding_flowevent e ON e.pgh_id = latest.pgh_id
         WHERE latest.pgh_label <> 'delete'
    ),
    line AS (
        SELECT e.*
          FROM (SELECT DISTINCT ON (le.pgh_obj_id) le.pgh_id, le.pgh_label
                  FROM funding_flowlineevent le
                 WHERE le.flow_id IN (SELECT id FROM flow)
                   AND CASE WHEN le.pgh_label = 'insert' THEN COALESCE(
                           (SELECT d.true_since FROM flow_day d JOIN funding_flowevent fe ON fe.pgh_id = d.pgh_id
                             WHERE d.pgh_obj_id = le.flow_id AND d.pgh_label = 'insert' AND fe.recorded_at = le.recorded_at LIMIT 1),
                           le.pgh_created_at::date)
                       ELSE le.pgh_created_at::date END <= %(as_of)s
                 ORDER BY le.pgh_obj_id, le.pgh_id DESC) latest
          JOIN funding_flowlineevent e ON e.pgh_id = latest.pgh_id
         WHERE latest.pgh_label <> 'delete'
    ),
"""

# Each flow line of a plan-year in scope with its class: what it is to the plan (BR-06, BR-08, BR-09, BR-11).
_MOVEMENT = """
    version_in_force AS (
        SELECT DISTINCT ON (v.plan_id) v.plan_id, v.id
          FROM planning_planversion v
         WHERE v.status = 'approved' {version_day} AND v.plan_id IN (SELECT plan_id FROM scope)
         ORDER BY v.plan_id, v.major DESC, v.minor DESC
    ),
    version_original AS (
        SELECT DISTINCT ON (v.plan_id) v.plan_id, v.id
          FROM planning_planversion v
         WHERE v.status = 'approved' {version_day} AND v.plan_id IN (SELECT plan_id FROM scope)
         ORDER BY v.plan_id, v.major, v.minor
    ),
    need AS (
        SELECT s.plan_id, s.year, r.id AS requirement_id,
               CASE WHEN c.country_id IS NULL THEN 'region' ELSE 'country' END AS place, c.country_id,
               CASE WHEN r.sector_id IS NULL THEN 'not_specified' ELSE 'single' END AS split, r.sector_id,
               COALESCE(o.merged_into_id, r.partner_id) AS partner_id, r.amount_usd,
               r.version_id = v.id AS in_force, r.version_id = w.id AS in_original, r.status NOT IN ('returned', 'withdrawn') AS stands
          FROM scope s
          JOIN version_in_force v ON v.plan_id = s.plan_id
          JOIN version_original w ON w.plan_id = s.plan_id
          JOIN planning_requirement r ON r.version_id IN (v.id, w.id) AND r.year = s.year
          JOIN planning_chapter c ON c.id = r.chapter_id
          LEFT JOIN reference_organisation o ON o.id = r.partner_id
    ),
    appealing AS (
        SELECT DISTINCT plan_id, year, partner_id FROM need WHERE in_force AND stands AND partner_id IS NOT NULL
    ),
    movement AS (
        SELECT f.id AS flow_id, l.id AS line_id, l.plan_id, l.year, l.place, l.country_id, l.split, l.sector_id, l.amount_usd,
               f.status, f.type, f.contribution_type, f.is_new_money, f.earmarking, f.is_donor_anonymous,
               COALESCE(donor.merged_into_id, f.donor_id) AS donor_id, COALESCE(recipient.merged_into_id, f.recipient_id) AS recipient_id,
               COALESCE(NULLIF(f.source_place, ''), l.place) AS source_place,
               CASE WHEN f.source_place = '' THEN l.country_id ELSE f.source_country_id END AS source_country_id,
               COALESCE(NULLIF(f.source_split, ''), l.split) AS source_split,
               CASE WHEN f.source_split = '' THEN l.sector_id ELSE f.source_sector_id END AS source_sector_id,
               CASE
                   WHEN s.basis = 'published' THEN 'published_basis'
                   WHEN f.status = 'cancelled' THEN 'cancelled'
                   WHEN recipient_outside.id IS NOT NULL THEN 'to_outside'
                   WHEN donor_outside.id IS NULL AND f.type <> 'carry_over' AND (
                            (f.source_plan_id = l.plan_id AND COALESCE(f.source_year, l.year) = l.year)
                            OR (f.channel <> 'fts' AND f.type <> 'unearmarked_allocation' AND appealing.partner_id IS NOT NULL))
                       THEN CASE WHEN f.status = 'pledge' THEN 'internal_pledge' ELSE 'internal' END
                   WHEN f.status = 'pledge' THEN 'pledge'
                   ELSE 'incoming'
               END AS class
          FROM scope s
          JOIN {line} l ON l.plan_id = s.plan_id AND l.year = s.year
          JOIN {flow} f ON f.id = l.flow_id
          LEFT JOIN reference_organisation donor ON donor.id = f.donor_id
          LEFT JOIN reference_organisation recipient ON recipient.id = f.recipient_id
          LEFT JOIN funding_boundaryexception donor_outside
                 ON donor_outside.plan_id = l.plan_id AND donor_outside.organisation_id = COALESCE(donor.merged_into_id, f.donor_id)
          LEFT JOIN funding_boundaryexception recipient_outside
                 ON recipient_outside.plan_id = l.plan_id
                AND recipient_outside.organisation_id = COALESCE(recipient.merged_into_id, f.recipient_id)
          LEFT JOIN appealing ON appealing.plan_id = l.plan_id AND appealing.year = l.year
                             AND appealing.partner_id = COALESCE(donor.merged_into_id, f.donor_id)
        OFFSET 0 -- so that the class of a line is worked out once, not wherever it is used
    ),
    outgoing AS (
        SELECT f.id AS flow_id, l.id AS line_id, s.plan_id, s.year,
               COALESCE(NULLIF(f.source_place, ''), 'not_specified') AS place, f.source_country_id AS country_id,
               COALESCE(NULLIF(f.source_split, ''), 'not_specified') AS split, f.source_sector_id AS sector_id,
               COALESCE(donor.merged_into_id, f.donor_id) AS donor_id, l.amount_usd, f.status, f.contribution_type
          FROM scope s
          JOIN {flow} f ON f.source_plan_id = s.plan_id AND f.type <> 'carry_over' AND f.status IN ('commitment', 'paid')
          JOIN {line} l ON l.flow_id = f.id AND COALESCE(f.source_year, l.year) = s.year
                                          AND (l.plan_id IS DISTINCT FROM s.plan_id OR l.year IS DISTINCT FROM s.year)
          LEFT JOIN reference_organisation donor ON donor.id = f.donor_id
          LEFT JOIN funding_boundaryexception donor_outside
                 ON donor_outside.plan_id = s.plan_id AND donor_outside.organisation_id = COALESCE(donor.merged_into_id, f.donor_id)
         WHERE s.basis = 'flows' AND donor_outside.id IS NULL
    ),
    published AS (
        SELECT p.id AS published_id, s.plan_id, s.year, p.funded_usd AS amount_usd,
               CASE WHEN p.country_id IS NOT NULL THEN 'country' WHEN p.place <> '' THEN p.place ELSE 'not_specified' END AS place,
               p.country_id, COALESCE(NULLIF(p.split, ''), 'not_specified') AS split, p.sector_id
          FROM scope s
          JOIN funding_publishedtotal p ON p.plan_id = s.plan_id AND p.year = s.year AND p.funded_usd IS NOT NULL {published_day}
         WHERE s.basis = 'published'
           AND p.dimension = (SELECT q.dimension FROM funding_publishedtotal q
                               WHERE q.plan_id = s.plan_id AND q.year = s.year AND q.funded_usd IS NOT NULL
                               ORDER BY array_position(ARRAY['sector', 'country', 'total'], q.dimension::text) LIMIT 1)
    ),
"""

# Every source as lines with the same columns. A measure that a line does not have is NULL, which a sum passes over without cost.
_LINES = """
    entry AS (
        SELECT plan_id, year, place::text, country_id::text, split::text, sector_id, partner_id,
               false AS has_donor, NULL::bigint AS donor_id,
               CASE WHEN in_force THEN amount_usd END AS required, CASE WHEN in_original THEN amount_usd END AS original,
               NULL::numeric AS funded, NULL::numeric AS paid, NULL::numeric AS committed, NULL::numeric AS pledged,
               NULL::numeric AS in_kind, NULL::numeric AS carry_over, NULL::numeric AS new_money, NULL::numeric AS flexible,
               NULL::numeric AS incoming, NULL::numeric AS received, NULL::numeric AS passed_on,
               'requirement' AS kind, requirement_id AS source_id, NULL::bigint AS line_id
          FROM need WHERE stands
        UNION ALL
        SELECT m.plan_id, m.year, side.place, side.country_id, side.split, side.sector_id, side.partner_id,
               side.is_in AND m.class <> 'internal',
               CASE WHEN side.is_in AND m.class <> 'internal' AND NOT m.is_donor_anonymous THEN m.donor_id END,
               NULL, NULL,
               side.funded, CASE WHEN m.status = 'paid' THEN side.funded END, CASE WHEN m.status = 'commitment' THEN side.funded END,
               CASE WHEN m.class = 'pledge' THEN m.amount_usd END,
               CASE WHEN m.contribution_type <> 'financial' THEN side.funded END,
               CASE WHEN m.class = 'incoming' AND m.type = 'carry_over' THEN m.amount_usd END,
               CASE WHEN m.class = 'incoming' AND m.is_new_money THEN m.amount_usd END,
               CASE WHEN m.class = 'incoming' AND m.earmarking IN ('unearmarked', 'softly') THEN m.amount_usd END,
               CASE WHEN m.class = 'incoming' THEN m.amount_usd END,
               CASE WHEN m.class = 'internal' AND side.is_in THEN m.amount_usd END,
               CASE WHEN m.class = 'internal' AND NOT side.is_in THEN m.amount_usd END,
               CASE WHEN side.is_in THEN m.class ELSE 'passed_on' END, m.flow_id, m.line_id
          FROM movement m
         CROSS JOIN LATERAL (
               SELECT true AS is_in, m.place::text, m.country_id::text, m.split::text, m.sector_id, m.recipient_id AS partner_id,
                      CASE WHEN m.class <> 'pledge' THEN m.amount_usd END AS funded
                WHERE m.class IN ('incoming', 'internal', 'pledge')
               UNION ALL
               SELECT false, m.source_place, m.source_country_id, m.source_split, m.source_sector_id, m.donor_id, -m.amount_usd
                WHERE m.class = 'internal'
               ) side
        UNION ALL
        SELECT plan_id, year, place, country_id, split, sector_id, donor_id, true, donor_id,
               NULL, NULL, -amount_usd, CASE WHEN status = 'paid' THEN -amount_usd END,
               CASE WHEN status = 'commitment' THEN -amount_usd END,
               NULL, CASE WHEN contribution_type <> 'financial' THEN -amount_usd END, NULL, NULL, NULL, NULL, NULL, amount_usd,
               'outgoing', flow_id, line_id
          FROM outgoing
        UNION ALL
        SELECT plan_id, year, place, country_id, split, sector_id, NULL, true, NULL,
               NULL, NULL, amount_usd, NULL, NULL, NULL, NULL, NULL, NULL, NULL, amount_usd, NULL, NULL, 'published', published_id, NULL
          FROM published
    )
"""


def with_ledger(scope: str, as_of: date | None = None) -> str:
    """The WITH clause that ends in `entry`, for the plan-years that `scope` selects as (plan_id, year, basis)."""
    flow, line = ("flow", "line") if as_of else ("funding_flow", "funding_flowline")
    movement = _MOVEMENT.format(
        flow=flow,
        line=line,
        version_day="AND v.approved_on <= %(as_of)s" if as_of else "",
        published_day="AND p.as_of <= %(as_of)s" if as_of else "",
    )
    return f"WITH scope AS ({scope}), {_AS_OF if as_of else ''} {movement} {_LINES}"


def grouped(scope: str, as_of: date | None = None) -> str:
    """The statement that yields every level of every table: level, keys and measures."""
    level = " ".join(f"WHEN {mask} THEN '{name}'" for mask, name in LEVELS.items())
    sums = ", ".join(f"COALESCE(sum({measure}), 0) AS {measure}" for measure in MEASURES)
    return f"""
        {with_ledger(scope, as_of)}
        SELECT plan_id, year, CASE GROUPING(place, split, partner_id, has_donor) {level} END AS level,
               COALESCE(place, '') AS place, country_id, COALESCE(split, '') AS split, sector_id, partner_id, donor_id, {sums}
          FROM entry
         GROUP BY {_GROUPING_SETS}
        HAVING GROUPING(has_donor) = 1 OR has_donor
    """
