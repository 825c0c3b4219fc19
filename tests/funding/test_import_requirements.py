"""Requirements as FTS publishes them become approved versions; published totals are kept, and count where no flows are known."""

import json
from datetime import date

import pytest

from funding import rollups
from funding.imports.plans import guess_type
from funding.models import PlanYear, PublishedTotal, StaleMark
from planning.models import Plan, PlanVersion
from tests.factories import make_organisation, make_plan, make_sector, make_version
from tests.funding.fts import (
    AGENCY,
    HEALTH,
    PLAN,
    PROTECTION,
    XAA,
    XBB,
    bring_in,
    counts,
    flow,
    make_reference,
    page,
    sentences,
    thing,
    year,
)

pytestmark = pytest.mark.django_db

COUNTRY = "countryCode,id,name,code,typeId,typeName,startDate,endDate,year,requirements,funding,percentFunded"
SECTOR = "countryCode,id,name,code,startDate,endDate,year,clusterCode,cluster,requirements,funding,percentFunded"
KIVARA = "Kivara Regional Refugee Response Plan 2026"


@pytest.fixture(autouse=True)
def reference():
    make_reference()


def by_country(*rows, name=KIVARA, fts_id=801, ends="2026-12-31"):
    """Rows of (country, required, funded)."""
    lines = [
        f"{c},{fts_id},{name},RKIV26,111,Regional response plan,2026-01-01,{ends},2026,{r},{f}," for c, r, f in rows
    ]
    return "\n".join([COUNTRY, *lines]).encode(), "requirements_by_country.csv"


def by_sector(*rows, country="XAA", fts_id=801):
    """Rows of (cluster id, cluster, required, funded)."""
    lines = [f"{country},{fts_id},{KIVARA},RKIV26,2026-01-01,2026-12-31,2026,{i},{n},{r},{f}," for i, n, r, f in rows]
    return "\n".join([SECTOR, *lines]).encode(), "requirements_by_cluster.csv"


def grouped(clusters, single=(), shared=(), kind="Cluster"):
    """An answer of FTS grouped by cluster: clusters of (id, name, original, revised)."""
    objects = [
        {"id": i, "name": n, "objectType": kind, "origRequirements": o, "revisedRequirements": r}
        for i, n, o, r in clusters
    ]
    objects = [{key: value for key, value in entry.items() if value is not None} for entry in objects]
    singles = [{"id": i, "name": n, "totalFunding": f} if i else {"name": n, "totalFunding": f} for i, n, f in single]
    shares = [{"id": ["1", "2"], "name": ["A", "B"], "totalFunding": f} for f in shared]
    totals = {"type": kind, "singleFundingObjects": singles, "sharedFundingObjects": shares}
    return json.dumps(
        {"data": {"requirements": {"objects": objects}, "report3": {"fundingTotals": {"objects": [totals]}}}}
    ).encode()


def labels(plan):
    return [v.label for v in PlanVersion.objects.filter(plan=plan).order_by("major", "minor")]


def figures(level="total"):
    rollups.recompute_stale()
    return rollups.read(Plan.objects.get(fts_id=801).pk, 2026, [level])[level]


@pytest.mark.requirement("BR-02", "BR-03")
def test_a_plan_by_country_comes_in_with_its_chapters_version_and_published_funding():
    job = bring_in(by_country(("XAA", 700, 300), ("XBB", 250.5, ""), ("", 49.5, 20)))

    plan = Plan.objects.get(fts_id=801)
    assert counts(job) == {"created": 3}
    assert (plan.code, plan.name, plan.type, plan.fts_type) == (
        "RKIV26",
        KIVARA,
        "regional_rrp",
        "Regional response plan",
    )
    assert set(plan.chapters.values_list("country", flat=True)) == {"XAA", "XBB", None}
    version = plan.versions.get()
    assert (version.label, version.status, version.approved_on) == ("v1", "approved", date(2026, 1, 1))
    assert PlanYear.objects.get(plan=plan).basis == "published"
    [total] = figures()
    assert (total.required, total.funded) == (1000, 320)
    rows = {row.country_id or row.place: (row.required, row.funded) for row in figures("country")}
    assert rows == {"XAA": (700, 300), "XBB": (250.5, 0), "region": (49.5, 0), "not_specified": (0, 20)}


def test_the_same_requirements_twice_change_nothing():
    bring_in(
        by_country(("XAA", 700, 300)),
        by_sector((5001, "Health", 400, 200), (5002, "Protection", 250, 60), ("", "Not specified", "", 40)),
    )
    rollups.recompute_stale()
    files = (
        by_country(("XAA", 700, 300)),
        by_sector((5001, "Health", 400, 200), (5002, "Protection", 250, 60), ("", "Not specified", "", 40)),
    )

    job = bring_in(*files)

    assert counts(job) == {"unchanged": 4}
    assert StaleMark.objects.count() == 0
    assert labels(Plan.objects.get()) == ["v1", "v1.1"]


