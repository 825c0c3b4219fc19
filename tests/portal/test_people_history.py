"""Withdrawing grants, and the history of every grant: who, what and when."""

import pghistory
import pytest
from django.db import connection
from django.urls import reverse

from rrp_portal.people import services
from rrp_portal.reference.models import Grant
from rrp_portal.reference.roles import Role
from tests.factories import grant, make_plan, make_user
from tests.portal.test_people import page, post_give

pytestmark = pytest.mark.django_db


@pytest.fixture
def plan():
    return make_plan("MINE", countries=("XAA", "XBB"), sectors=("PROT", "EDU"), published=False)


@pytest.fixture
def other():
    return make_plan("OTHER", countries=("XCC",), published=False)


@pytest.fixture
def coordinator(plan):
    user = make_user("coordinator@example.org", name="Amina")
    grant(user, Role.REFUGEE_COORDINATOR, "plan", plan=plan)
    return user


@pytest.fixture
def administrator():
    user = make_user("administrator@example.org", name="Root")
    grant(user, Role.SYSTEM_ADMIN, "global")
    return user


def test_a_coordinator_withdraws_within_the_own_plan_and_nowhere_else(client, plan, other, coordinator):
    inside = grant(make_user(), Role.CO_LEAD, "plan", plan=plan)
    vetter = grant(make_user(), Role.MFT_MEMBER, "plan", plan=plan)
    outside = grant(make_user(), Role.CO_LEAD, "plan", plan=other)
    client.force_login(coordinator)
    answers = [
        client.post(reverse("people-withdraw", args=[held.pk])).status_code for held in (inside, vetter, outside)
    ]
    assert answers == [302, 403, 404]
    assert set(Grant.objects.exclude(user=coordinator)) == {vetter, outside}


def test_everybody_may_give_up_a_role_of_their_own(client, plan):
    person = make_user()
    held = grant(person, Role.MFT_MEMBER, "plan", plan=plan)
    assert "Give up" in page(client, person, "account_email").content.decode()
    assert client.post(reverse("people-withdraw", args=[held.pk])).status_code == 302
    assert not person.grants.exists()


def test_the_last_administrator_stays(client, administrator):
    held = administrator.grants.get()
    client.force_login(administrator)
    answer = client.post(reverse("people-withdraw", args=[held.pk]))
    assert answer.status_code == 403
    assert "last administrator" in answer.content.decode()
    grant(make_user(), Role.SYSTEM_ADMIN, "global")
    assert client.post(reverse("people-withdraw", args=[held.pk])).status_code == 302


def test_every_change_of_a_grant_is_history_with_who_and_when(client, plan, coordinator):
    person = make_user("historic@example.org", name="Historic Person")
    post_give(client, coordinator, "co_lead:plan", {"email": person.email, "plan": "MINE"})
    client.post(reverse("people-withdraw", args=[person.grants.get().pk]))
    events = list(Grant.pgh_event_model.objects.filter(user=person).order_by("pgh_id"))
    assert [event.pgh_label for event in events] == ["insert", "delete"]
    assert {event.pgh_context.metadata["user"] for event in events} == {coordinator.pk}
    text = page(client, coordinator, "people-history", q="historic").content.decode()
    assert "given" in text
    assert "withdrawn" in text
    assert text.count("Amina") >= 2


def test_a_change_by_raw_sql_is_history_too(client, plan, administrator):
    held = grant(make_user(name="Silent"), Role.CO_LEAD, "plan", plan=plan)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE reference_grant SET role = 'core_group_member' WHERE id = %s", [held.pk])
        cursor.execute("DELETE FROM reference_grant WHERE id = %s", [held.pk])
    text = page(client, administrator, "people-history", q="Silent").content.decode()
    for word in ("given", "changed", "withdrawn", "The portal"):
        assert word in text


def test_history_outlives_the_account(client, plan, administrator):
    person = make_user(name="Leaver")
    grant(person, Role.CO_LEAD, "plan", plan=plan)
    person.delete()
    assert "Account removed" in page(client, administrator, "people-history").content.decode()


def test_the_service_names_the_giver_in_history_also_outside_a_request(plan, coordinator):
    given = services.give_grant(Grant(user=make_user(), role=Role.CO_LEAD, scope="plan", plan=plan), by=coordinator)
    with pghistory.context(source="nightly"):
        services.withdraw_grant(given, by=coordinator)
    last = Grant.pgh_event_model.objects.order_by("-pgh_id").first()
    assert last.pgh_context.metadata["user"] == coordinator.pk
