"""Recording flows: every guard, through the service that pages, API and jobs call."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from funding import rollups
from funding.models import BoundaryException, Flow
from funding.services import notes_on
from rrp_portal.reference.models import ExchangeRate
from tests.factories import (
    make_currency,
    make_plan,
)
from tests.funding.recorded import DECIDED, World, codes, refused

pytestmark = pytest.mark.django_db


@pytest.fixture
def world():
    return World()


def test_a_flow_of_dollars_is_recorded_with_its_line(world):
    flow = world.record()

    assert (flow.amount_usd, flow.type, flow.channel, flow.is_new_money) == (1000, "standard", "form", True)
    assert flow.lines.get().amount_usd == 1000
    assert world.total().funded == 1000
    assert notes_on(flow) == []


@pytest.mark.requirement("BR-01", "BR-16")
def test_dollars_are_the_amount_divided_by_the_rate_of_the_decision_date_rounded_half_up(world):
    ExchangeRate.objects.create(
        currency=world.eur,
        units_per_usd=Decimal("0.8"),
        starts_on=date(2026, 1, 1),
        ends_on=date(2026, 1, 31),
        source="UN",
    )
    ExchangeRate.objects.create(
        currency=world.eur, units_per_usd=Decimal("0.9"), starts_on=date(2026, 2, 1), source="UN"
    )

    flow = world.record(original_amount=Decimal("1800000.00"), currency=world.eur)
    odd = world.record(
        original_amount=Decimal("0.01"), currency=make_currency("XTS"), units_per_usd=Decimal(2), rate_source="the bank"
    )

    assert (flow.amount_usd, flow.units_per_usd, flow.rate_source, flow.rate_on) == (
        2_000_000,
        Decimal("0.9"),
        "UN",
        date(2026, 2, 1),
    )
    assert odd.amount_usd == Decimal("0.01")  # 0.005 rounds up, and Python's own rounding would give 0.00


@pytest.mark.requirement("BR-16")
def test_a_currency_without_a_rate_is_refused_and_never_taken_one_to_one(world):
    errors = refused(lambda: world.record(currency=world.eur))

    assert codes(errors) == {("units_per_usd", "no_rate")}
    assert "There is no rate for EUR" in str(errors["units_per_usd"][0].messages)
    assert not Flow.objects.exists()


@pytest.mark.requirement("BR-16")
def test_a_typed_rate_needs_its_source(world):
    errors = refused(lambda: world.record(currency=world.eur, units_per_usd=Decimal("0.9")))

    assert codes(errors) == {("rate_source", "required")}
    flow = world.record(
        currency=world.eur, units_per_usd=Decimal("0.8"), rate_source="Donor's bank", original_amount=Decimal(40_000)
    )
    assert (flow.amount_usd, flow.rate_on) == (50_000, DECIDED)


@pytest.mark.requirement("BR-16")
def test_frozen_dollars_stay_when_a_rate_is_corrected_later(world):
    rate = ExchangeRate.objects.create(
        currency=world.eur, units_per_usd=Decimal("0.9"), starts_on=date(2026, 1, 1), source="UN"
    )
    flow = world.record(original_amount=Decimal(900), currency=world.eur)
    rate.units_per_usd = Decimal("0.5")
    rate.save()

    assert world.change(flow, description="for tents").amount_usd == 1000
    assert world.change(flow, original_amount=Decimal(1800)).amount_usd == 2000
    assert world.change(flow, units_per_usd=None, rate_source="").amount_usd == 3600


def test_another_currency_does_not_keep_the_rate_of_the_one_before(world):
    ExchangeRate.objects.create(
        currency=world.eur, units_per_usd=Decimal("0.8"), starts_on=date(2026, 1, 1), source="UN"
    )
    flow = world.record()

    changed = world.change(flow, currency=world.eur, units_per_usd=flow.units_per_usd, rate_source="")

    assert (changed.amount_usd, changed.units_per_usd) == (1250, Decimal("0.8"))


def test_lines_in_the_currency_of_the_flow_add_up_to_the_cent(world):
    three = [
        world.line(amount=Decimal("33.33")),
        world.line(amount=Decimal("33.33"), country=None),
        world.line(amount=Decimal("33.34"), sector=None),
    ]

    flow = world.record(
        *three, original_amount=Decimal(100), currency=world.eur, units_per_usd=Decimal("0.7"), rate_source="UN"
    )

    # 100 / 0.7 = 142.857… = 142.86
    assert flow.amount_usd == Decimal("142.86")
    assert sum(line.amount_usd for line in flow.lines.all()) == Decimal("142.86")


def test_one_line_without_an_amount_takes_what_is_left_and_a_second_is_refused(world):
    flow = world.record(world.line(amount=Decimal(400)), world.line(sector=world.education))

    assert sorted(line.amount_usd for line in flow.lines.all()) == [400, 600]
    errors = refused(lambda: world.record(world.line(), world.line(sector=world.education), reference="other"))
    assert codes(errors) == {("lines-1-amount", "required")}


def test_what_no_line_names_is_not_yet_allocated_and_the_flow_says_so(world):
    flow = world.record(world.line(amount=Decimal(400)))

    assert notes_on(flow) == ["600 US dollars are not yet allocated to a plan and count nowhere until a line says so."]
    assert world.total().funded == 400


@pytest.mark.requirement("BR-10")
def test_lines_that_add_up_to_more_than_their_flow_are_refused(world):
    errors = refused(
        lambda: world.record(world.line(amount=Decimal(600)), world.line(amount=Decimal(600), sector=None))
    )

    assert codes(errors) == {("__all__", "lines_within_flow")}
    assert not Flow.objects.exists()


@pytest.mark.requirement("BR-08", "I17")
def test_money_from_a_partner_of_the_plan_becomes_a_pass_through_and_does_not_count_again(world):
    parent = world.record(original_amount=Decimal(3_000_000))

    flow = world.record(donor=world.un, recipient=world.local, original_amount=Decimal(150_000), parent=parent)

    assert (flow.type, flow.is_new_money, flow.source_plan, flow.source_year) == (
        "pass_through",
        False,
        world.plan,
        2026,
    )
    assert (flow.source_place, flow.source_country_id, flow.source_split, flow.source_sector) == (
        "country",
        "XAA",
        "single",
        world.protection,
    )
    assert notes_on(flow)[0].startswith("UN-A is a partner of this plan: this is money passed on inside the plan;")
    assert world.total().funded == 3_000_000
    partners = {row.partner_id: row.funded for row in rollups.read(world.plan.pk, 2026, ["partner"])["partner"]}
    assert partners == {world.un.pk: 2_850_000, world.local.pk: 150_000}


@pytest.mark.requirement("BR-08")
def test_a_pass_through_is_confirmed_before_it_is_saved_where_a_person_can_be_asked(world):
    errors = refused(lambda: world.record(donor=world.un, recipient=world.local, confirmed=()))

    assert codes(errors) == {("donor", "pass_through")}
    assert world.record(donor=world.un, recipient=world.local, confirmed=("pass_through",)).type == "pass_through"
    assert world.record(
        donor=world.un,
        recipient=world.local,
        type="pass_through",
        confirmed=(),
        reference="2",
        original_amount=Decimal(7),
    )


@pytest.mark.requirement("BR-09")
def test_an_organisation_that_the_plan_counts_as_outside_is_no_partner_passing_money_on(world):
    BoundaryException.objects.create(plan=world.plan, organisation=world.un, reason="houses a pooled fund")

    flow = world.record(donor=world.un, recipient=world.local)

    assert flow.type == "standard"
    assert world.total().funded == 1000
    errors = refused(lambda: world.record(donor=world.un, recipient=world.local, type="pass_through", reference="x"))
    assert ("type", "invalid") in codes(errors)


@pytest.mark.requirement("BR-08")
def test_changing_the_donor_to_an_outside_one_makes_the_money_count_again(world):
    flow = world.record(donor=world.un, recipient=world.local)

    changed = world.change(flow, donor=world.donor, type="standard", is_new_money=True)

    assert (changed.type, changed.source_plan, changed.source_year) == ("standard", None, None)
    assert world.total().funded == 1000


@pytest.mark.requirement("BR-08")
def test_a_donor_who_is_a_partner_in_one_of_two_plans_is_told_to_record_two_flows(world):
    other = make_plan("ROTH26")
    errors = refused(
        lambda: world.record(
            world.line(amount=Decimal(500)),
            {"plan": other, "year": 2026, "amount": Decimal(500)},
            donor=world.un,
            recipient=world.local,
        )
    )

    assert codes(errors) == {("donor", "several_boundaries")}


@pytest.mark.requirement("BR-11")
def test_unearmarked_income_is_allocated_by_the_agency_to_itself_and_is_not_new(world):
    flow = world.record(donor=world.un, recipient=world.un, type="unearmarked_allocation")

    assert (flow.is_new_money, world.total().funded) == (False, 1000)
    errors = refused(
        lambda: world.record(donor=world.un, recipient=world.local, type="unearmarked_allocation", reference="2")
    )
    assert "type" in errors


@pytest.mark.requirement("BR-12")
def test_money_for_several_years_without_a_split_is_parked_and_counts_nothing(world):
    world.plan.ends_on = date(2028, 12, 31)
    world.plan.save()
    flow = world.record(world.line(year=None, named_years=[2026, 2027, 2028]), original_amount=Decimal(9_000_000))

    assert flow.type == "parked"
    assert [world.total(year).funded for year in (2026, 2027, 2028)] == [0, 0, 0]
    assert "not yet split" in notes_on(flow)[0]

    split = world.change(flow, lines=[world.line(year=year, amount=Decimal(3_000_000)) for year in (2026, 2027, 2028)])
    assert split.type == "standard"
    assert [world.total(year).funded for year in (2026, 2027, 2028)] == [3_000_000] * 3

    phased = zip((2026, 2027, 2028), (2, 4, 3), strict=True)
    world.change(flow, lines=[world.line(year=year, amount=Decimal(share * 1_000_000)) for year, share in phased])
    assert [world.total(year).funded for year in (2026, 2027, 2028)] == [2_000_000, 4_000_000, 3_000_000]


@pytest.mark.requirement("BR-12")
def test_a_parked_flow_names_no_single_year(world):
    assert codes(refused(lambda: world.record(type="parked"))) == {("type", "parked")}


@pytest.mark.requirement("BR-13")
def test_a_carry_over_is_no_new_money_and_there_is_one_per_cell(world):
    flow = world.record(donor=world.un, recipient=world.un, type="carry_over")

    row = world.total()
    assert (flow.is_new_money, row.funded, row.carry_over, row.new_money) == (False, 1000, 1000, 0)
    again = refused(
        lambda: world.record(
            donor=world.un, recipient=world.un, type="carry_over", original_amount=Decimal(5), reference="b"
        )
    )
    assert codes(again) == {("type", "second_carry_over")}
    assert world.record(
        world.line(sector=world.education),
        donor=world.un,
        recipient=world.un,
        type="carry_over",
        original_amount=Decimal(5),
    )


@pytest.mark.requirement("BR-08", "BR-13")
def test_calling_it_a_carry_over_does_not_make_a_partners_money_count(world):
    flow = world.record(donor=world.un, recipient=world.local, type="carry_over")

    assert flow.type == "pass_through"
    assert world.total().funded == 0


@pytest.mark.requirement("BR-14")
def test_a_contribution_in_kind_says_how_it_was_valued(world):
    errors = refused(lambda: world.record(contribution_type="in_kind"))

    assert errors["valuation_basis"][0].messages == ["Say how the contribution in kind was valued."]
    world.record(contribution_type="in_kind", valuation_basis="market price")
    assert world.total().in_kind == 1000


@pytest.mark.requirement("BR-06", "I16")
def test_one_record_goes_from_pledge_to_commitment_to_paid(world):
    flow = world.record(status="pledge", decided_on=None)
    assert (world.total().funded, world.total().pledged) == (0, 1000)

    errors = refused(lambda: world.change(flow, status="commitment"))
    assert codes(errors) == {("decided_on", "required")}
    world.change(flow, status="commitment", decided_on=DECIDED)
    assert (world.total().committed, world.total().pledged) == (1000, 0)
    world.change(flow, status="paid")
    assert (world.total().paid, Flow.objects.count()) == (1000, 1)


@pytest.mark.requirement("BR-06")
@pytest.mark.parametrize(
    ("before", "after"),
    [("paid", "commitment"), ("paid", "pledge"), ("commitment", "cancelled"), ("cancelled", "paid")],
)
def test_going_back_needs_a_reason(world, before, after):
    flow = world.record(status=before)

    assert codes(refused(lambda: world.change(flow, status=after))) == {("reason", "reason_required")}
    assert world.change(flow, status=after, reason="The bank returned it.").status == after


@pytest.mark.parametrize("field", ["donor", "recipient", "decided_on"])
def test_money_that_counts_names_who_gave_who_received_and_when(world, field):
    assert (field, "required") in codes(refused(lambda: world.record(**{field: None})))
    assert world.record(**{field: None}, status="pledge")


def test_a_decision_lies_not_in_the_future(world):
    tomorrow = timezone.localdate() + timedelta(1)

    assert codes(refused(lambda: world.record(decided_on=tomorrow))) == {("decided_on", "future")}


def test_the_usage_year_lies_within_the_plan(world):
    errors = refused(lambda: world.record(world.line(year=2027)))

    assert codes(errors) == {("lines-0-year", "outside_period")}
    assert "runs from 2026 to 2026" in errors["lines-0-year"][0].messages[0]


def test_donor_and_recipient_are_two_organisations(world):
    errors = refused(lambda: world.record(donor=world.donor, recipient=world.donor))

    assert errors["recipient"][0].messages == [
        "The donor and the recipient are the same organisation. Only a carry-over may be."
    ]


def test_a_sector_of_another_plan_is_refused(world):
    errors = refused(lambda: world.record(world.line(sector=make_plan().sectors.get())))

    assert errors["lines-0-sector"][0].messages == ["The sector must belong to the same plan as the line."]


def test_a_flow_names_a_plan(world):
    assert "__all__" in refused(lambda: world.record({"amount": Decimal(10)}))


def test_a_parent_went_to_the_donor_and_is_no_part_of_its_own_child(world):
    parent = world.record()
    child = world.record(donor=world.un, recipient=world.local, parent=parent)

    assert codes(refused(lambda: world.record(parent=parent, reference="b", original_amount=Decimal(1)))) == {
        ("parent", "other_recipient")
    }
    assert ("parent", "circle") in codes(refused(lambda: world.change(parent, parent=child)))
