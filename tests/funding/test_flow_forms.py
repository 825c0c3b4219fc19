"""The tracker's forms: what they save, and how every guard speaks on the page."""

from datetime import date
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.urls import reverse

from funding import rollups
from funding.models import Flow
from funding.services import record_flow
from tests.factories import (
    grant,
    make_plan,
)
from tests.funding.tracked import World

pytestmark = pytest.mark.django_db


LIST = "/flows/"


@pytest.fixture
def world():
    return World()


@pytest.fixture
def tracker(client, world):
    client.force_login(world.tracker)
    return client


# The form


def new(tracker, data):
    return tracker.post(reverse("funding:flow-create"), data)


def test_a_tracker_records_a_flow_and_is_told_that_the_figures_follow(tracker, world):
    page = new(tracker, world.typed())

    flow = Flow.objects.latest("pk")
    assert page.status_code == 302
    assert (page["Location"], flow.amount_usd, flow.recipient, flow.type) == (
        flow.get_absolute_url(),
        Decimal("1000.50"),
        world.un,
        "standard",
    )
    shown = tracker.get(page["Location"]).content.decode()
    assert '<a href="/plans/RTST26/">' in shown
    assert "follow within seconds" in shown


def test_a_refused_form_answers_422_keeps_what_was_typed_and_says_the_sentence_of_the_service(tracker, world):
    page = new(tracker, world.typed({"year": "2026", "amount": "5000"}, donor="Nobody Known", description="for tents"))
    text = page.content.decode()

    assert page.status_code == 422
    assert "No organisation has the name" in text
    assert "for tents" in text
    assert 'value="5000"' in text
    page = new(tracker, world.typed({"amount": "5000"}, description="for tents"))
    with pytest.raises(ValidationError) as caught:
        record_flow(
            user=world.tracker, donor=world.donor, recipient=world.un, status="paid", original_amount=Decimal("1000.5"), currency="USD",
            decided_on=date(2026, 2, 20), lines=[{"plan": world.plan, "year": 2026, "amount": Decimal(5000)}],
        )  # fmt: skip
    assert page.status_code == 422
    assert caught.value.messages[0] in page.content.decode()


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"currency": "EUR"}, "There is no rate for EUR on"),
        ({"currency": "EUR", "units_per_usd": "0.9"}, "Say where this rate comes from"),
        ({"decided_on": "2999-01-01"}, "The decision date lies in the future"),
        ({"contribution_type": "in_kind"}, "Say how the contribution in kind was valued."),
        ({"original_amount": "-5"}, "A negative amount is a reversal"),
        ({"original_amount": "lots"}, "Give an amount in figures"),
        ({"donor": "UN-A", "recipient": "UN-A"}, "the same organisation"),
        ({"type": "parked"}, "A parked flow is not counted"),
        ({"parent": "999999"}, "There is no such flow"),
        ({"donor": ""}, "Name the donor."),
        ({"reference": "a-1"}, "This flow may already be recorded"),
        ({"lines-TOTAL_FORMS": "x"}, "ManagementForm data is missing"),
    ],
)
def test_each_guard_speaks_on_the_page(tracker, world, fields, sentence):
    page = new(tracker, world.typed(**fields))

    assert page.status_code == 422
    assert sentence in page.content.decode()
    assert Flow.objects.count() == 2


@pytest.mark.parametrize(
    "line",
    [{"year": "1999"}, {"where": "XZZ"}, {"sector": "0"}, {"plan": "NOPE"}, {"amount": "lots"}, {"named_years": "x"}],
)
def test_a_line_that_cannot_be_read_is_refused_beside_its_field(tracker, world, line):
    page = new(tracker, world.typed(line))

    assert page.status_code == 422
    assert set(page.context["lines"].forms[0].errors) == set(line)


