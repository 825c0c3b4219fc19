"""The pages of flows: who sees what, what is shown, and what the tracker's form does with every guard."""

from datetime import date
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from funding import rollups
from funding.models import Flow
from funding.services import record_flow
from tests.factories import (
    grant,
    make_currency,
    make_flow,
    make_line,
    make_organisation,
    make_plan,
    make_user,
    make_version,
)

pytestmark = pytest.mark.django_db

LIST = "/flows/"


class World:
    """A published plan with partner and donor, a draft plan, and a tracker of the first."""

    def __init__(self):
        self.plan = make_plan("RTST26", countries=("XAA", "XBB"), sectors=("PROT", "EDUC"))
        self.un, self.local = make_organisation("UN-A"), make_organisation("RLO-E", "rlo")
        self.donor = make_organisation("Gov X", "gov_donor")
        make_version(
            self.plan,
            [("XAA", "PROT", self.un, 4_000_000), ("XAA", "PROT", self.local, 200_000)],
            approved_on=date(2026, 1, 5),
        )
        self.draft = make_plan("RDRAFT26", published=False)
        make_currency("USD"), make_currency("EUR")
        self.tracker = make_user("tracker@example.org", name="Tracy Tracker")
        grant(self.tracker, "funding_tracker", "plan", plan=self.plan)
        self.flow = make_flow(self.donor, self.un, 3_000_000, flow_on=date(2026, 2, 12), decided_on=date(2026, 2, 12), currency_id="USD",
                              original_amount=Decimal(3_000_000), units_per_usd=1, reference="A-1")  # fmt: skip
        self.line = make_line(self.flow, self.plan, country="XAA", sector="PROT")
        self.hidden = make_flow(self.donor, self.un, 5)
        make_line(self.hidden, self.draft)

    def typed(self, *lines, **fields):
        """What the browser sends for a flow."""
        lines = lines or ({},)
        data = {
            "plans": [self.plan.code],
            "donor": "Gov X",
            "recipient": "un-a",
            "original_amount": "1 000,50",
            "currency": "USD",
            "status": "paid",
            "decided_on": "2026-02-20",
            "contribution_type": "financial",
            "method": "traditional",
            "is_new_money": "on",
            "lines_in": "original",
            "lines-TOTAL_FORMS": str(len(lines)),
            "lines-INITIAL_FORMS": "0",
        } | fields
        for index, line in enumerate(lines):
            sector = str(self.plan.sectors.get(name="PROT").pk)
            line = {"plan": self.plan.code, "year": "2026", "where": "XAA", "sector": sector, "amount": ""} | line
            data |= {f"lines-{index}-{name}": value for name, value in line.items()}
        return data


@pytest.fixture
def world():
    return World()


@pytest.fixture
def tracker(client, world):
    client.force_login(world.tracker)
    return client


def queries(call):
    with CaptureQueriesContext(
        connection,
    ) as captured:
        answer = call()
        if answer.streaming:
            b"".join(answer.streaming_content)
    return len(captured)


# Who sees what


def test_a_visitor_reads_flows_of_published_plans_and_not_those_of_drafts(client, world):
    page = client.get(LIST)

    assert page.status_code == 200
    assert [flow.pk for flow in page.context["page"]] == [world.flow.pk]
    assert client.get(world.flow.get_absolute_url()).status_code == 200
    assert client.get(world.hidden.get_absolute_url()).status_code == 404


@pytest.mark.parametrize("name", ["flow-edit", "flow-reverse"])
def test_who_may_read_but_not_edit_is_refused_and_who_may_not_read_finds_nothing(client, world, name):
    address, hidden = (
        reverse(f"funding:{name}", args=[world.flow.pk]),
        reverse(f"funding:{name}", args=[world.hidden.pk]),
    )
    assert client.get(address).status_code == 302  # to the sign-in page

    stranger = make_user()
    client.force_login(stranger)
    assert [client.get(address).status_code, client.get(hidden).status_code] == [403, 404]
    client.force_login(world.tracker)
    assert [client.get(address).status_code, client.get(hidden).status_code] == [200, 404]


