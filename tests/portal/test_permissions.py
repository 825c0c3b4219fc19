"""Who gets which answer: the access policy as one table, complete over every named route of the site.

A route that is missing in the table fails the test. To add one: a row with its name, who gets which answer, and what it takes.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date

import pytest
from django.conf import settings
from django.db import transaction
from django.test import Client
from django.urls import reverse

from rrp_portal.jobs.models import Job
from rrp_portal.people.invitations import invite
from rrp_portal.reference.models import Invitation
from rrp_portal.reference.roles import Role
from rrp_portal.tokens import issue_token
from tests.factories import (
    grant,
    make_currency,
    make_flow,
    make_line,
    make_organisation,
    make_plan,
    make_population_group,
    make_user,
    make_version,
)
from tests.portal.test_access import patterns

PERSONAS = ("visitor", "stranger", "partner", "coordinator", "tracker", "administrator")
HOST = f"10.{time.time_ns() % 250}.{time.time_ns() // 1000 % 250}.1"  # throttles count per address, across runs
JSON = {"content_type": "application/json"}
LOCAL_ONLY = {"design"}  # only with DEBUG=true


@dataclass(frozen=True)
class Row:
    """One question to the site: answers are status codes in the order of PERSONAS, one code for all, or a code per kind."""

    name: str
    answers: str
    args: Callable = lambda world: []
    method: str = "get"
    data: Callable = lambda world: {}
    query: dict = field(default_factory=dict)

    def expected(self) -> dict[str, int]:
        """The answer that each persona gets."""
        codes = self.answers.split()
        codes = codes * len(PERSONAS) if len(codes) == 1 else codes
        return dict(zip(PERSONAS, map(int, codes), strict=True))


def of(name, key="pk"):
    """The argument of a route: a field of something in the world."""
    return lambda world: [getattr(world[name], key)]


def post(name, answers, args=lambda world: [], data=lambda world: {}, **query):
    return Row(name, answers, args, "post", data, query)


OPEN, DRAFT = of("open", "code"), of("draft", "code")
EVERYBODY, SIGNED_IN = "200", "302 200 200 200 200 200"
INSIDE_DRAFT = "404 404 200 200 200 200"  # the partner has a line in it
GRANTERS = "302 403 403 200 403 200"

PAGES = [
    Row("home", EVERYBODY),
    Row("plan-detail", EVERYBODY, OPEN),
    Row("plan-detail", INSIDE_DRAFT, DRAFT),
    Row("plan-explain", EVERYBODY, OPEN),
    Row("plan-explain", INSIDE_DRAFT, DRAFT),
    Row("plan-table", EVERYBODY, lambda world: ["OPEN", "sectors"]),
    Row("plan-table", INSIDE_DRAFT, lambda world: ["DRAFT", "sectors"]),
    Row("plan-rows", EVERYBODY, lambda world: ["OPEN", "sectors"]),
    Row("plan-rows", INSIDE_DRAFT, lambda world: ["DRAFT", "sectors"]),
    Row("country-list", EVERYBODY),
    Row("country-detail", EVERYBODY, lambda world: ["XAA"]),
    Row("organisation-list", EVERYBODY),
    Row("organisation-detail", EVERYBODY, of("partner_organisation")),
    Row("donor-list", EVERYBODY),
    Row("donor-detail", EVERYBODY, of("donor")),
    Row("methodology", EVERYBODY),
    Row("data", EVERYBODY),
    Row("healthz", EVERYBODY),
    Row("readyz", "503"),  # no worker runs during the tests
    post("set_language", "302", data=lambda world: {"language": "fr"}),
    Row("todo", SIGNED_IN),
    Row("funding:flow-list", EVERYBODY),
    Row("funding:flow-table", EVERYBODY),
    Row("funding:flow-detail", EVERYBODY, of("open_flow")),
    Row("funding:flow-detail", "404 404 200 200 200 200", of("draft_flow")),
    Row("funding:flow-create", "302 403 403 200 200 200"),
    Row("funding:flow-edit", "302 403 403 403 403 200", of("open_flow")),
    Row("funding:flow-edit", "302 404 403 200 200 200", of("draft_flow")),
    Row("funding:flow-reverse", "302 403 403 403 403 200", of("open_flow")),
    Row("funding:flow-reverse", "302 404 403 200 200 200", of("draft_flow")),
    Row("imports:create", "302 403 403 200 200 200"),
    Row("imports:result", "302 404 404 404 302 302", of("job")),
    Row("jobs:list", SIGNED_IN),
    Row("jobs:detail", "302 404 404 404 200 200", of("job")),
    Row("jobs:progress", "302 404 404 404 200 200", of("job")),
    post("jobs:retry", "302 404 404 404 302 302", of("job")),
    Row("jobs:report", "302 404 404 404 200 200", of("job")),
]

PEOPLE = [
    Row("people", GRANTERS),
    Row("people-invitations", GRANTERS),
    Row("people-history", GRANTERS),
    Row("people-organisations", GRANTERS),
    Row("people-give", GRANTERS),
    post(
        "people-give",
        "302 403 403 302 403 302",
        data=lambda world: {"email": "stranger@example.org", "plan": "DRAFT"},
        what="co_lead:plan",
    ),
    post("people-withdraw", "302 403 403 302 403 302", of("co_lead")),
    post("people-withdraw", "302 403 403 404 403 302", of("elsewhere")),
    post("people-invitation-resend", "302 403 403 302 403 302", of("invitation")),
    post("people-invitation-withdraw", "302 403 403 302 403 302", of("invitation")),
    Row("invitation", EVERYBODY, of("invitation", "key")),
    post("invitation", "422 403 403 403 403 403", of("invitation", "key")),
    Row("tokens", SIGNED_IN),
    post("tokens", "302 201 201 201 201 201", data=lambda world: {"name": "x", "access": "read", "days": "30"}),
    post("token-revoke", "302 404 404 404 302 404", of("token")),
    Row("account_email", SIGNED_IN),
]

ONLY_WITHOUT_SIGNING_IN = "200 302 302 302 302 302"
ACCOUNTS = [
    Row("account_login", ONLY_WITHOUT_SIGNING_IN),
    Row("account_logout", "302 200 200 200 200 200"),
    Row("account_inactive", EVERYBODY),
    Row("account_signup", ONLY_WITHOUT_SIGNING_IN),
    Row("account_reauthenticate", SIGNED_IN),
    Row("account_change_password", SIGNED_IN),
    Row("account_set_password", "302"),
    Row("account_reset_password", EVERYBODY),
    Row("account_reset_password_done", EVERYBODY),
    Row("account_reset_password_from_key", EVERYBODY, lambda world: ["1", "no-such-key"]),
    Row("account_reset_password_from_key_done", EVERYBODY),
    Row("account_confirm_email", "200", lambda world: ["no-such-key"]),
    Row("account_confirm_login_code", "302"),
    Row("account_email_verification_sent", "200"),
    Row("mfa_index", SIGNED_IN),
    Row("mfa_authenticate", "302"),
    Row("mfa_reauthenticate", "302"),
    Row("mfa_activate_totp", "302"),
    Row("mfa_deactivate_totp", "302 404 404 404 404 404"),
    Row("mfa_view_recovery_codes", "302 404 404 404 404 404"),
    Row("mfa_generate_recovery_codes", "302"),
    Row("mfa_download_recovery_codes", "302 404 404 404 404 404"),
    Row("openid_connect_login", "404", lambda world: ["sso"]),
    Row("openid_connect_callback", "404", lambda world: ["sso"]),
    Row("socialaccount_connections", SIGNED_IN),
    Row("socialaccount_login_cancelled", EVERYBODY),
    Row("socialaccount_login_error", "302 401 401 401 401 401"),
    Row("socialaccount_signup", "302"),
]

OPEN_LISTS = (
    "plan", "version", "chapter", "requirement", "flow", "figure", "organisation", "organisation-type", "country",
    "admin-area", "bureau", "sector", "population-group", "currency", "exchange-rate", "situation",
)  # fmt: skip
NO_SUCH = "404"


def line_of(world, plan):
    """A new requirement line of the partner in a plan."""
    return {
        "version": world[f"{plan}_version"].pk,
        "chapter": world[plan].chapters.order_by("pk")[0].pk,
        "plan_sector": world[plan].sectors.get().pk,
        "partner": world["partner_organisation"].pk,
        "year": 2026,
        "population_group": make_population_group().pk,
        "gross_usd": "1000.00",
    }


def flow_to(world, plan):
    """A new flow to the partner in a plan."""
    return {
        "donor": world["donor"].pk,
        "recipient": world["partner_organisation"].pk,
        "original_amount": "77",
        "currency": "USD",
        "status": "paid",
        "decided_on": "2026-03-04",
        "lines": [
            {"plan": world[plan].code, "year": 2026, "country": "XAA", "plan_sector": world[plan].sectors.get().pk}
        ],
    }


API = [
    Row("api:index", EVERYBODY),
    Row("api:docs", EVERYBODY),
    Row("api:schema", EVERYBODY),
    Row("api:unknown", EVERYBODY),
    *(Row(f"api:{name}-list", EVERYBODY) for name in OPEN_LISTS),
    Row("api:plan-detail", EVERYBODY, OPEN),
    Row("api:plan-detail", INSIDE_DRAFT, DRAFT),
    Row("api:version-detail", EVERYBODY, of("open_version")),
    Row("api:version-detail", INSIDE_DRAFT, of("draft_version")),
    Row("api:chapter-detail", EVERYBODY, lambda world: [world["open"].chapters.get().pk]),
    Row("api:chapter-detail", INSIDE_DRAFT, lambda world: [world["draft"].chapters.first().pk]),
    Row("api:requirement-detail", EVERYBODY, of("open_line")),
    Row("api:requirement-detail", INSIDE_DRAFT, of("draft_line")),
    Row("api:requirement-detail", "401 403 403 403 403 403", of("open_line"), "patch"),
    Row("api:requirement-detail", "401 404 200 200 403 200", of("draft_line"), "patch"),
    post("api:requirement-list", "401 400 201 201 403 201", data=lambda world: line_of(world, "draft")),
    post("api:requirement-list", "401 400 400 400 400 400", data=lambda world: line_of(world, "open")),
    Row("api:flow-detail", EVERYBODY, of("open_flow")),
    Row("api:flow-detail", "404 404 200 200 200 200", of("draft_flow")),
    Row("api:flow-detail", "401 403 403 403 403 200", of("open_flow"), "patch"),
    Row("api:flow-detail", "401 404 403 200 200 200", of("draft_flow"), "patch"),
    post("api:flow-list", "401 400 403 201 201 201", data=lambda world: flow_to(world, "draft")),
    post("api:flow-list", "401 403 403 403 403 201", data=lambda world: flow_to(world, "open")),
    post("api:flow-reverse", "401 404 403 400 400 400", of("draft_flow")),
    Row("api:figure-world", EVERYBODY),
    Row("api:figure-identity", EVERYBODY, query={"plan": "OPEN", "year": 2026}),
    Row("api:figure-explain", EVERYBODY, query={"plan": "OPEN", "year": 2026, "measure": "funded"}),
    Row("api:organisation-detail", EVERYBODY, of("donor")),
    Row("api:organisation-type-detail", EVERYBODY, lambda world: ["un_agency"]),
    Row("api:country-detail", EVERYBODY, lambda world: ["XAA"]),
    Row("api:sector-detail", EVERYBODY, lambda world: ["PROT"]),
    Row("api:admin-area-detail", NO_SUCH, lambda world: ["XX99"]),
    Row("api:bureau-detail", NO_SUCH, lambda world: ["NONE"]),
    Row("api:population-group-detail", NO_SUCH, lambda world: ["NONE"]),
    Row("api:currency-detail", NO_SUCH, lambda world: ["XXX"]),
    Row("api:exchange-rate-detail", NO_SUCH, lambda world: ["0"]),
    Row("api:situation-detail", NO_SUCH, lambda world: ["none"]),
    Row("api:job-list", "401 200 200 200 200 200"),
    Row("api:job-detail", "401 404 404 404 200 200", of("job")),
]

TABLE = PAGES + PEOPLE + ACCOUNTS + API


@pytest.fixture(scope="module")
def world(django_db_setup, django_db_blocker):
    """The same world for all rows, made once; what a request writes is undone after it."""
    with django_db_blocker.unblock(), transaction.atomic():
        made = make_world()
        for persona in PERSONAS[1:]:
            client = Client()
            client.force_login(made[persona])
            made["session", persona] = client.cookies[settings.SESSION_COOKIE_NAME].value
        yield made
        transaction.set_rollback(True)


def make_world():
    """A published plan and a draft, a line and a flow in each, and one person of every kind."""
    open_plan = make_plan("OPEN", countries=("XAA",))
    draft = make_plan("DRAFT", countries=("XAA", "XBB"), published=False)
    donor, partner = make_organisation("Donor", type="gov_donor"), make_organisation("Partner")
    open_version = make_version(open_plan, [("XAA", "PROT", partner, 100)], approved_on=date(2026, 1, 1))
    draft_version = make_version(draft, [("XAA", "PROT", partner, 100)])
    people = {name: make_user(f"{name}@example.org") for name in PERSONAS[1:]}
    grant(people["partner"], Role.PARTNER_FOCAL_POINT, "organisation", organisation=partner)
    grant(people["coordinator"], Role.REFUGEE_COORDINATOR, "plan", plan=draft)
    grant(people["tracker"], Role.FUNDING_TRACKER, "plan", plan=draft)
    grant(people["administrator"], Role.SYSTEM_ADMIN, "global")
    people["administrator"].is_staff = True
    people["administrator"].save()
    make_currency("USD")
    open_flow, draft_flow = (make_flow(donor, partner, amount, decided_on=date(2026, 2, 1)) for amount in (10, 20))
    make_line(open_flow, open_plan)
    make_line(draft_flow, draft)
    invitation = Invitation(email="new@example.org", role=Role.CO_LEAD, scope="plan", plan=draft)
    invite(invitation, by=people["coordinator"], origin="https://rrp.example.org")
    token, _key = issue_token(people["tracker"], name="Export", access="read", expires_at=None)
    return people | {
        "open": open_plan,
        "draft": draft,
        "open_version": open_version,
        "draft_version": draft_version,
        "open_line": open_version.requirements.get(),
        "draft_line": draft_version.requirements.get(),
        "donor": donor,
        "partner_organisation": partner,
        "open_flow": open_flow,
        "draft_flow": draft_flow,
        "co_lead": grant(make_user(), Role.CO_LEAD, "plan", plan=draft),
        "elsewhere": grant(make_user(), Role.CO_LEAD, "plan", plan=open_plan),
        "invitation": invitation,
        "token": token,
        "job": Job.objects.create(kind="fts_import", title="Import", owner=people["tracker"]),
    }


def ask(world, persona, method, address, data=None):
    """The status code that the persona gets; whatever the request wrote is undone."""
    client = Client(raise_request_exception=False, REMOTE_ADDR=HOST)
    if persona != "visitor":
        client.cookies[settings.SESSION_COOKIE_NAME] = world["session", persona]
    with transaction.atomic():
        answer = getattr(client, method)(address, data or {}, **JSON if "/api/" in address and method != "get" else {})
        transaction.set_rollback(True)
    return answer


def names(rows):
    seen = [row.name for row in rows]
    return [f"{row.method} {row.name} {seen[:place].count(row.name) or ''}".strip() for place, row in enumerate(rows)]


@pytest.mark.requirement("G8")
@pytest.mark.django_db  # one marked test, which runs first, makes pytest-django set the database up for the others
def test_the_table_holds_every_route():
    in_table = {row.name for row in TABLE}
    named = {name for name, pattern in patterns() if pattern.name and not name.startswith("admin:")}
    assert named - in_table - LOCAL_ONLY == set()
    assert in_table - named == set()


@pytest.mark.parametrize("row", TABLE, ids=names(TABLE))
def test_who_gets_which_answer(row, world):
    address = reverse(row.name, args=row.args(world), query=row.query)
    answers = {who: ask(world, who, row.method, address, row.data(world)).status_code for who in PERSONAS}
    assert answers == row.expected()


@pytest.mark.parametrize("persona", PERSONAS)
def test_only_administrators_enter_the_administration(persona, world):
    for name, pattern in administration():
        values = {key: {"app_label": "reference"}.get(key, "1") for key in pattern.regex.groupindex}
        address = reverse(name, kwargs=values)
        answer = ask(world, persona, "get", address)
        turned_away = answer.status_code == 302 and "/login/" in answer.headers["Location"]
        assert turned_away is (persona != "administrator"), f"{address}: {answer.status_code}"


def administration():
    """Every named page of the administration that is not about coming and going."""
    open_to_all = {"admin:login", "admin:logout", "admin:jsi18n"}
    for name, pattern in patterns():
        if name.startswith("admin:") and pattern.name and name not in open_to_all:
            yield name, pattern.pattern
