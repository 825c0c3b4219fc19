"""What happens to recorded flows later: twins, reversals, changes, and who made them."""

from datetime import date, timedelta
from decimal import Decimal
from threading import Thread

import pytest
from django.core.exceptions import ValidationError
from django.db import connection, transaction

from funding.models import Flow
from funding.services import change_flow, flow_version, reverse_flow
from tests.factories import (
    make_flow,
    make_line,
    make_user,
)
from tests.funding.recorded import DECIDED, World, codes, refused

pytestmark = pytest.mark.django_db


@pytest.fixture
def world():
    return World()


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


@pytest.mark.requirement("BR-25")
@pytest.mark.django_db(transaction=True)
def test_of_two_people_who_enter_the_same_flow_at_once_the_second_is_shown_the_first():
    world, results = World(), []

    def enter():
        try:
            results.append(world.record().pk)
        except ValidationError as error:
            results.append(error.error_dict["__all__"][0].code)
        finally:
            connection.close()

    second = Thread(target=enter)
    with transaction.atomic():
        world.record()
        second.start()
        second.join(timeout=1)  # it waits for the first to commit, or it has not seen the first at all
    second.join()

    assert results == ["twin"]
    assert Flow.objects.count() == 1