def test_a_tracker_records_only_for_the_plans_that_are_tracked(tracker, world, client):
    other = make_plan("ROTH26")
    new = reverse("funding:flow-create")

    assert tracker.get(new).status_code == 200
    assert tracker.get(new, {"plan": "RTST26"}).status_code == 200
    assert tracker.get(new, {"plan": other.code}).status_code == 403
    assert tracker.get(new, {"plan": "RDRAFT26"}).status_code == 404
    assert tracker.get(new, {"plan": "NOPE"}).status_code == 404
    assert tracker.post(new, world.typed(plans=["RTST26", other.code])).status_code == 403
    client.force_login(make_user())
    assert client.get(new).status_code == 403
    assert Flow.objects.count() == 2


def test_a_flow_of_fts_is_not_edited_here_and_the_page_says_what_to_do(tracker, world):
    Flow.objects.filter(pk=world.flow.pk).update(channel="fts", fts_id=9)

    page = tracker.get(reverse("funding:flow-edit", args=[world.flow.pk]))

    assert page.status_code == 403
    assert "Ask FTS to correct it" in page.content.decode()


# An anonymous donor


def test_an_anonymous_donor_is_named_nowhere_to_those_who_do_not_keep_the_flow(client, world):
    Flow.objects.filter(pk=world.flow.pk).update(is_donor_anonymous=True)
    address = world.flow.get_absolute_url()
    csv = b"".join(client.get("/flows/flows.csv").streaming_content).decode()

    for text in (client.get(LIST).content.decode(), client.get(address).content.decode(), csv):
        assert "Gov X" not in text
        assert "Not specified" in text
    for search in ({"donor": "Gov X"}, {"donor": str(world.donor.pk)}, {"search": "Gov X"}):
        assert not client.get(LIST, search).context["page"].object_list

    client.force_login(world.tracker)
    assert "Gov X (anonymous to others)" in client.get(address).content.decode()
    assert client.get(LIST, {"donor": "Gov X"}).context["page"].object_list


@pytest.mark.requirement("I23")
def test_names_of_people_and_of_draft_plans_stay_out_of_the_public_history(client, world):
    world.line.plan, world.line.sector, world.line.split = world.draft, None, "not_specified"
    world.line.save()
    world.line.plan = world.plan
    world.line.save()
    record_flow(
        user=world.tracker, donor=world.donor, recipient=world.local, status="paid", original_amount=Decimal(7), currency="USD",
        decided_on=date(2026, 2, 2), lines=[{"plan": world.plan, "year": 2026}],
    )  # fmt: skip

    page = client.get(world.flow.get_absolute_url()).content.decode()
    assert "RDRAFT26" not in page
    assert "a plan that is not public" in page
    latest = client.get(Flow.objects.latest("pk").get_absolute_url())
    assert "Tracy Tracker" not in latest.content.decode()
    client.force_login(make_user())
    assert "Tracy Tracker" in client.get(Flow.objects.latest("pk").get_absolute_url()).content.decode()


# What is shown


def test_filters_of_lines_hold_for_one_and_the_same_line(client, world):
    other = make_plan("ROTH27", year=2027)
    make_line(
        Flow.objects.create(
            donor=world.donor, recipient=world.un, amount_usd=10, status="paid", flow_on=date(2026, 1, 1)
        ),
        other,
    )

    def found(**query):
        return len(client.get(LIST, query).context["page"].object_list)

    assert found(plan="RTST26", year=2026, country="XAA", sector="PROT") == 1
    assert found(plan="RTST26", year=2027) == 0
    assert found(plan="RTST26", country="XBB") == 0
    assert found(recipient="un-a") == 2
    assert found(status="pledge") == 0
    assert found(search="a-1") == 1


