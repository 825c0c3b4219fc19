"""What OCHA published goes in, and comes out to the dollar."""

import csv
import os
from collections import Counter, defaultdict
from decimal import Decimal
from pathlib import Path

import pytest
from django.core.management import call_command

from funding import rollups
from funding.models import Flow, FlowLine, PlanYear, StaleMark
from planning.models import Plan
from tests.funding.fts import bring_in, counts, sentences

DATA = os.environ.get("RRP_REAL_DATA")
pytestmark = [
    pytest.mark.django_db,
    pytest.mark.real_data,
    pytest.mark.skipif(not DATA, reason="RRP_REAL_DATA does not name the folder of published figures"),
]
FTS = Path(DATA or ".") / "fts"

SPECIAL = {"Not specified": "not_specified", "Multiple clusters/sectors (shared)": "shared"}


@pytest.fixture(autouse=True)
def reference():
    call_command("load_reference", verbosity=0)


def take(*patterns):
    files = sorted(path for pattern in patterns for path in FTS.glob(pattern))
    assert files
    return bring_in(*((path.read_bytes(), path.name) for path in files))


def rows_of(name):
    with (FTS / name).open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def money(text):
    return Decimal(text or 0)


def events():
    return Flow.pgh_event_model.objects.count(), FlowLine.pgh_event_model.objects.count()


@pytest.mark.requirement(
    "BR-03", "BR-06", "BR-08", "BR-09", "BR-10", "BR-12", "BR-13", "BR-17", "BR-20", "BR-21", "BR-23"
)
def test_afghanistan_2020_agrees_with_what_fts_published_to_the_dollar():
    job = take("api_2020_afghanistan/*.json")
    rollups.recompute_stale()

    plan = Plan.objects.get(fts_id=929)
    total = rollups.total(plan.pk, 2020)
    assert job.result["read"] == sum(counts(job).values()) == 484 + 46 + 39
    assert (total.required, total.funded, total.net_gap) == (1_131_050_820, 564_467_765, 566_583_055)
    assert (rollups.percent_2dp(total.coverage), total.original) == (Decimal("49.91"), 732_600_000)

    names = {sector.pk: sector.name for sector in plan.sectors.all()}
    sectors = rollups.read(plan.pk, 2020, ["sector"])["sector"]
    found = {names.get(row.sector_id, row.split): (row.required, row.funded) for row in sectors}
    published = {
        SPECIAL.get(row["cluster"], row["cluster"]): (money(row["requirements"]), money(row["funding"]))
        for row in rows_of("hdx_2020_afghanistan/fts_requirements_funding_cluster_afg.csv")
    }
    assert found == published
    assert rollups.identity(sectors).holds

    country = rollups.country_year("AFG", 2020)
    assert (country["funded"], country["shared"]) == (725_591_299, 28_526_312)
    assert (country["flows"], country["shared_flows"]) == (311, 17)


@pytest.mark.requirement("BR-08")
def test_the_one_internal_flow_of_the_country_that_is_new_to_the_plan_counts():
    take("api_2020_afghanistan/custom-search*.json")
    rollups.recompute_stale()

    plan = Plan.objects.get(fts_id=929)
    new = Flow.objects.get(fts_id=217641)
    assert (new.amount_usd, new.source_plan, new.is_new_money) == (20_017, None, False)
    explained = rollups.explain(plan.pk, 2020, "funded", {}, limit=1000)
    assert (explained.total, next(part.kind for part in explained.parts if part.source_id == new.pk)) == (
        564_467_765,
        "incoming",
    )


def test_the_hdx_files_give_the_same_figures_because_they_hold_the_published_totals():
    job = take("hdx_2020_afghanistan/*.csv")
    rollups.recompute_stale()

    plan = Plan.objects.get(fts_id=929)
    total = rollups.total(plan.pk, 2020)
    assert counts(job) == {"created": 484 + 2 + 20, "ignored": 1 + 18}
    assert (PlanYear.objects.get(plan=plan, year=2020).basis, plan.type, plan.code) == ("published", "hrp", "HAFG20")
    assert (total.required, total.funded, rollups.percent_2dp(total.coverage)) == (
        1_131_050_820,
        564_467_765,
        Decimal("49.91"),
    )
    country = rollups.country_year("AFG", 2020)
    assert (country["funded"], country["shared"]) == (725_591_299, 28_526_312)