@pytest.mark.requirement("BR-08", "I17")
def test_money_from_a_partner_is_confirmed_as_passed_on_and_the_plan_stays_as_it_is(tracker, world):
    typed = world.typed(donor="UN-A", recipient="RLO-E", original_amount="150000", parent=str(world.flow.pk))

    asked = new(tracker, typed)
    assert asked.status_code == 422
    assert "UN-A is a partner of this plan: this is money passed on inside the plan;" in asked.content.decode()
    assert "confirm_pass_through" in asked.content.decode()
    assert [flow.pk for flow in asked.context["parents"]] == [world.flow.pk]
    assert Flow.objects.count() == 2
    assert new(tracker, typed | {"confirm_pass_through": "on"}).status_code == 302

    assert Flow.objects.latest("pk").type == "pass_through"
    rollups.recompute_stale()
    assert rollups.total(world.plan.pk, 2026).funded == 3_000_000


@pytest.mark.requirement("BR-08", "I17")
def test_raw_sql_that_calls_a_partners_money_incoming_does_not_raise_the_plan_either(world):
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO funding_flow (status, type, contribution_type, method, is_new_money, earmarking, earmarking_modality,
                   amount_usd, rate_source, valuation_basis, description, reference, donor_id, recipient_id, is_donor_anonymous,
                   source_place, source_split, reason, keywords, emergencies, project_name, project_code, report_details, channel)
               VALUES ('paid', 'standard', 'financial', 'traditional', true, '', '',
                   150000, '', '', '', '', %s, %s, false,
                   '', '', '', '{}', '{}', '', '', '[]', 'form') RETURNING id""",
            [world.un.pk, world.local.pk],
        )
        cursor.execute(
            """INSERT INTO funding_flowline (flow_id, amount_usd, plan_id, year, place, split, named_years, named_countries, named_sectors)
               VALUES (%s, 150000, %s, 2026, 'not_specified', 'not_specified', '{}', '{}', '{}')""",
            [cursor.fetchone()[0], world.plan.pk],
        )
    rollups.recompute_stale()

    assert rollups.total(world.plan.pk, 2026).funded == 3_000_000


@pytest.mark.requirement("BR-06", "I16")
def test_a_pledge_adds_nothing_by_form_nor_by_raw_sql(tracker, world):
    new(tracker, world.typed(status="pledge"))
    with connection.cursor() as cursor:
        cursor.execute("UPDATE funding_flow SET status = 'pledge' WHERE id = %s", [world.flow.pk])
    rollups.recompute_stale()

    row = rollups.total(world.plan.pk, 2026)
    assert (row.funded, row.pledged) == (0, Decimal("3001000.50"))


@pytest.mark.requirement("BR-25")
def test_a_suspected_twin_is_linked_and_accepted_with_a_reason(tracker, world):
    typed = world.typed(reference="A-1")

    asked = new(tracker, typed)
    assert asked.status_code == 422
    assert f'href="/flows/{world.flow.pk}/"' in asked.content.decode()
    assert new(tracker, typed | {"confirm_twin": "on"}).status_code == 422
    assert new(tracker, typed | {"confirm_twin": "on", "reason": "Second instalment."}).status_code == 302


def test_a_line_is_added_without_javascript_and_nothing_typed_is_lost(tracker, world):
    page = new(
        tracker,
        world.typed({"amount": "400"}, {"amount": "xx"}, add_line="1", description="half typed", original_amount="?"),
    )
    text = page.content.decode()

    assert page.status_code == 200
    assert 'name="lines-TOTAL_FORMS" value="3"' in text
    assert ("half typed" in text, 'value="?"' in text, 'value="xx"' in text) == (True, True, True)
    assert Flow.objects.count() == 2
    assert page.context["form"].errors == {}


def test_a_line_marked_for_removal_is_left_out(tracker, world):
    assert new(tracker, world.typed({"amount": "400"}, {"amount": "600.50", "DELETE": "on"})).status_code == 302

    assert [line.amount_usd for line in Flow.objects.latest("pk").lines.all()] == [400]


def test_the_form_of_a_stored_flow_saves_it_unchanged(tracker, world):
    world.line.named_countries, world.line.place, world.line.country = ["XAA", "XBB"], "shared", None
    world.line.save()
    address = reverse("funding:flow-edit", args=[world.flow.pk])
    page = tracker.get(address)
    data = {"plans": ["RTST26"]}
    for form in (page.context["form"], page.context["lines"].management_form, *page.context["lines"]):
        for field in form:
            value = field.value()
            if value not in (None, False, "") and field.name != "DELETE":
                data[field.html_name] = "on" if value is True else str(value)

    saved = tracker.post(address, data)

    assert saved.status_code == 302, saved.context["form"].errors
    fresh = Flow.objects.get(pk=world.flow.pk)
    same = [
        field.attname
        for field in Flow._meta.concrete_fields
        if field.attname not in {"rate_on", "first_reported_on", "units_per_usd"}
    ]
    assert [getattr(fresh, name) for name in same] == [getattr(world.flow, name) for name in same]
    line = fresh.lines.get()
    assert (line.pk, line.named_countries, line.recorded_at) == (world.line.pk, ["XAA", "XBB"], line.recorded_at)


def test_a_stale_save_shows_both_and_the_next_one_wins_knowingly(tracker, world):
    address = reverse("funding:flow-edit", args=[world.flow.pk])
    version = tracker.get(address).context["form"].initial["version"]
    Flow.objects.filter(pk=world.flow.pk).update(description="theirs")
    typed = world.typed(
        description="mine", reference="A-1", original_amount="3000000", decided_on="2026-02-12", version=version
    )

    page = tracker.post(address, typed)
    text = page.content.decode()
    assert page.status_code == 422
    assert "Somebody changed this flow while you were writing." in text
    assert ("theirs" in text, "mine" in text) == (True, True)
    world.flow.refresh_from_db()
    assert world.flow.description == "theirs"

    again = tracker.post(address, typed | {"version": page.context["form"]["version"].value()})
    assert again.status_code == 302
    world.flow.refresh_from_db()
    assert world.flow.description == "mine"


def test_a_tracker_cannot_move_a_flow_out_of_reach(tracker, world):
    mine = make_plan("RMINE26", year=2026)
    grant(world.tracker, "funding_tracker", "plan", plan=mine)
    address = reverse("funding:flow-edit", args=[world.flow.pk])

    assert (
        tracker.post(address, world.typed(plans=["RTST26", "RMINE26"], reference="A-1", description="x")).status_code
        == 302
    )
    world.tracker.grants.filter(plan=mine).delete()
    assert tracker.post(address, world.typed(plans=["RTST26", "RMINE26"])).status_code == 403


@pytest.mark.requirement("BR-17")
def test_a_reversal_is_recorded_by_form_and_never_more_than_is_left(tracker, world):
    address = reverse("funding:flow-reverse", args=[world.flow.pk])
    typed = {"amount": "3 000 001", "decided_on": "2026-03-01", "reason": "part withdrawn"}

    refused = tracker.post(address, typed)
    assert refused.status_code == 422
    assert "are left of this flow" in refused.content.decode()
    assert tracker.post(address, typed | {"amount": "1 000 000", "reason": ""}).status_code == 422
    assert tracker.post(address, typed | {"amount": "1 000 000"}).status_code == 302
    rollups.recompute_stale()
    assert rollups.total(world.plan.pk, 2026).funded == 2_000_000
    page = tracker.get(world.flow.get_absolute_url())
    assert [flow.amount_usd for flow in page.context["corrections"]] == [-1_000_000]


@pytest.mark.requirement("BR-17")
def test_a_reversal_of_a_flow_with_a_part_not_allocated_asks_from_which_lines(tracker, world):
    world.flow.lines.update(amount_usd=1_000_000)
    address = reverse("funding:flow-reverse", args=[world.flow.pk])
    typed = {"amount": "500000", "decided_on": "2026-03-01", "reason": "part withdrawn"}

    assert f"line_{world.line.pk}" in tracker.get(address).content.decode()
    assert tracker.post(address, typed | {f"line_{world.line.pk}": "200000"}).status_code == 302
    rollups.recompute_stale()
    assert rollups.total(world.plan.pk, 2026).funded == 800_000