def test_a_filter_that_names_nothing_says_so_beside_the_field(client, world):
    page = client.get(LIST, {"plan": "NOPE", "year": "soon"})

    assert page.status_code == 422
    assert "There is no plan with this code." in page.content.decode()
    assert client.get("/flows/flows.csv", {"plan": "NOPE"}).status_code == 422


@pytest.mark.parametrize(
    "sort", ["date", "-date", "amount", "-amount", "donor", "-donor", "recipient", "-recipient", "status"]
)
def test_every_column_sorts(client, world, sort):
    assert client.get(LIST, {"sort": sort}).status_code == 200


def test_the_file_has_a_row_for_each_line_with_rate_and_its_source(client, world):
    Flow.objects.filter(pk=world.flow.pk).update(
        currency="EUR", original_amount=2_700_000, units_per_usd="0.9", rate_source="=UN", rate_on=date(2026, 2, 1)
    )
    rows = (
        b"".join(client.get("/flows/flows.csv", {"plan": "RTST26"}).streaming_content).decode("utf-8-sig").splitlines()
    )

    assert len(rows) == 2
    assert "2700000.00,EUR,0.9,'=UN,2026-02-01,3000000.00,RTST26,2026,country,XAA,single,PROT" in rows[1]


@pytest.mark.requirement("BR-10")
def test_the_page_says_line_by_line_what_counts_and_what_is_not_yet_allocated(client, world):
    world.flow.lines.update(amount_usd=1_000_000)
    pledge = make_flow(world.donor, world.un, 8, status="pledge")
    make_line(pledge, world.plan)

    page = client.get(world.flow.get_absolute_url())
    assert page.context["left"] == 2_000_000
    assert [line.counts for line in page.context["lines"]] == [True]
    assert "Not yet allocated" in page.content.decode()
    other = client.get(pledge.get_absolute_url())
    assert [line.counts for line in other.context["lines"]] == [False]
    assert "counts once it is committed or paid" in other.content.decode()


def test_a_flow_shows_its_family_and_every_version(client, world, tracker):
    child = make_flow(world.un, world.local, 10, type="pass_through", parent=world.flow)
    make_line(child, world.plan)
    Flow.objects.filter(pk=world.flow.pk).update(status="commitment")

    page = tracker.get(world.flow.get_absolute_url())

    assert [flow.pk for flow in page.context["children"]] == [child.pk]
    changes = [
        (change.name, change.before, change.after) for version in page.context["versions"] for change in version.changes
    ]
    assert ("status", "Paid", "Commitment") in changes
    assert tracker.get(child.get_absolute_url()).context["parent"] == world.flow


def test_lists_and_pages_ask_the_database_the_same_number_of_times_whatever_their_size(client, world):
    def measure():
        return [queries(lambda address=address: client.get(address)) for address in
                (LIST, "/flows/?plan=RTST26&year=2026&donor=gov", world.flow.get_absolute_url(), "/flows/flows.csv")]  # fmt: skip

    def add(count):
        for number in range(count):
            flow = make_flow(world.donor, world.un, 10, parent=world.flow, reference=f"n{number}")
            make_line(flow, world.plan, 4, country="XAA", sector="PROT")
            make_line(flow, world.plan, 6)
            make_line(world.flow, world.plan, 0)

    add(10)
    client.get(LIST)
    few = measure()
    add(50)
    assert measure() == few
    assert max(few[0], few[1]) <= 8
    assert few[2] <= 12


def test_the_list_is_paged_without_counting_the_table(client, world):
    for _number in range(60):
        make_line(make_flow(world.donor, world.un, 1), world.plan)
    with CaptureQueriesContext(connection) as captured:
        first, second = client.get(LIST).context["page"], client.get(LIST, {"page": 2}).context["page"]

    assert (len(first), first.has_next(), len(second), second.has_next()) == (50, True, 11, False)
    assert not any("COUNT(*)" in query["sql"] for query in captured)
    assert client.get(LIST, {"page": "²"}).status_code == 200


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