def test_the_hdx_flows_alone_miss_one_flow_and_every_cluster_because_they_do_not_name_them():
    take("hdx_2020_afghanistan/fts_in*_funding_afg.csv")
    rollups.recompute_stale()

    plan = Plan.objects.get(fts_id=929)
    rows = rollups.read(plan.pk, 2020, ["total", "sector"])
    assert rows["total"][0].funded == 564_467_765 - 20_017
    assert {row.split for row in rows["sector"]} == {"not_specified"}
    assert Flow.objects.get(fts_id=217641).source_plan == plan


@pytest.mark.parametrize("first", ["api", "hdx"])
def test_whichever_source_comes_first_what_fts_says_of_a_flow_in_detail_stands(first):
    order = ["api_2020_afghanistan/*.json", "hdx_2020_afghanistan/*.csv"]
    for pattern in order if first == "api" else reversed(order):
        take(pattern)
    rollups.recompute_stale()

    plan = Plan.objects.get(fts_id=929)
    total = rollups.total(plan.pk, 2020)
    assert (total.required, total.funded) == (1_131_050_820, 564_467_765)
    assert PlanYear.objects.get(plan=plan, year=2020).basis == "flows"
    assert not Flow.objects.filter(fts_version=None).exists()
    assert Flow.objects.count() == 484
    assert rollups.verify() == []


@pytest.mark.requirement("BR-06", "BR-22")
def test_the_flows_of_2025_imported_twice_change_nothing_the_second_time():
    first = take("flows_2025_refugee_plans.jsonl.gz")
    rollups.recompute_stale()
    before = events()

    second = take("flows_2025_refugee_plans.jsonl.gz")

    assert (counts(first), counts(second)) == ({"created": 1815}, {"unchanged": 1815})
    assert events() == before
    assert StaleMark.objects.count() == 0
    assert sentences(second, "noted") == []
    assert rollups.verify() == []


@pytest.mark.requirement("BR-09")
def test_money_a_parked_parent_has_given_out_is_never_counted_with_the_parent():
    take("flows_2025_refugee_plans.jsonl.gz")

    for parent in Flow.objects.filter(type="parked", children__isnull=False).distinct():
        children = sum(parent.children.values_list("amount_usd", flat=True))
        assert parent.amount_usd + children <= max(parent.full_parked_usd, parent.amount_usd)


@pytest.mark.requirement("BR-02", "BR-03", "BR-19", "BR-20")
def test_73_regional_plans_come_in_and_each_adds_up_to_its_rows():
    name = "regional_plans_by_country_2012_2026.csv"
    job = take(name)
    rollups.recompute_stale()

    required, funded, years = Counter(), Counter(), defaultdict(set)
    for row in rows_of(name):
        key = int(Decimal(row["id"]))
        required[key] += money(row["requirements"])
        funded[key] += money(row["funding"])
        years[key].add(int(row["year"]))
    assert sum(counts(job).values()) == 368
    assert Plan.objects.filter(fts_id__isnull=False).count() == len(required) == 73
    for plan in Plan.objects.all():
        totals = [rollups.total(plan.pk, year) for year in years[plan.fts_id]]
        assert sum(row.required for row in totals) == required[plan.fts_id], plan
        assert sum(row.funded for row in totals) == funded[plan.fts_id], plan
    assert counts(take(name)) == {"unchanged": 368}
    assert StaleMark.objects.count() == 0


def test_sectors_of_the_same_plans_leave_their_totals_as_they_are():
    names = "regional_plans_by_country_2012_2026.csv", "refugee_plans_by_sector_2017_2026.csv"
    take(*names)
    rollups.recompute_stale()

    wrong = {}
    required = Counter()
    for row in rows_of(names[0]):
        required[int(Decimal(row["id"]))] += money(row["requirements"])
    for plan in Plan.objects.all():
        if (found := rollups.total(plan.pk, plan.starts_on.year).required) != required[plan.fts_id]:
            wrong[plan.name] = (found, required[plan.fts_id])
    assert wrong == {}
    assert counts(take(*names)) == {"unchanged": 368 + 158}
