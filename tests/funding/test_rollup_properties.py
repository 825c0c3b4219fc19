"""Properties that hold for every plan: conservation, order, splitting, merging, passing on, and the identity of the gap."""

from contextlib import suppress
from datetime import date
from decimal import Decimal
from types import SimpleNamespace

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from funding import rollups
from funding.models import BoundaryException, FlowLine
from funding.rollups.ledger import LEVELS, MEASURES
from tests.factories import make_flow, make_line, make_organisation, make_plan, make_version
from tests.funding import oracle

pytestmark = pytest.mark.django_db

COUNTRIES = ("XAA", "XBB")
SECTORS = ("PROT", "HLTH")
PLACES = (*COUNTRIES, "region", "shared", None)
SPLITS = (*SECTORS, "shared", None)

# Amounts in cents, so that a rounding anywhere would show.
amounts = st.integers(1, 10**9).map(lambda cents: Decimal(cents) / 100)
needs = st.lists(
    st.tuples(st.sampled_from((*COUNTRIES, None)), st.sampled_from(SECTORS), st.integers(0, 3), amounts),
    max_size=6,
    unique_by=lambda need: need[:3],
)
moves = st.lists(
    st.fixed_dictionaries(
        {
            "donor": st.integers(0, 6),
            "recipient": st.integers(0, 4),
            "amount": amounts,
            "status": st.sampled_from(["paid", "paid", "commitment", "pledge", "cancelled"]),
            "type": st.sampled_from(
                ["standard", "standard", "standard", "pass_through", "carry_over", "unearmarked_allocation"]
            ),
            "goods": st.booleans(),
            "new": st.booleans(),
            "earmarking": st.sampled_from(["", "unearmarked", "softly", "earmarked"]),
            "anonymous": st.booleans(),
            "out_of_plan": st.booleans(),
            "place": st.sampled_from(PLACES),
            "split": st.sampled_from(SPLITS),
            "year": st.sampled_from([2026, 2026, 2026, 2027]),
        }
    ),
    max_size=12,
)
quick = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@pytest.fixture
def stage(db):
    """Four partners, a bystander who also receives, a donor, and a fund that the plan counts as outside."""
    people = [make_organisation(f"Partner {n}") for n in range(4)]
    bystander, donor, fund = (
        make_organisation("Bystander"),
        make_organisation("Donor", "gov_donor"),
        make_organisation("Fund", "pooled_fund"),
    )
    return SimpleNamespace(
        receivers=[*people, bystander], givers=[*people, bystander, donor, fund], partners=people, fund=fund
    )


class Undo(Exception):
    """Ends an example without leaving anything."""


def play(stage, needs, moves, check):
    """Builds one plan, runs the check on it and undoes everything."""
    with suppress(Undo), transaction.atomic():
        plan = make_plan(countries=COUNTRIES, sectors=SECTORS, region=True, ends_on=date(2027, 12, 31))
        BoundaryException.objects.create(plan=plan, organisation=stage.fund, reason="run outside the plan")
        lines = [(place, sector, stage.partners[partner], amount) for place, sector, partner, amount in needs]
        make_version(plan, lines, approved_on=date(2026, 1, 1))
        for move in moves:
            add(stage, plan, move)
        check(plan)
        raise Undo


def add(stage, plan, move):
    donor, recipient = stage.givers[move["donor"]], stage.receivers[move["recipient"]]
    if donor == recipient and move["type"] not in {"carry_over", "unearmarked_allocation"}:
        donor = stage.givers[5]
    flow = make_flow(
        donor, recipient, move["amount"], status=move["status"], type=move["type"], is_new_money=move["new"],
        earmarking=move["earmarking"], is_donor_anonymous=move["anonymous"],
        contribution_type="in_kind" if move["goods"] else "financial", valuation_basis="market" if move["goods"] else "",
        source_plan=plan if move["out_of_plan"] else None,
    )  # fmt: skip
    make_line(flow, plan, country=move["place"], sector=move["split"], year=move["year"])
    return flow


def computed(plan, year=2026):
    rollups.recompute(plan.pk, year)
    return rollups.read(plan.pk, year, LEVELS.values())


def total(plan):
    rollups.recompute(plan.pk, 2026)
    return rollups.total(plan.pk, 2026)


def as_oracle_writes(rows, level):
    names = {
        "place": "place",
        "country": "country_id",
        "split": "split",
        "sector": "sector_id",
        "partner": "partner_id",
        "donor": "donor_id",
    }
    table = {}
    for row in rows:
        values = {measure: getattr(row, measure) for measure in MEASURES if getattr(row, measure)}
        if values:
            table[tuple(getattr(row, names[key]) for key in oracle.LEVELS[level])] = values
    return table


@pytest.mark.requirement("BR-02", "BR-06", "BR-08", "BR-09", "BR-10", "BR-13", "BR-14", "I16", "I17", "I24")
@quick
@given(needs=needs, moves=moves)
def test_the_ledger_agrees_with_the_rules_written_in_plain_python(stage, needs, moves):
    def check(plan):
        for year in (2026, 2027):
            rows, expected = computed(plan, year), oracle.figures(plan, year)
            for level in oracle.LEVELS:
                assert as_oracle_writes(rows[level], level) == expected[level], level

    play(stage, needs, moves, check)


