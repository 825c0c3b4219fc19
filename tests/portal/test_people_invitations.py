"""Invitations that carry a grant: sent, accepted once by the right person, expired, withdrawn, sent again."""

import re
from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.core.exceptions import PermissionDenied
from django.urls import reverse
from django.utils import timezone

from rrp_portal.people import invitations
from rrp_portal.reference.models import Grant, Invitation, User
from rrp_portal.reference.roles import Role
from rrp_portal.workflow import Refused
from tests.factories import grant, make_plan, make_user

pytestmark = pytest.mark.django_db
PASSWORD = "a quiet river at dawn"


@pytest.fixture
def plan():
    return make_plan("MINE", countries=("XAA",), published=False)


@pytest.fixture
def coordinator(plan):
    user = make_user("coordinator@example.org", name="Amina")
    grant(user, Role.REFUGEE_COORDINATOR, "plan", plan=plan)
    return user


@pytest.fixture
def invitation(plan, coordinator):
    new = Invitation(email="new@example.org", name="New Person", role=Role.CO_LEAD, scope="plan", plan=plan)
    assert invitations.invite(new, by=coordinator, origin="https://rrp.example.org")
    return new


def link(invitation):
    return reverse("invitation", args=[invitation.key])


def accept(client, invitation, **data):
    return client.post(link(invitation), {"name": "New Person", "password": PASSWORD} | data)


def test_somebody_new_is_invited_from_the_page_by_a_mail_with_a_link(client, plan, coordinator, mailoutbox):
    client.force_login(coordinator)
    address = reverse("people-give", query={"what": "co_lead:plan"})
    answer = client.post(address, {"email": "New@Example.org", "name": "New Person", "plan": "MINE"}, follow=True)
    assert "An invitation is on its way to New@Example.org" in answer.content.decode()
    sent = Invitation.objects.get()
    assert (sent.email, sent.invited_by, sent.plan) == ("new@example.org", coordinator, plan)
    assert timedelta(days=13, hours=23) < sent.expires_at - timezone.now() <= timedelta(days=14)
    (letter,) = mailoutbox
    assert letter.to == ["new@example.org"]
    assert f"http://testserver{link(sent)}" in letter.body
    for word in ("New Person", "Amina", "Co-lead", "MINE"):
        assert word in letter.body
    assert not User.objects.filter(email="new@example.org").exists()


def test_somebody_new_opens_an_account_with_the_role_and_is_signed_in(client, invitation, plan, coordinator):
    assert "Open my account" in client.get(link(invitation)).content.decode()
    answer = accept(client, invitation)
    assert answer.status_code == 302
    user = User.objects.get(email="new@example.org")
    assert client.session["_auth_user_id"] == str(user.pk)
    given = user.grants.get()
    assert (given.role, given.plan, given.granted_by) == (Role.CO_LEAD, plan, coordinator)
    assert user.check_password(PASSWORD)
    assert EmailAddress.objects.get(user=user).verified
    event = Grant.pgh_event_model.objects.get(user=user)
    assert event.granted_by == coordinator


@pytest.mark.parametrize("password", ["short", "qwertyuiop123", "new@example.org", ""])
def test_a_password_that_is_easy_to_guess_is_refused_and_the_name_stays(client, invitation, password):
    answer = accept(client, invitation, password=password, name="Typed Name")
    assert answer.status_code == 422
    assert 'value="Typed Name"' in answer.content.decode()
    assert not User.objects.filter(email="new@example.org").exists()


def test_an_invitation_is_used_once(client, invitation):
    accept(client, invitation)
    client.logout()
    answer = accept(client, invitation)
    assert answer.status_code == 410
    assert "already been used" in answer.content.decode()
    assert Grant.objects.filter(user__email="new@example.org").count() == 1


def test_an_expired_invitation_says_whom_to_ask(client, invitation):
    Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    answer = accept(client, invitation)
    assert answer.status_code == 410
    assert "has expired. Ask Amina to send it again." in answer.content.decode()


def test_a_withdrawn_invitation_says_whom_to_ask(client, invitation, coordinator):
    client.force_login(coordinator)
    assert client.post(reverse("people-invitation-withdraw", args=[invitation.pk])).status_code == 302
    client.logout()
    answer = client.get(link(invitation))
    assert answer.status_code == 410
    assert "has been withdrawn. Ask Amina" in answer.content.decode()


def test_an_invitation_is_worth_nothing_when_its_sender_lost_the_role(client, invitation, coordinator):
    coordinator.grants.all().delete()
    answer = accept(client, invitation)
    assert answer.status_code == 410
    assert "Amina can no longer give this role" in answer.content.decode()
    assert not User.objects.filter(email="new@example.org").exists()


