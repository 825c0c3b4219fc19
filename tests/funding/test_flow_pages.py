"""The pages of flows: who sees what, and what is shown."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from funding.models import Flow
from funding.services import record_flow
from tests.factories import (
    make_flow,
    make_line,
    make_plan,
    make_user,
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
