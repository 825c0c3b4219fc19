"""Flows go in once, follow newer versions, and never undo what a person did here; every row has an outcome."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from funding import rollups
from funding.models import Flow, FlowLine, StaleMark
from planning.models import Plan
from tests.factories import make_country, make_currency, make_flow, make_organisation, make_sector
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
    lines,
    make_reference,
    organisation,
    packed,
    page,
    sentences,
    thing,
    year,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def reference():
    make_reference()


def events():
    return (Flow.pgh_event_model.objects.count(), FlowLine.pgh_event_model.objects.count())


@pytest.mark.requirement("BR-01", "BR-06")
def test_a_flow_comes_in_with_all_that_fts_says():
    make_currency("CHF")
    raw = flow(
        amount=Decimal("118868.00").__float__(),
        originalAmount=119700,
        originalCurrency="CHF",
        exchangeRate=1.007,
        keywords=["Multiyear", None],
        contributionType="in kind",
        method="Cash transfer programming (CTP)",
        status="commitment",
        parentFlowId=77,
    )

    job = bring_in(page(raw))

    found = Flow.objects.get(fts_id=1001)
    line = found.lines.get()
    assert counts(job) == {"created": 1}
    assert (found.amount_usd, found.original_amount, found.currency_id, found.units_per_usd) == (
        118_868,
        119_700,
        "CHF",
        Decimal("1.007"),
    )
    assert (found.donor.name, found.recipient.name, found.channel, found.fts_version) == (
        "Government V",
        "Agency W",
        "fts",
        1,
    )
    assert (found.status, found.contribution_type, found.method, found.earmarking) == (
        "commitment",
        "in_kind",
        "cash",
        "softly",
    )
    assert (found.flow_on, found.first_reported_on, found.budget_year) == (date(2026, 2, 1), date(2026, 2, 3), 2026)
    assert found.source_updated_at == datetime(2026, 2, 5, 12, tzinfo=UTC)
    assert (found.keywords, found.fts_parent_id, found.parent_id) == (["Multiyear"], 77, None)
    assert (line.plan.fts_id, line.year, line.country_id, line.sector.name, line.amount_usd) == (
        801,
        2026,
        "XAA",
        "Health",
        118_868,
    )


@pytest.mark.parametrize(
    ("objects", "place", "split", "named"),
    [
        ([HEALTH, XAA], "country", "single", ([], [])),
        ([HEALTH, PROTECTION, XAA, XBB], "shared", "shared", (["XAA", "XBB"], ["Health", "Protection"])),
        ([], "not_specified", "not_specified", ([], [])),
        ([thing("GlobalCluster", 7, "Health"), XAA], "country", "not_specified", ([], ["Health"])),
        ([thing("Location", 999, "Atlantis")], "not_specified", "not_specified", (["Atlantis"], [])),
    ],
)
@pytest.mark.requirement("BR-10")
def test_what_is_shared_or_not_named_is_kept_as_such_and_never_divided(objects, place, split, named):
    bring_in(page(flow(destination=[PLAN, AGENCY, year(2026), *objects])))

    line = FlowLine.objects.get()
    assert (line.place, line.split) == (place, split)
    assert (line.named_countries, line.named_sectors) == named


@pytest.mark.requirement("BR-12")
def test_money_for_several_years_without_a_split_counts_in_none_of_them():
    bring_in(page(flow(destination=[PLAN, AGENCY, HEALTH, XAA, year(2025), year(2026)])))

    line = FlowLine.objects.get()
    rollups.recompute_stale()
    assert (line.year, line.named_years) == (None, [2025, 2026])
    assert rollups.total(line.plan_id, 2026).funded == 0


def test_money_outside_plans_has_a_global_sector_and_none_of_a_plan():
    bring_in(page(flow(destination=[AGENCY, XAA, year(2026), thing("GlobalCluster", 7, "Health")])))

    line = FlowLine.objects.get()
    assert (line.plan, line.split, line.sector, line.global_sector.code) == (None, "single", None, "HLTH")


@pytest.mark.requirement("BR-08", "BR-09", "I17")
def test_money_that_a_pooled_fund_passes_on_leaves_its_cell_and_never_counts_twice():
    fund = organisation(13, "Kivara Fund", "Pooled fund")
    given = flow(1, 500, destination=[PLAN, fund, XAA, year(2026)])
    passed = flow(2, 200, source=[fund, PLAN, XAA, year(2026)], newMoney=False)

    bring_in(page(given, passed))
    rollups.recompute_stale()

    plan = Plan.objects.get(fts_id=801)
    rows = rollups.read(plan.pk, 2026, ["total", "sector"])
    assert rows["total"][0].funded == 500
    assert {row.split: row.funded for row in rows["sector"]} == {"not_specified": 300, "single": 200}
    out = Flow.objects.get(fts_id=2)
    assert (out.source_plan, out.source_year, out.source_place, out.source_country_id) == (plan, 2026, "country", "XAA")
    assert (out.source_split, out.source_sector) == ("not_specified", None)


def test_the_same_file_twice_changes_nothing():
    make_currency("EUR")
    parent = flow(
        1, 300, flowType="Parked", fullParkedAmountUSD=900, originalAmount=270, originalCurrency="EUR", exchangeRate=0.9
    )
    content = page(parent, flow(2, 600, parentFlowId=1), flow(3, -50, destination=[AGENCY]))
    bring_in(content)
    rollups.recompute_stale()
    before = events()

    job = bring_in(content)

    assert counts(job) == {"unchanged": 3}
    assert events() == before
    assert StaleMark.objects.count() == 0
    assert sentences(job, "noted") == []


def test_the_same_flow_reached_through_two_countries_counts_once():
    raw = flow(destination=[PLAN, AGENCY, HEALTH, XAA, XBB, year(2026)])

    job = bring_in(page(raw), page(raw | {"boundary": "outgoing", "onBoundary": "shared"}), page(raw, raw))

    assert counts(job) == {"created": 1, "unchanged": 3}
    assert job.result["read"] == 4


@pytest.mark.requirement("BR-06", "BR-22")
@pytest.mark.parametrize("amount", [250_000, 40_000, -5_000, 0])
def test_a_newer_version_replaces_the_older_one_and_keeps_it_in_history(amount):
    bring_in(page(flow()))

    job = bring_in(page(flow(amount=amount, versionId=2, status="commitment", updatedAt="2026-03-01T00:00:00Z")))

    found = Flow.objects.get(fts_id=1001)
    assert counts(job) == {"updated": 1}
    assert (found.amount_usd, found.lines.get().amount_usd, found.status, found.fts_version) == (
        amount,
        amount,
        "commitment",
        2,
    )
    history = Flow.pgh_event_model.objects.filter(fts_id=1001).order_by("pgh_id")
    assert [(row.amount_usd, row.fts_version) for row in history] == [(100_000, 1), (amount, 2)]
    assert "Version 1 became version 2" in sentences(job, "updated")[0]


def test_a_batch_of_changes_in_both_directions_is_written_in_one_go():
    bring_in(page(*(flow(n, 100 * n) for n in range(1, 5))))

    job = bring_in(
        page(flow(1, 50, versionId=2), flow(2, 900, versionId=2), flow(3, -7, versionId=2), flow(4, 400, versionId=2))
    )

    assert counts(job) == {"updated": 4}
    amounts = dict(FlowLine.objects.values_list("flow__fts_id", "amount_usd"))
    assert amounts == dict(Flow.objects.values_list("fts_id", "amount_usd")) == {1: 50, 2: 900, 3: -7, 4: 400}


def test_an_older_version_is_ignored_and_told():
    bring_in(page(flow(versionId=3)))

    job = bring_in(page(flow(amount=1, versionId=2)))

    assert counts(job) == {"ignored": 1}
    assert Flow.objects.get().amount_usd == 100_000
    assert "version 2; the portal has the newer version 3" in sentences(job, "ignored")[0]


def test_what_a_person_specified_here_is_not_undone_by_the_same_version():
    raw = flow(destination=[PLAN, AGENCY, XAA, year(2026)])
    bring_in(page(raw))
    line = FlowLine.objects.get()
    line.sector = line.plan.sectors.create(name="Education", sector=make_sector("EDUC"))
    line.split = "single"
    line.save()

    job = bring_in(page(raw))
    newer = bring_in(page(raw | {"versionId": 2, "updatedAt": "2026-04-01T00:00:00Z"}))

    assert counts(job) == {"unchanged": 1}
    assert "what stands here stays" in sentences(job, "noted")[0]
    assert counts(newer) == {"updated": 1}
    line.refresh_from_db()
    assert line.split == "not_specified"


def test_what_was_empty_is_filled_in_by_the_same_version():
    bring_in(page(flow(destination=[PLAN, AGENCY, HEALTH, thing("Location", 903, "Country XCC"), year(2026)])))
    make_country("XCC", fts_id=903)

    job = bring_in(page(flow(destination=[PLAN, AGENCY, HEALTH, thing("Location", 903, "Country XCC"), year(2026)])))

    line = FlowLine.objects.get()
    assert counts(job) == {"updated": 1}
    assert (line.place, line.country_id) == ("country", "XCC")


def test_a_flow_that_was_split_here_keeps_its_lines():
    bring_in(page(flow(amount=1000)))
    line = FlowLine.objects.get()
    line.amount_usd = 600
    line.save()
    FlowLine.objects.create(
        flow=line.flow, plan=line.plan, year=2026, amount_usd=300, place="country", country_id="XBB"
    )

    kept = bring_in(page(flow(amount=950, versionId=2)))
    refused = bring_in(page(flow(amount=800, versionId=3)))

    assert counts(kept) == {"updated": 1}
    assert "split into 2 lines" in sentences(kept, "noted")[0]
    assert counts(refused) == {"refused": 1}
    assert "add up to more" in sentences(refused, "refused")[0]
    assert Flow.objects.get().amount_usd == 950
    assert sorted(FlowLine.objects.values_list("amount_usd", flat=True)) == [300, 600]


def test_children_are_linked_to_a_parent_that_comes_later():
    bring_in(page(flow(2, parentFlowId=1)))
    bring_in(page(flow(1)))

    assert Flow.objects.get(fts_id=2).parent == Flow.objects.get(fts_id=1)


def test_a_flow_cannot_be_its_own_parent():
    job = bring_in(page(flow(5, parentFlowId=5)))

    assert counts(job) == {"created": 1}
    assert Flow.objects.get().parent is None


def test_a_flow_that_vanished_is_told_and_not_deleted():
    bring_in(page(flow(1), flow(2), flow(3, destination=[AGENCY, year(2026)])))

    quiet = bring_in(page(flow(1)))
    job = bring_in(page(flow(1)), is_complete=True)

    assert sentences(quiet, "noted") == []
    assert [row.subject for row in job.rows.filter(outcome="noted")] == ["FTS 2"]
    assert Flow.objects.count() == 3


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"id": ""}, "no flow id"),
        ({"id": "12x"}, "not a whole number"),
        ({"amountUSD": None}, "amount in US dollars is missing"),
        ({"amountUSD": "a lot"}, "amount in US dollars is missing or not a number: “a lot”"),
        ({"amountUSD": 1e30}, "not a number"),
        ({"status": "maybe"}, "“maybe”"),
        ({"date": "2026-02-31"}, "is not a date"),
        ({"sourceObjects": "none"}, "not a list of objects"),
        ({"destinationObjects": [None]}, "not a list of objects"),
    ],
)
def test_a_row_that_cannot_be_taken_is_told_and_the_rest_comes_in(change, says):
    job = bring_in(page(flow(1), flow(2) | change, flow(3)))

    assert counts(job) == {"created": 2, "refused": 1}
    assert says in sentences(job, "refused")[0]


def test_a_word_that_is_not_known_is_taken_as_the_usual_one_and_told():
    job = bring_in(page(flow(flowType="Leap of faith")))

    assert Flow.objects.get().type == "standard"
    assert any(
        "“Leap of faith” is not a value that the portal knows" in sentence for sentence in sentences(job, "noted")
    )


def test_a_flow_entered_here_with_its_fts_id_is_the_same_flow():
    make_flow(make_organisation(), make_organisation(), 5, fts_id=1001)

    job = bring_in(page(flow()))

    assert counts(job) == {"updated": 1}
    assert (Flow.objects.get().amount_usd, Flow.objects.get().channel) == (100_000, "fts")


def test_json_lines_come_in_with_their_line_numbers_also_compressed():
    content = lines(flow(1), flow(2) | {"status": "?"}, flow(3))

    job = bring_in((packed(content), "flows.jsonl.gz"))

    assert counts(job) == {"created": 2, "refused": 1}
    assert job.rows.get(outcome="refused").line == 2


def test_text_of_every_kind_survives_the_way_into_the_database():
    text = 'Tab\there, newline\nthere, back\\slash, "quotes", {braces}, NULL, \\N, العربية, 中文'

    bring_in(page(flow(description=text, keywords=['a "b" \\ c, {d}', "NULL"], refCode="\\N")))

    found = Flow.objects.get()
    assert (found.description, found.keywords, found.reference) == (text, ['a "b" \\ c, {d}', "NULL"], "\\N")
    assert found.report_details == [{"organization": "Agency W"}]