def test_sending_again_makes_a_new_link_and_ends_the_old_one(client, invitation, coordinator, mailoutbox):
    Invitation.objects.update(expires_at=timezone.now() - timedelta(days=1))
    old = link(invitation)
    client.force_login(coordinator)
    client.post(reverse("people-invitation-resend", args=[invitation.pk]))
    invitation.refresh_from_db()
    client.logout()
    assert client.get(old).status_code == 404
    assert client.get(link(invitation)).status_code == 200
    assert link(invitation) in mailoutbox[-1].body


def test_an_accepted_invitation_can_be_neither_sent_again_nor_withdrawn(client, invitation, coordinator):
    accept(client, invitation)
    invitation.refresh_from_db()
    for action in (
        lambda: invitations.resend(invitation, by=coordinator, origin="https://x.example"),
        lambda: invitations.withdraw(invitation, by=coordinator),
    ):
        with pytest.raises(Refused):
            action()


def test_an_existing_account_takes_the_role_after_signing_in(client, invitation):
    user = make_user("NEW@example.org")
    page = client.get(link(invitation)).content.decode()
    assert "You already have an account with this address" in page
    assert f"next={link(invitation)}" in page
    assert accept(client, invitation).status_code == 403
    client.force_login(user)
    assert "Take the role" in client.get(link(invitation)).content.decode()
    assert client.post(link(invitation)).status_code == 302
    assert user.grants.get().role == Role.CO_LEAD
    assert client.get(link(invitation)).status_code == 410


def test_somebody_else_who_is_signed_in_cannot_take_the_role(client, invitation, coordinator):
    for user in (coordinator, make_user("other@example.org")):
        client.force_login(user)
        page = client.get(link(invitation)).content.decode()
        assert "but this invitation is for new@example.org" in page
        assert client.post(link(invitation)).status_code == 403
        with pytest.raises(PermissionDenied):
            invitations.accept(invitation, user=user)
    assert Grant.objects.exclude(user=coordinator).count() == 0


def test_signing_out_of_the_wrong_account_leads_back_to_the_invitation(client, invitation):
    client.force_login(make_user())
    answer = client.post(reverse("account_logout"), {"next": link(invitation)})
    assert answer.headers["Location"] == link(invitation)


def test_nobody_invites_themselves_and_nobody_invites_beyond_their_reach(plan, coordinator, mailoutbox):
    other = make_plan("OTHER", countries=("XBB",))
    own = Invitation(email="Coordinator@example.org", role=Role.CO_LEAD, scope="plan", plan=plan)
    beyond = Invitation(email="friend@example.org", role=Role.CO_LEAD, scope="plan", plan=other)
    above = Invitation(email="friend@example.org", role=Role.SYSTEM_ADMIN, scope="global")
    for wanted in (own, beyond, above):
        with pytest.raises(PermissionDenied):
            invitations.invite(wanted, by=coordinator, origin="https://x.example")
    assert not mailoutbox
    assert not Invitation.objects.exists()


def test_the_same_invitation_is_not_sent_twice_by_mistake(client, invitation, coordinator):
    client.force_login(coordinator)
    address = reverse("people-give", query={"what": "co_lead:plan"})
    answer = client.post(address, {"email": "new@example.org", "plan": "MINE"})
    assert answer.status_code == 422
    assert "already invited to this role" in answer.content.decode()


def test_an_invitation_elsewhere_is_not_found(client, invitation):
    elsewhere = make_user()
    grant(elsewhere, Role.REFUGEE_COORDINATOR, "plan", plan=make_plan("OTHER", countries=("XBB",)))
    client.force_login(elsewhere)
    assert "new@example.org" not in client.get(reverse("people-invitations")).content.decode()
    for name in ("people-invitation-resend", "people-invitation-withdraw"):
        assert client.post(reverse(name, args=[invitation.pk])).status_code == 404


def test_a_mail_server_that_is_away_loses_no_invitation(client, plan, coordinator, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", 9, 1
    client.force_login(coordinator)
    address = reverse("people-give", query={"what": "co_lead:plan"})
    answer = client.post(address, {"email": "new@example.org", "plan": "MINE"}, follow=True)
    assert "the mail server did not take the mail" in answer.content.decode()
    assert Invitation.objects.count() == 1


def test_a_key_that_is_not_known_is_not_found(client):
    assert client.get(reverse("invitation", args=["x" * 43])).status_code == 404


def test_the_subject_is_one_line_in_the_language_of_the_reader(plan, coordinator, mailoutbox):
    make_user("fr@example.org", language="fr")
    odd = Invitation(email="fr@example.org", name="A\nBcc: all@example.org", role=Role.CO_LEAD, scope="plan", plan=plan)
    assert invitations.invite(odd, by=coordinator, origin="https://rrp.example.org")
    (letter,) = mailoutbox
    assert "\n" not in letter.subject
    assert not letter.bcc
    assert re.search(r"https://rrp\.example\.org/invitations/[\w-]{43}/", letter.body)
