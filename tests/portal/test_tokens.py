"""API tokens: shown once, stored as a hash, read or write, expired, revoked."""

import hashlib
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory
from rest_framework.views import APIView

from rrp_portal.reference.models import ApiToken
from rrp_portal.tokens import TokenAllowsMethod, TokenAuthentication, issue_token, revoke_token
from tests.factories import make_user

pytestmark = pytest.mark.django_db


class WhoAmI(APIView):
    authentication_classes = [TokenAuthentication]
    permission_classes = [IsAuthenticated, TokenAllowsMethod]
    throttle_classes = []

    def get(self, request):
        return Response({"email": request.user.email, "token": request.auth.name})

    post = get


def ask(key, method="get", scheme="Bearer"):
    headers = {"Authorization": f"{scheme} {key}"} if key is not None else {}
    return WhoAmI.as_view()(getattr(APIRequestFactory(), method)("/", headers=headers))


def make_token(access="read", expires_at=None, user=None):
    return issue_token(user or make_user("owner@example.org"), name="Export", access=access, expires_at=expires_at)


def test_only_the_hash_of_a_key_is_stored():
    token, key = make_token()
    assert key.startswith("rrp_")
    assert len(key) == 47
    stored = ApiToken.objects.filter(pk=token.pk).values().get()
    assert stored["digest"] == hashlib.sha256(key.encode()).hexdigest()
    assert key not in str(stored)
    assert key.startswith(stored["prefix"])


def test_a_token_acts_as_its_owner():
    _token, key = make_token()
    answer = ask(key)
    assert (answer.status_code, answer.data) == (200, {"email": "owner@example.org", "token": "Export"})
    assert ask(key, scheme="bearer").status_code == 200


@pytest.mark.parametrize("key", [None, "", "rrp_unknown", "rrp_ünknown", "x" * 5000])
def test_without_a_good_token_the_answer_is_401(key):
    answer = ask(key)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_another_scheme_is_not_read_as_a_token():
    _token, key = make_token()
    assert ask(key, scheme="Basic").status_code == 401


def test_a_revoked_an_expired_and_an_orphaned_token_say_what_to_do():
    user = make_user()
    revoked, revoked_key = make_token(user=user)
    revoke_token(revoked)
    _expired, expired_key = make_token(user=user, expires_at=timezone.now() - timedelta(seconds=1))
    assert "has been revoked. Make a new one" in str(ask(revoked_key).data)
    assert "has expired. Make a new one" in str(ask(expired_key).data)
    _good, key = make_token(user=user)
    user.is_active = False
    user.save()
    answer = ask(key)
    assert answer.status_code == 401
    assert "account of this API token is closed" in str(answer.data)


def test_a_token_that_reads_cannot_write():
    _token, key = make_token("read")
    answer = ask(key, "post")
    assert answer.status_code == 403
    assert "may only read" in str(answer.data)
    _token, key = make_token("write", user=make_user())
    assert ask(key, "post").status_code == 200


def test_use_is_noted_at_most_once_a_minute(django_assert_num_queries):
    token, key = make_token()
    with django_assert_num_queries(2):
        ask(key)
    token.refresh_from_db()
    first = token.last_used_at
    assert first is not None
    with django_assert_num_queries(1):
        ask(key)
    ApiToken.objects.update(last_used_at=timezone.now() - timedelta(seconds=61))
    ask(key)
    token.refresh_from_db()
    assert token.last_used_at >= first


# The page


def test_a_token_is_made_on_the_page_and_shown_once(client):
    client.force_login(make_user())
    answer = client.post(reverse("tokens"), {"name": "Power BI", "access": "write", "days": "30"})
    token = ApiToken.objects.get()
    assert answer.status_code == 201
    assert f">{token.prefix}" in answer.content.decode()
    assert "no-store" in answer.headers["Cache-Control"]
    key = answer.context["key"]
    assert ask(key).data["token"] == "Power BI"
    assert key in answer.content.decode()
    later = client.get(reverse("tokens")).content.decode()
    assert key not in later
    assert "Power BI" in later
    assert timedelta(days=29) < token.expires_at - timezone.now() <= timedelta(days=30)


def test_a_token_without_a_name_is_refused_and_keeps_the_choice(client):
    client.force_login(make_user())
    answer = client.post(reverse("tokens"), {"name": "", "access": "write", "days": "365"})
    assert answer.status_code == 422
    assert '<option value="write" selected>' in answer.content.decode()
    assert not ApiToken.objects.exists()


def test_a_token_is_revoked_by_its_owner_only(client):
    owner, other = make_user(), make_user()
    token, key = make_token(user=owner)
    client.force_login(other)
    assert "Export" not in client.get(reverse("tokens")).content.decode()
    assert client.post(reverse("token-revoke", args=[token.pk])).status_code == 404
    assert ask(key).status_code == 200
    client.force_login(owner)
    assert client.post(reverse("token-revoke", args=[token.pk])).status_code == 302
    assert ask(key).status_code == 401
    first = ApiToken.objects.get().revoked_at
    client.post(reverse("token-revoke", args=[token.pk]))
    assert ApiToken.objects.get().revoked_at == first


def test_the_page_of_tokens_costs_the_same_for_many(client, django_assert_max_num_queries):
    user = make_user()
    for _number in range(30):
        make_token(user=user)
    client.force_login(user)
    with django_assert_max_num_queries(5):
        client.get(reverse("tokens"))