@pytest.mark.requirement("BR-22", "BR-23")
def test_a_changed_requirement_makes_a_revision_and_keeps_the_old_version():
    bring_in(by_country(("XAA", 700, 300), ("XBB", 250, 10)))

    job = bring_in(by_country(("XAA", 900, 300)))

    plan = Plan.objects.get(fts_id=801)
    assert counts(job) == {"updated": 1}
    assert labels(plan) == ["v1", "v2"]
    assert plan.versions.get(major=2).scope == "revision"
    [total] = figures()
    assert (total.required, total.original, total.funded) == (1150, 950, 310)


def test_sectors_of_a_known_total_are_a_correction_and_leave_the_rest_not_specified():
    bring_in(by_country(("XAA", 700, 300)))

    bring_in(by_sector((5001, "Health", 400, 200), (5002, "Protection", 250, 60)))

    plan = Plan.objects.get(fts_id=801)
    assert labels(plan) == ["v1", "v1.1"]
    names = {sector.pk: sector.name for sector in plan.sectors.all()}
    assert {names.get(row.sector_id, row.split): row.required for row in figures("sector")} == {
        "Health": 400,
        "Protection": 250,
        "not_specified": 50,
    }
    assert figures()[0].required == 700


def test_a_total_that_is_lower_than_its_sectors_is_told_and_the_sectors_stay():
    bring_in(by_sector((5001, "Health", 400, 200), (5002, "Protection", 250, 60)))

    job = bring_in(by_country(("XAA", 600, 300)))

    assert labels(Plan.objects.get(fts_id=801)) == ["v1"]
    assert any("the sectors here add up to 650.00, and stay" in sentence for sentence in sentences(job, "noted"))


def test_a_total_that_is_higher_than_its_sectors_leaves_a_rest_and_then_nothing_changes():
    files = by_sector((5001, "Health", 400, 200)), by_country(("XAA", 600, 300))
    bring_in(files[0])
    bring_in(files[1])

    job = bring_in(*files)

    assert figures()[0].required == 600
    assert counts(job) == {"unchanged": 2}
    assert labels(Plan.objects.get(fts_id=801)) == ["v1", "v2"]


def test_sectors_over_several_countries_do_not_replace_the_lines_by_country():
    bring_in(by_country(("XAA", 700, 300), ("XBB", 300, 0)))

    job = bring_in(by_sector((5001, "Health", 1000, 200), country=""))

    assert figures()[0].required == 1000
    assert any("the lines by country stay" in sentence for sentence in sentences(job, "noted"))


@pytest.mark.requirement("BR-23")
def test_an_answer_grouped_by_cluster_gives_the_original_and_the_revised_requirement():
    answer = grouped(
        [(5001, "Health", 300, 400), (5002, "Protection", None, 250)],
        single=[(5001, "Health", 200), (None, "Not specified", 40)],
        shared=[7, 8],
    )

    job = bring_in(
        page(flow(amount=200), flow(2, 40, destination=[PLAN, AGENCY, XAA, year(2026)])),
        (answer, "planid-801-grouped.json"),
    )

    plan = Plan.objects.get(fts_id=801)
    assert counts(job) == {"created": 8}
    assert [(v.label, v.scope) for v in plan.versions.order_by("major")] == [("v1", "original"), ("v2", "revision")]
    [total] = figures()
    assert (total.required, total.original, total.funded) == (650, 300, 240)
    assert {row.country_id for row in figures("country")} == {"XAA"}
    assert PublishedTotal.objects.get(split="shared").funded_usd == 15


def test_the_plan_of_a_grouped_answer_can_be_said_beside_it():
    bring_in(page(flow()))

    job = bring_in((grouped([(5001, "Health", 300, 300)]), "answer.json"), plan=801)

    assert counts(job) == {"created": 1}
    assert labels(Plan.objects.get(fts_id=801)) == ["v1"]


def test_global_clusters_are_left_out_because_they_cut_across_the_sectors():
    bring_in(page(flow()))

    job = bring_in(
        (grouped([(7, "Health", 300, 300)], single=[(7, "Health", 5)], kind="GlobalCluster"), "planid-801.json"),
        by_sector((7, "Health", 400, 200), (10, "Protection", 250, 60)),
    )

    assert counts(job) == {"ignored": 4}
    assert "Global clusters cut across" in sentences(job, "ignored")[0]
    assert not Plan.objects.get(fts_id=801).versions.exists()


def test_money_outside_plans_and_empty_rows_are_told():
    content, name = by_country(("XAA", 700, 300), ("XBB", "", ""))
    outside = content + b"\nXAA,,Not specified,,,,,,2026,,146123534,"

    job = bring_in((outside, name))

    assert counts(job) == {"created": 1, "ignored": 2}
    assert any("Money outside plans" in sentence for sentence in sentences(job, "ignored"))


def test_a_cell_said_twice_is_taken_once():
    job = bring_in(by_country(("XAA", 700, 300), ("XAA", 700, 300), ("XAA", 701, 300)))

    assert counts(job) == {"created": 1, "ignored": 1, "refused": 1}
    assert figures()[0].required == 700


def test_ids_as_a_spreadsheet_writes_them_are_whole_numbers():
    bring_in(by_country(("XAA", "700.0", "300.0"), fts_id="801.0"))

    assert Plan.objects.get().fts_id == 801


