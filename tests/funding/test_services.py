"""Recording flows: every guard, through the service that pages, API and jobs call."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from funding import rollups
from funding.models import BoundaryException, Flow
from funding.services import Confirm, change_flow, flow_version, notes_on, record_flow, reverse_flow
from rrp_portal.reference.models import ExchangeRate
from tests.factories import (
    make_currency,
    make_flow,
    make_line,
    make_organisation,
    make_plan,
    make_user,
    make_version,
)

pytestmark = pytest.mark.django_db

DECIDED = date(2026, 2, 12)


class World:
    """One plan of 2026 in two countries with two partners, a donor, and a tracker."""

    def __init__(self):
        self.plan = make_plan("RTST26", countries=("XAA", "XBB"), sectors=("PROT", "EDUC"))
        self.un = make_organisation("UN-A")
        self.local = make_organisation("RLO-E", "rlo")
        self.donor = make_organisation("Gov X", "gov_donor")
        make_version(
            self.plan,
            [("XAA", "PROT", self.un, 4_000_000), ("XAA", "PROT", self.local, 200_000)],
            approved_on=date(2026, 1, 5),
        )
        self.usd, self.eur = make_currency("USD"), make_currency("EUR")
        self.user = make_user(is_superuser=True)
        self.protection = self.plan.sectors.get(name="PROT")
        self.education = self.plan.sectors.get(name="EDUC")

    def line(self, **values):
        return {
            "plan": self.plan,
            "year": 2026,
            "country": self.plan.chapters.get(country="XAA").country,
            "sector": self.protection,
        } | values

    def record(self, *lines, confirmed=(Confirm.PASS_THROUGH,), **data):
        data = {
            "donor": self.donor,
            "recipient": self.un,
            "status": "paid",
            "original_amount": Decimal(1000),
            "currency": self.usd,
            "decided_on": DECIDED,
        } | data
        return record_flow(user=self.user, lines=lines or [self.line()], confirmed=confirmed, **data)

    def change(self, flow, **data):
        return change_flow(flow, user=self.user, **data)

    def total(self, year=2026):
        rollups.recompute_stale()
        return rollups.total(self.plan.pk, year)


@pytest.fixture
def world():
    return World()


def refused(call):
    """The sentences of a refusal by field, and their codes."""
    with pytest.raises(ValidationError) as caught:
        call()
    return caught.value.error_dict


def codes(errors):
    return {(field, error.code) for field, found in errors.items() for error in found}


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


# Twins (BR-25)


@pytest.mark.requirement("BR-25")
@pytest.mark.parametrize(
    ("twin", "suspected"),
    [
        ({}, True),
        ({"decided_on": DECIDED - timedelta(30)}, True),
        ({"decided_on": DECIDED - timedelta(31)}, False),
        ({"original_amount": Decimal(999)}, False),
        ({"original_amount": Decimal(999), "reference": " a-1 "}, True),
        ({"reference": "A-1", "original_amount": Decimal(1), "decided_on": date(2025, 3, 1)}, True),
    ],
)
def test_a_flow_that_may_be_entered_already_is_shown_and_not_saved(world, twin, suspected):
    first = world.record(reference="A-1")
    if not suspected:
        assert world.record(**{"reference": "A-2"} | twin)
        return

    errors = refused(lambda: world.record(**twin))

    assert codes(errors) == {("__all__", "twin")}
    assert errors["__all__"][0].params == {"flows": [first.pk]}
    assert Flow.objects.count() == 1


@pytest.mark.requirement("BR-25")
def test_a_twin_is_accepted_when_somebody_confirms_with_a_reason(world):
    world.record()

    assert codes(refused(lambda: world.record(confirmed=("twin",)))) == {("reason", "reason_required")}
    flow = world.record(confirmed=("twin",), reason="Second instalment.")
    assert flow.reason == "Second instalment."
    assert world.change(flow, description="asks nothing again").pk == flow.pk


@pytest.mark.requirement("BR-25")
def test_a_cancelled_flow_and_a_flow_imported_from_fts_are_weighed_too(world):
    imported = make_flow(world.donor, world.un, 1000, flow_on=DECIDED, channel="fts", fts_id=7)
    make_line(imported, world.plan)
    assert refused(world.record)["__all__"][0].params == {"flows": [imported.pk]}

    Flow.objects.filter(pk=imported.pk).update(status="cancelled")
    assert world.record()


# Reversals (BR-17)


@pytest.mark.requirement("BR-17")
def test_a_reversal_is_negative_at_the_rate_of_its_flow_and_cites_it(world):
    flow = world.record(
        original_amount=Decimal(1_800_000),
        currency=world.eur,
        units_per_usd=Decimal("0.9"),
        rate_source="UN",
        status="commitment",
    )

    back = reverse_flow(flow, user=world.user, amount=Decimal(90_000), reason="part withdrawn")

    assert (back.amount_usd, back.original_amount, back.type, back.corrects, back.status) == (
        -100_000,
        -90_000,
        "reversal",
        flow,
        "commitment",
    )
    assert back.lines.get().amount_usd == -100_000
    assert world.total().funded == 1_900_000


@pytest.mark.requirement("BR-17")
def test_reversals_never_take_back_more_than_the_flow(world):
    flow = world.record(
        original_amount=Decimal(100), currency=world.eur, units_per_usd=Decimal(3), rate_source="UN"
    )  # 33.33 US dollars
    reverse_flow(flow, user=world.user, amount=Decimal(50), reason="half")  # 16.67

    errors = refused(lambda: reverse_flow(flow, user=world.user, amount=Decimal("50.01"), reason="more"))
    assert codes(errors) == {("amount", "chain_below_zero")}
    rest = reverse_flow(flow, user=world.user, amount=Decimal(50), reason="the rest")
    assert rest.amount_usd == Decimal("-16.66")
    assert world.total().funded == 0
    assert ("original_amount", "chain_below_zero") in codes(
        refused(lambda: world.change(flow, original_amount=Decimal(99), lines=[world.line()]))
    )


@pytest.mark.requirement("BR-17")
@pytest.mark.parametrize(("amount", "reason", "field"), [(0, "x", "amount"), (-5, "x", "amount"), (5, " ", "reason")])
def test_a_reversal_has_an_amount_and_a_reason(world, amount, reason, field):
    flow = world.record()

    assert field in refused(lambda: reverse_flow(flow, user=world.user, amount=Decimal(amount), reason=reason))


@pytest.mark.requirement("BR-17")
def test_a_negative_amount_is_recorded_as_a_reversal_only(world):
    assert ("original_amount", "negative") in codes(refused(lambda: world.record(original_amount=Decimal(-5))))
    assert ("type", "uncited") in codes(
        refused(lambda: world.record(original_amount=Decimal(-5), type="reversal", reason="x"))
    )


@pytest.mark.requirement("BR-17")
def test_a_flow_of_several_lines_is_told_from_which_the_money_was_taken_back(world):
    flow = world.record(world.line(amount=Decimal(400)), world.line(sector=world.education))

    assert "amount" in refused(lambda: reverse_flow(flow, user=world.user, amount=Decimal(100), reason="x"))
    back = reverse_flow(
        flow,
        user=world.user,
        amount=Decimal(100),
        reason="x",
        lines=[world.line(amount=Decimal(100), sector=world.education)],
    )
    assert (back.lines.get().sector, back.lines.get().amount_usd) == (world.education, -100)


@pytest.mark.requirement("BR-06", "BR-17")
def test_a_cancelled_flow_leaves_no_reversal_behind_that_counts(world):
    flow = world.record()
    reverse_flow(flow, user=world.user, amount=Decimal(400), reason="part withdrawn")

    world.change(flow, status="cancelled", reason="withdrawn as a whole")

    assert world.total().funded == 0


# Changing


def test_lines_swap_their_amounts_without_tripping_over_the_rule_of_the_database(world):
    flow = world.record(world.line(amount=Decimal(600)), world.line(amount=Decimal(400), sector=world.education))
    ids = {line.sector_id: line.pk for line in flow.lines.all()}

    world.change(flow, lines=[world.line(amount=Decimal(400)), world.line(amount=Decimal(600), sector=world.education)])
    assert {line.sector_id: line.pk for line in flow.lines.all()} == ids

    half = [world.line(amount=Decimal(200)), world.line(amount=Decimal(300), sector=world.education)]
    assert world.change(flow, original_amount=Decimal(500), lines=half).amount_usd == 500
    double = [world.line(amount=Decimal(1500)), world.line(amount=Decimal(500), sector=None)]
    assert world.change(flow, original_amount=Decimal(2000), lines=double).amount_usd == 2000
    assert sorted(line.amount_usd for line in flow.lines.all()) == [500, 1500]


def test_a_lower_amount_is_refused_while_its_lines_stay(world):
    flow = world.record()

    assert codes(refused(lambda: world.change(flow, original_amount=Decimal(10)))) == {("__all__", "lines_within_flow")}


def test_a_stale_save_is_refused_and_changes_nothing(world):
    flow = world.record()
    started_from = flow_version(flow)
    world.change(flow, description="theirs", version=started_from)

    errors = refused(lambda: world.change(flow, description="mine", version=started_from))

    assert codes(errors) == {("__all__", "stale")}
    flow.refresh_from_db()
    assert flow.description == "theirs"


def test_a_change_of_a_line_alone_makes_the_version_stale_too(world):
    flow = world.record()
    started_from = flow_version(flow)
    flow.lines.update(amount_usd=999)

    assert codes(refused(lambda: world.change(flow, description="mine", version=started_from))) == {
        ("__all__", "stale")
    }


def test_a_flow_of_fts_is_corrected_at_fts(world):
    flow = make_flow(world.donor, world.un, 1000, channel="fts", fts_id=7)
    make_line(flow, world.plan)

    assert codes(refused(lambda: world.change(flow, description="mine"))) == {("__all__", "kept_by_fts")}
    assert ("__all__", "kept_by_fts") in codes(
        refused(lambda: reverse_flow(flow, user=world.user, amount=Decimal(1), reason="x"))
    )


def test_the_history_says_who_recorded_and_who_changed(world):
    flow = world.record()
    other = make_user("other@example.org", is_superuser=True)
    change_flow(flow, user=other, description="changed")

    events = Flow.pgh_event_model.objects.filter(pgh_obj=flow.pk).order_by("pgh_id")
    assert [event.pgh_context.metadata["user"] for event in events] == [world.user.pk, other.pk]