@pytest.mark.requirement("BR-21")
@quick
@given(needs=needs, moves=moves)
def test_the_identity_holds_for_every_table(stage, needs, moves):
    def check(plan):
        rows = computed(plan)
        gaps = {
            rollups.identity(rows[level]).net_gap
            for level in ("country", "sector", "partner", "country_sector", "cell")
        }
        assert len(gaps) == 1
        assert all(rollups.identity(rows[level]).holds for level in ("country", "sector", "country_sector", "cell"))

    play(stage, needs, moves, check)


@pytest.mark.requirement("BR-21", "BR-08")
@quick
@given(needs=needs, moves=moves)
def test_every_table_adds_up_to_the_plan(stage, needs, moves):
    def check(plan):
        rows = computed(plan)
        for level in (
            "country",
            "sector",
            "partner",
            "donor",
            "country_sector",
            "country_partner",
            "country_donor",
            "cell",
        ):
            assert sum(row.funded for row in rows[level]) == sum(row.funded for row in rows["total"]), level

    play(stage, needs, moves, check)


@pytest.mark.requirement("BR-08", "I17")
@quick
@given(needs=needs, moves=moves, amount=amounts, place=st.sampled_from(PLACES), split=st.sampled_from(SPLITS))
def test_money_passed_between_partners_never_changes_the_plan(stage, needs, moves, amount, place, split):
    def check(plan):
        before = total(plan)
        flow = make_flow(stage.partners[0], stage.partners[1], amount, type="pass_through", source_plan=plan)
        make_line(flow, plan, country=place, sector=split)
        after = total(plan)
        assert (after.funded, after.paid, after.required) == (before.funded, before.paid, before.required)

    play(stage, needs, moves, check)


@pytest.mark.requirement("BR-10")
@quick
@given(needs=needs, moves=moves, amount=amounts, share=st.integers(0, 100))
def test_splitting_a_flow_into_lines_never_changes_the_plan(stage, needs, moves, amount, share):
    def check(plan):
        flow = make_flow(stage.givers[5], stage.partners[2], amount)
        whole = make_line(flow, plan, country="XAA", sector="PROT")
        before = total(plan)
        part = (amount * share / 100).quantize(Decimal("0.01"))
        whole.amount_usd = amount - part
        whole.save()
        make_line(flow, plan, part, country="XBB", sector=None)
        assert total(plan).funded == before.funded

    play(stage, needs, moves, check)


@pytest.mark.requirement("BR-21")
@quick
@given(needs=needs, moves=moves, order=st.randoms(use_true_random=False))
def test_the_order_of_entry_changes_nothing(stage, needs, moves, order):
    results = []
    shuffled = list(moves)
    order.shuffle(shuffled)

    def check(plan):
        rows = computed(plan)
        names = {sector.pk: sector.name for sector in plan.sectors.all()}
        results.append(
            sorted(
                (
                    row.place,
                    row.country_id or "",
                    row.split,
                    names.get(row.sector_id, ""),
                    row.partner_id or 0,
                    row.funded,
                    row.required,
                )
                for row in rows["cell"]
                if row.has_money
            )  # fmt: skip
        )

    play(stage, needs, moves, check)
    play(stage, needs, shuffled, check)
    assert results[0] == results[1]


@pytest.mark.requirement("BR-22")
@quick
@given(needs=needs, moves=moves)
def test_reading_today_as_a_past_day_gives_the_same_figures(stage, needs, moves):
    def check(plan):
        today = computed(plan)
        with connection.cursor() as cursor:
            cursor.execute("SELECT (now() AT TIME ZONE 'UTC')::date")
            day = cursor.fetchone()[0]
        past = rollups.read(plan.pk, 2026, LEVELS.values(), as_of=day)
        for level in oracle.LEVELS:
            assert as_oracle_writes(past[level], level) == as_oracle_writes(today[level], level), level

    play(stage, needs, moves, check)


@pytest.mark.requirement("BR-22")
@quick
@given(needs=needs, moves=moves)
def test_the_rows_behind_a_figure_add_up_to_it(stage, needs, moves):
    def check(plan):
        rows = computed(plan)
        for row in rows["country_sector"]:
            cell = {"place": row.place, "split": row.split}
            cell |= {"country": row.country_id} if row.country_id else {}
            cell |= {"sector": row.sector_id} if row.sector_id else {}
            for measure in ("funded", "required", "pledged"):
                told = rollups.explain(plan.pk, 2026, measure, cell)
                assert told.total == getattr(row, measure)
                assert sum((part.amount for part in told.parts), Decimal(0)) == told.total

    play(stage, needs, moves, check)


@pytest.mark.requirement("BR-17")
@quick
@given(moves=moves, amount=amounts)
def test_reversing_a_whole_flow_leaves_what_was_there_before(stage, moves, amount):
    def check(plan):
        before = total(plan)
        flow = make_flow(stage.givers[5], stage.partners[2], amount)
        make_line(flow, plan, country="XAA", sector="PROT")
        back = make_flow(
            stage.givers[5], stage.partners[2], -amount, type="reversal", reason="withdrawn", corrects=flow
        )
        make_line(back, plan, country="XAA", sector="PROT")
        assert total(plan) == before

    play(stage, [], moves, check)


def test_no_mark_is_left_when_nothing_is_stale(stage):
    plan = make_plan()
    flow = make_flow(stage.givers[5], stage.partners[0], 100)
    make_line(flow, plan, country="XAA", sector="PROT")

    assert rollups.recompute_stale() >= 1
    assert rollups.oldest_stale_at() is None
    FlowLine.objects.filter(flow=flow).update(amount_usd=50)
    assert rollups.oldest_stale_at() is not None