def test_a_plan_without_clusters_stands_in_the_file_as_a_cluster_of_its_own_id():
    job = bring_in(
        by_sector(
            (801, KIVARA, 650, ""), ("", "Not specified", "", 40), ("", "Multiple clusters/sectors (shared)", "", 0)
        )
    )

    assert counts(job) == {"created": 3}
    assert not Plan.objects.get().sectors.exists()
    [row] = [row for row in figures("sector") if row.has_money]
    assert (row.split, row.required, row.funded) == ("not_specified", 650, 40)


@pytest.mark.requirement("BR-02", "I13")
def test_requirements_written_here_are_never_replaced_by_those_of_fts():
    plan = make_plan("RKIV26", sectors=("PROT",))
    make_version(plan, [("XAA", "PROT", make_organisation(), 500)], approved_on=date(2026, 1, 1))

    job = bring_in(by_country(("XAA", 700, 300)))

    plan.refresh_from_db()
    assert (plan.fts_id, labels(plan)) == (801, ["v1"])
    assert figures()[0].required == 500
    assert PublishedTotal.objects.get(plan=plan).required_usd == 700
    told = "\n".join(sentences(job, "noted"))
    assert "the two are now linked" in told
    assert "written here" in told


def test_what_was_guessed_of_a_plan_is_completed_by_what_fts_says_later():
    bring_in(page(flow()))
    assert Plan.objects.get().code == "fts-801"

    job = bring_in(by_country(("XAA", 700, 300), ends="2026-06-30"))

    plan = Plan.objects.get()
    assert (plan.code, plan.fts_code, plan.ends_on) == ("RKIV26", "RKIV26", date(2026, 6, 30))
    assert any("FTS says more about this plan now" in sentence for sentence in sentences(job, "noted"))


def test_flows_replace_published_totals_once_they_stand_for_the_plan():
    bring_in(by_country(("XAA", 700, 300)))
    assert figures()[0].funded == 300

    bring_in(page(flow(amount=310)))

    assert PlanYear.objects.get().basis == "flows"
    assert figures()[0].funded == 310


def test_flows_of_one_country_do_not_stand_for_a_regional_plan():
    bring_in(by_country(("XAA", 700, 300), ("XBB", 300, 200)))

    bring_in(page(flow(amount=310)))
    assert (PlanYear.objects.get().basis, figures()[0].funded) == ("published", 500)

    bring_in(page(flow(2, 190, destination=[PLAN, AGENCY, PROTECTION, XBB, year(2026)])))
    assert (PlanYear.objects.get().basis, figures()[0].funded) == ("flows", 500)


def test_flows_that_were_there_first_still_count():
    bring_in(page(flow(amount=310, destination=[PLAN, AGENCY, HEALTH, XAA, year(2026)])))

    bring_in(by_country(("XAA", 700, 300)))

    assert (figures()[0].funded, PlanYear.objects.get().basis) == (310, "flows")


@pytest.mark.parametrize(
    ("name", "type_name", "code", "expected"),
    [
        (
            "Venezuela Regional Refugee and Migrant Response Plan (RMRP) 2025",
            "Regional response plan",
            "RREG25",
            "rmrp",
        ),
        ("Syrian Arab Republic Regional Refugee and Resilience Plan (3RP) 2025", "", "", "3rp"),
        ("Rohingya Humanitarian Crisis Joint Response Plan 2025", "Regional response plan", "RBGD25", "jrp"),
        ("Sudan Emergency: Regional Refugee Response Plan 2025", "", "", "regional_rrp"),
        ("Syria Regional Refugee Response Plan (RRP) 2013", "", "", "regional_rrp"),
        ("Islamic Republic of Iran Flash Refugee Response Plan March - May 2026", "", "", "country_rrp"),
        ("Lebanon Flash Appeal 2025", "", "", "flash_appeal"),
        ("Afghanistan 2020", "Humanitarian response plan", "", "hrp"),
        ("Afghanistan 2020", "", "HAFG20", "hrp"),
        ("Chad 2026", "Humanitarian needs and response plan", "", "hrp"),
        ("Ebola Outbreak Response Plan 2014", "Regional response plan", "RGINLBRSLE1415", "other"),
        ("Regional Migrant Response Plan for Horn of Africa to Yemen 2024", "Regional response plan", "", "other"),
    ],
)
@pytest.mark.requirement("BR-04")
def test_the_type_of_a_plan_is_guessed_from_what_fts_says(name, type_name, code, expected):

    assert guess_type(name, type_name, code) == expected


def test_the_sector_of_a_cluster_is_told_by_its_name_before_its_global_cluster():

    make_sector("HLTH")
    raw = flow(
        destination=[
            PLAN,
            AGENCY,
            thing("Cluster", 5003, "Protection COVID-19"),
            thing("GlobalCluster", 7, "Health"),
            XAA,
            XBB,
            year(2026),
        ]
    )

    bring_in(page(raw))

    assert Plan.objects.get().sectors.get(fts_id=5003).sector.code == "PROT"
