"""Signing in: by e-mail, with a second step, by single sign-on; throttled; passwords reset by mail; no open sign-up."""

import json
import re
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from allauth.socialaccount.models import SocialAccount
from django.core.management import call_command
from django.urls import reverse

from rrp_portal.reference.models import User
from rrp_portal.security import policy
from tests.factories import make_user

pytestmark = pytest.mark.django_db
PASSWORD = "a long password 1"
_hosts = count(int(time.time() * 1000) % 16_000_000)


@pytest.fixture(autouse=True)
def own_host(client):
    """Every test comes from an address of its own, because the throttle counts per address, across runs."""
    number = next(_hosts)
    client.defaults["REMOTE_ADDR"] = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


def sign_in(client, email, password=PASSWORD):
    return client.post(reverse("account_login"), {"login": email, "password": password})


def signed_in(client):
    return client.session.get("_auth_user_id")


def fresh(name):
    return f"{name}{time.time_ns()}@example.org"


def test_the_settings_of_accounts_raise_no_complaint():
    call_command("check", fail_level="WARNING")


def test_people_sign_in_by_e_mail_whatever_its_capitals(client):
    user = make_user(fresh("amina"))
    assert sign_in(client, user.email.upper()).status_code == 302
    assert signed_in(client) == str(user.pk)


def test_a_wrong_password_and_an_unknown_address_get_the_same_sentence(client):
    user = make_user(fresh("amina"))
    sentences = [
        re.findall(r'role="alert".*?</ul>', sign_in(client, email, "wrong").content.decode(), re.S)
        for email in (user.email, fresh("nobody"))
    ]
    assert sentences[0] == sentences[1] != []
    assert signed_in(client) is None


def test_a_closed_account_cannot_sign_in(client):
    user = make_user(fresh("closed"), is_active=False)
    sign_in(client, user.email)
    assert signed_in(client) is None


def test_signing_in_is_throttled_per_address_of_the_account(client):
    user = make_user(fresh("target"))
    for _attempt in range(5):
        sign_in(client, user.email, "wrong")
    assert "Too many failed" in sign_in(client, user.email).content.decode()
    assert signed_in(client) is None


def test_signing_in_is_throttled_per_host(client):
    codes = {sign_in(client, fresh("guess"), "wrong").status_code for _attempt in range(31)}
    assert 429 in codes


def test_nobody_signs_up_without_an_invitation(client):
    page = client.get(reverse("account_signup"))
    assert "Accounts begin with an invitation" in page.content.decode()
    email = fresh("intruder")
    client.post(reverse("account_signup"), {"email": email, "password1": "a quiet river at dawn"})
    assert not User.objects.filter(email=email).exists()


def test_nobody_changes_the_address_by_which_they_are_known(client):
    user = make_user(fresh("amina"))
    client.force_login(user)
    assert user.email in client.get("/accounts/email/").content.decode()
    answer = client.post("/accounts/email/", {"email": "boss@example.org", "action_add": ""})
    assert answer.status_code == 405
    assert not user.emailaddress_set.exists()


def test_a_password_is_reset_by_mail(client, mailoutbox):
    user = make_user(fresh("forgetful"))
    assert client.post(reverse("account_reset_password"), {"email": user.email}).status_code == 302
    (letter,) = mailoutbox
    assert letter.to == [user.email]
    path = urlsplit(re.search(r"http://testserver\S+", letter.body)[0]).path
    step = client.get(path)
    answer = client.post(
        step.headers["Location"], {"password1": "a quiet river at dawn", "password2": "a quiet river at dawn"}
    )
    assert answer.status_code == 302
    assert sign_in(client, user.email, "a quiet river at dawn").status_code == 302
    assert signed_in(client) == str(user.pk)
    client.logout()
    assert "Bad Token" in client.get(path).content.decode() or client.get(path, follow=True).status_code == 200


def test_an_unknown_address_is_not_betrayed_by_a_password_reset(client, mailoutbox):
    email = fresh("nobody")
    known = client.post(reverse("account_reset_password"), {"email": make_user(fresh("known")).email})
    unknown = client.post(reverse("account_reset_password"), {"email": email})
    assert known.headers["Location"] == unknown.headers["Location"]
    assert all("password/reset/key" not in letter.body for letter in mailoutbox if email in letter.to)


# The second step


def code_for(secret, steps=0):
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30 + steps))


@pytest.fixture
def secured(client):
    """Somebody who has turned the second step on through the pages; their secret and recovery codes."""
    user = make_user(fresh("secured"))
    sign_in(client, user.email)
    asked = client.get(reverse("mfa_activate_totp"))
    page = client.post(asked.headers["Location"], {"password": PASSWORD}, follow=True)
    secret = re.search(r'<code id="secret">([A-Z2-7]+)</code>', page.content.decode())[1]
    assert client.post(reverse("mfa_activate_totp"), {"code": "000000"}).status_code == 200
    assert not Authenticator.objects.filter(user=user).exists()
    assert client.post(reverse("mfa_activate_totp"), {"code": code_for(secret, -1)}).status_code == 302
    codes = re.findall(r"\b\d{8}\b", client.get(reverse("mfa_view_recovery_codes")).content.decode())
    client.logout()
    return {"user": user, "secret": secret, "codes": codes}


