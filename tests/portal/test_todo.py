"""What waits for me: from one's own grants, with a link each, in a constant number of queries."""

from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from funding.models import Flow
from planning.models import PlanVersion
from rrp_portal.jobs.models import Job
from rrp_portal.reference.models import Invitation
from tests.factories import grant, make_flow, make_line, make_organisation, make_plan, make_user, make_version

pytestmark = pytest.mark.django_db

TODO = "/todo/"


def waiting(client, user):
    client.force_login(user)
    page = client.get(TODO)
    assert page.status_code == 200
    for item in page.context["items"]:
        assert client.get(item["href"]).status_code == 200, item
    return [item["title"] for item in page.context["items"]]


@pytest.fixture
def plan():
    return make_plan("RTST26")


@pytest.fixture
def tracker(plan):
    user = make_user()
    grant(user, "funding_tracker", "plan", plan=plan)
    return user


def twin_flows(plan, **fields):
    donor, recipient = make_organisation(), make_organisation()
    flows = [make_flow(donor, recipient, 1000, flow_on=date(2026, 2, day), **fields) for day in (1, 20)]
    for flow in flows:
        make_line(flow, plan)
    return flows


def test_a_visitor_signs_in_first(client):
    assert client.get(TODO).status_code == 302


def test_somebody_without_a_role_is_told_how_to_get_one(client):
    assert waiting(client, make_user()) == []

    text = client.get(TODO).content.decode()
    assert "Nothing waits for you." in text
    assert "Ask the coordinator of your plan" in text


def test_my_jobs_wait_for_me_and_those_of_others_do_not(client):
    me, other = make_user(), make_user()
    for owner, state in ((me, "running"), (me, "failed"), (me, "done"), (other, "failed")):
        Job.objects.create(kind="x", title=f"{state} import", owner=owner, state=state, finished_at=timezone.now())

    assert sorted(waiting(client, me)) == ["failed import", "running import"]


def test_an_invitation_that_expires_soon_shows_its_days(client, plan):
    me = make_user()
    grant(me, "refugee_coordinator", "plan", plan=plan)
    for days in (-2, 2, 9):
        Invitation.objects.create(
            email=f"p{days}@example.org", role="funding_tracker", scope="plan", plan=plan, invited_by=me,
            expires_at=timezone.now() + timedelta(days, hours=1),
        )  # fmt: skip

    assert waiting(client, me) == ["Invitation of p-2@example.org", "Invitation of p2@example.org"]
    assert [item["days"] for item in client.get(TODO).context["items"]] == [-2, 2]


@pytest.mark.requirement("BR-25")
def test_suspected_twins_wait_for_the_tracker_until_one_is_cancelled_or_a_reason_is_given(client, plan, tracker):
    first, second = twin_flows(plan)
    both = [f"Flow {flow.pk} may be recorded twice" for flow in (second, first)]
    assert sorted(waiting(client, tracker)) == sorted(both)
    stranger = make_user()
    grant(stranger, "funding_tracker", "plan", plan=make_plan())
    assert waiting(client, stranger) == []

    Flow.objects.filter(pk__in=[first.pk, second.pk]).update(reason="Two instalments.")
    assert waiting(client, tracker) == []
    Flow.objects.filter(pk__in=[first.pk, second.pk]).update(reason="")
    Flow.objects.filter(pk=second.pk).update(status="cancelled")
    assert waiting(client, tracker) == []


@pytest.mark.requirement("BR-25")
def test_a_flow_that_came_in_from_fts_afterwards_is_weighed_against_one_entered_by_hand(client, plan, tracker):
    first, second = twin_flows(plan)
    Flow.objects.filter(pk=second.pk).update(channel="fts", fts_id=9)

    assert waiting(client, tracker) == [f"Flow {first.pk} may be recorded twice"]


@pytest.mark.requirement("BR-12")
def test_money_not_yet_split_between_years_waits_for_the_tracker(client, plan, tracker):
    flow = make_flow(make_organisation(), make_organisation(), 9, type="parked")
    make_line(flow, plan, named_years=[2026, 2027])
    flow.lines.update(year=None)

    assert waiting(client, tracker) == ["1 flow of Plan RTST26 is not yet split between its years"]
    assert "Show all flows" not in client.get("/flows/?plan=RTST26&unsplit=true").content.decode()


def test_drafts_wait_for_their_coordinator_and_frozen_versions_for_the_approver(client, plan):
    coordinator, approver = make_user(), make_user()
    grant(coordinator, "refugee_coordinator", "plan", plan=plan)
    grant(approver, "hq_approver", "global")
    version = make_version(plan)
    assert waiting(client, coordinator) == ["v1 of Plan RTST26 is a draft"]
    assert waiting(client, approver) == []

    PlanVersion.objects.filter(pk=version.pk).update(status="frozen")
    assert waiting(client, coordinator) == []
    assert waiting(client, approver) == ["v1 of Plan RTST26 waits for approval"]


def test_unverified_organisations_wait_for_the_administrator(client):
    make_organisation("New from FTS")
    make_organisation("Known", is_verified=True)
    admin = make_user(is_superuser=True, is_staff=True)

    assert waiting(client, admin) == ["1 organisation is not verified"]


def test_the_page_asks_the_database_the_same_number_of_times_whatever_waits(client, plan):
    me = make_user(is_superuser=True, is_staff=True)
    for role, scope in (("funding_tracker", "plan"), ("refugee_coordinator", "plan")):
        grant(me, role, scope, plan=plan)
    client.force_login(me)

    def add(count):
        for number in range(count):
            Job.objects.create(kind="x", title="import", owner=me, state="running")
            twin_flows(plan)
            make_version(make_plan())
            Invitation.objects.create(
                email=f"p{number}@example.org", role="funding_tracker", scope="plan", plan=plan, invited_by=me,
                expires_at=timezone.now() + timedelta(2),
            )  # fmt: skip

    def measure():
        with CaptureQueriesContext(connection) as captured:
            client.get(TODO)
        return len(captured)

    add(2)
    client.get(TODO)
    few = measure()
    add(12)
    assert measure() == few
    assert few <= 12