def test_the_second_step_asks_for_a_code_of_the_app(client, secured):
    answer = sign_in(client, secured["user"].email)
    assert answer.headers["Location"].startswith(reverse("mfa_authenticate"))
    assert signed_in(client) is None
    assert client.get(reverse("people")).status_code == 302
    wrong = client.post(reverse("mfa_authenticate"), {"code": "123456"})
    assert wrong.status_code == 200
    assert signed_in(client) is None
    client.post(reverse("mfa_authenticate"), {"code": code_for(secured["secret"])})
    assert signed_in(client) == str(secured["user"].pk)


def test_a_recovery_code_works_once(client, secured):
    assert len(secured["codes"]) == 10
    for expected in (str(secured["user"].pk), None):
        sign_in(client, secured["user"].email)
        client.post(reverse("mfa_authenticate"), {"code": secured["codes"][0]})
        assert signed_in(client) == expected
        client.logout()


def test_guessing_codes_is_throttled(client, secured):
    sign_in(client, secured["user"].email)
    for _attempt in range(6):
        answer = client.post(reverse("mfa_authenticate"), {"code": "000000"})
    assert "Too many" in answer.content.decode() or answer.status_code == 429
    client.post(reverse("mfa_authenticate"), {"code": code_for(secured["secret"])})
    assert signed_in(client) is None


# Single sign-on


class _Provider(BaseHTTPRequestHandler):
    """A small OpenID Connect provider; `person` is who has signed in there."""

    person: dict = {}

    def _answer(self, content):
        body = json.dumps(content).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        here = f"http://{self.headers['Host']}"
        if self.path.endswith("openid-configuration"):
            names = {
                "authorization_endpoint": "authorize",
                "token_endpoint": "token",
                "userinfo_endpoint": "me",
                "jwks_uri": "keys",
            }
            self._answer({"issuer": here} | {name: f"{here}/{path}" for name, path in names.items()})
        else:
            self._answer(self.person)

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        claims = self.person | {
            "iss": f"http://{self.headers['Host']}",
            "aud": "portal",
            "exp": time.time() + 60,
            "iat": time.time(),
        }
        token = jwt.encode(claims, "k" * 32, algorithm="HS256", headers={"kid": "1"})
        self._answer({"access_token": "a", "token_type": "Bearer", "expires_in": 60, "id_token": token})

    def log_message(self, *args):
        pass


@pytest.fixture
def provider(settings):
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Provider)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    here = f"http://127.0.0.1:{server.server_port}"
    app = {
        "provider_id": "sso",
        "name": "Head office",
        "client_id": "portal",
        "secret": "s",
        "settings": {"server_url": here},
    }
    settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"APPS": [app]}}
    yield _Provider
    server.shutdown()
    server.server_close()


def single_sign_on(client, **person):
    _Provider.person = person
    start = client.post(reverse("openid_connect_login", args=["sso"]))
    query = parse_qs(urlsplit(start.headers["Location"]).query)
    assert query["client_id"] == ["portal"]
    return client.get(reverse("openid_connect_callback", args=["sso"]), {"code": "c", "state": query["state"][0]})


def test_single_sign_on_is_offered_only_where_it_is_set_up(client, provider, settings):
    assert "Head office" in client.get(reverse("account_login")).content.decode()
    settings.SOCIALACCOUNT_PROVIDERS = {}
    assert "Head office" not in client.get(reverse("account_login")).content.decode()
    assert client.post(reverse("openid_connect_login", args=["sso"])).status_code == 404


def test_single_sign_on_finds_its_person_by_verified_address_and_knows_them_afterwards(client, provider):
    user = make_user(fresh("known"))
    single_sign_on(client, sub="42", email=user.email.upper(), email_verified=True)
    assert signed_in(client) == str(user.pk)
    assert SocialAccount.objects.get(user=user).uid == "42"
    client.logout()
    single_sign_on(client, sub="42", email="renamed@example.org", email_verified=True)
    assert signed_in(client) == str(user.pk)


@pytest.mark.parametrize("verified", [False, "false", None])
def test_an_address_that_the_provider_did_not_verify_opens_nothing(client, provider, verified):
    user = make_user(fresh("known"))
    answer = single_sign_on(client, sub="43", email=user.email, email_verified=verified)
    assert signed_in(client) is None
    assert "Accounts begin with an invitation" in answer.content.decode()


def test_single_sign_on_opens_no_new_account(client, provider):
    email = fresh("unknown")
    answer = single_sign_on(client, sub="44", email=email, email_verified=True)
    assert "Accounts begin with an invitation" in answer.content.decode()
    assert not User.objects.filter(email=email).exists()


def test_single_sign_on_still_asks_for_the_second_step(client, secured, provider):
    answer = single_sign_on(client, sub="45", email=secured["user"].email, email_verified=True)
    assert answer.headers["Location"].startswith(reverse("mfa_authenticate"))
    assert signed_in(client) is None


def test_the_button_of_single_sign_on_may_lead_to_its_server():
    assert "form-action 'self' https://login.example.org;" in policy("https://login.example.org/realms/response")
    assert "form-action 'self';" in policy("")
