"""Plans and requirement lines through the API: who may write what, and the same refusals as everywhere else."""

import csv
import io
import json
from datetime import date

import pytest
from django.core.cache import cache

from planning.models import Requirement
from planning.services import approve_version
from rrp_portal.tokens import issue_token
from tests.factories import (
    grant,
    make_organisation,
    make_plan,
    make_population_group,
    make_requirement,
    make_user,
    make_version,
)

pytestmark = pytest.mark.django_db

LINES = "/api/v1/requirements/"


@pytest.fixture(autouse=True)
def _nobody_is_throttled():
    cache.clear()


@pytest.fixture
def plan():
    return make_plan("DRAFT26", sectors=("PROT", "HLTH"), published=False)


@pytest.fixture
def draft(plan):
    return make_version(plan)


@pytest.fixture
def partner():
    return make_organisation("Partner", "ingo")


@pytest.fixture
def focal_point(partner):
    user = make_user("focal@example.org")
    grant(user, "partner_focal_point", "organisation", organisation=partner)
    return user


@pytest.fixture
def coordinator(plan):
    user = make_user("coordinator@example.org")
    grant(user, "refugee_coordinator", "plan", plan=plan)
    return user


def send(client, method, path, body, **headers):
    return getattr(client, method)(path, json.dumps(body), content_type="application/json", headers=headers)


def line_of(draft, owner, **values):
    plan = draft.plan
    return {
        "version": draft.pk,
        "chapter": plan.chapters.get(country="XAA").pk,
        "plan_sector": plan.sectors.get(name="PROT").pk,
        "partner": owner.pk,
        "year": 2026,
        "gross_usd": "1000000.00",
    } | values


def refusals(answer):
    return {error["field"]: error["code"] for error in answer.json()["errors"]}


def test_a_coordinator_enters_reads_changes_and_deletes_a_line(client, draft, partner, coordinator):
    client.force_login(coordinator)

    made = send(client, "post", LINES, line_of(draft, partner, covered_elsewhere_usd="200000"))
    row = made.json()
    assert made.status_code == 201, row
    assert (row["amount_usd"], row["plan"], row["country"], row["sector"]) == ("800000.00", "DRAFT26", "XAA", "PROT")
    assert (row["partner_name"], row["version_label"], row["status"]) == ("Partner", "v1", "proposed")

    address = f"{LINES}{row['id']}/"
    changed = send(client, "patch", address, {"gross_usd": "900000"})
    assert (changed.status_code, changed.json()["amount_usd"]) == (200, "700000.00")
    assert client.delete(address).status_code == 204
    assert client.get(address).status_code == 404
    history = Requirement.pgh_event_model.objects.filter(pgh_obj_id=row["id"]).order_by("pgh_id")
    assert [event.pgh_label for event in history] == ["insert", "update", "delete"]
    assert {event.pgh_context.metadata["user"] for event in history} == {coordinator.pk}


@pytest.mark.requirement("I1", "BR-04")
def test_a_government_owns_no_line(client, draft, coordinator):
    client.force_login(coordinator)

    answer = send(client, "post", LINES, line_of(draft, make_organisation("Ministry", "gov_host")))

    assert answer.status_code == 400
    assert refusals(answer) == {"partner": "requirement_partner_may_appeal"}
    assert "national plan" in answer.json()["errors"][0]["message"]
    assert not Requirement.objects.exists()


@pytest.mark.requirement("I2", "I3")
@pytest.mark.parametrize(
    ("group", "code"), [("IDP", "requirement_no_idp"), ("MIG", "requirement_migrants_only_in_rmrp")]
)
def test_neither_internally_displaced_people_nor_migrants_stand_in_a_refugee_plan(
    client, draft, partner, coordinator, group, code
):
    client.force_login(coordinator)
    make_population_group(group)

    answer = send(client, "post", LINES, line_of(draft, partner, population_group=group))

    assert (answer.status_code, refusals(answer)) == (400, {"population_group": code})


@pytest.mark.requirement("I3")
def test_migrants_stand_in_a_refugee_and_migrant_plan(client, draft, partner, coordinator):
    client.force_login(coordinator)
    make_population_group("MIG")
    draft.plan.type = "rmrp"
    draft.plan.save()

    answer = send(client, "post", LINES, line_of(draft, partner, population_group="MIG"))

    assert answer.status_code == 201


@pytest.mark.requirement("I7")
@pytest.mark.parametrize(
    ("values", "field"),
    [({"year": 2027}, "year"), ({"starts_on": "2025-12-31"}, "starts_on"), ({"ends_on": "2027-01-01"}, "ends_on")],
)
def test_a_line_lies_inside_the_plan(client, draft, partner, coordinator, values, field):
    client.force_login(coordinator)

    answer = send(client, "post", LINES, line_of(draft, partner, **values))

    assert (answer.status_code, refusals(answer)) == (400, {field: "requirement_inside_plan_period"})


@pytest.mark.requirement("I8")
def test_there_is_one_line_per_key(client, draft, partner, coordinator):
    client.force_login(coordinator)
    send(client, "post", LINES, line_of(draft, partner))

    again = send(client, "post", LINES, line_of(draft, partner, gross_usd="5"))

    assert (again.status_code, refusals(again)) == (400, {None: "one_requirement_line_per_key"})
    assert again.json()["errors"][0]["message"].startswith("There is already a line")


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"gross_usd": "-1"}, "requirement_not_negative"),
        ({"gross_usd": "5", "covered_elsewhere_usd": "6"}, "requirement_covers_no_more_than_it_needs"),
        ({"starts_on": "2026-06-02", "ends_on": "2026-06-01"}, "requirement_period_in_order"),
        ({"partner": None}, "requirement_names_partner_and_sector"),
    ],
)
def test_rules_on_one_row_have_the_name_of_their_constraint(client, draft, partner, coordinator, values, code):
    client.force_login(coordinator)

    answer = send(client, "post", LINES, line_of(draft, partner, **values))

    assert answer.status_code == 400
    assert code in [error["code"] for error in answer.json()["errors"]]


@pytest.mark.parametrize(
    ("values", "field", "code"),
    [
        ({"gross_usd": "much"}, "gross_usd", "invalid"),
        ({"gross_usd": "1e400"}, "gross_usd", "max_digits"),
        ({"gross_usd": "NaN"}, "gross_usd", "invalid"),
        ({"partner": 10**30}, "partner", "does_not_exist"),
        ({"version": 10**9}, "version", "does_not_exist"),
        ({"gros_usd": "5"}, "gros_usd", "unknown_field"),
        ({"amount_usd": "5.00"}, "amount_usd", "read_only"),
        ({"status": "accepted"}, "status", "read_only"),
        ({"activity": "a\u0000b"}, "activity", "null_characters_not_allowed"),
        ({"year": None}, "year", "null"),
    ],
)
def test_a_bad_value_is_refused_beside_its_field(client, draft, partner, coordinator, values, field, code):
    client.force_login(coordinator)

    answer = send(client, "post", LINES, line_of(draft, partner, **values))

    assert answer.status_code == 400
    assert refusals(answer).get(field) == code


def test_a_row_that_was_read_can_be_sent_back_whole(client, draft, partner, coordinator):
    client.force_login(coordinator)
    row = send(client, "post", LINES, line_of(draft, partner)).json()

    answer = send(client, "patch", f"{LINES}{row['id']}/", row | {"note": "checked"})

    assert (answer.status_code, answer.json()["note"]) == (200, "checked")


@pytest.mark.requirement("I13", "R125")
def test_an_approved_version_does_not_change(client, draft, partner, coordinator):
    line = make_requirement(draft, "XAA", "PROT", partner, 5)
    approve_version(draft, approved_on=date(2026, 1, 2))
    client.force_login(coordinator)

    changed = send(client, "patch", f"{LINES}{line.pk}/", {"gross_usd": "6"})
    added = send(client, "post", LINES, line_of(draft, partner, plan_sector=draft.plan.sectors.get(name="HLTH").pk))

    assert (changed.status_code, changed.json()["type"]) == (403, "permission")
    assert "Start a correction or a revision" in changed.json()["errors"][0]["message"]
    assert (added.status_code, refusals(added)) == (400, {"version": "approved_version_immutable"})
    assert client.delete(f"{LINES}{line.pk}/").status_code == 403


def test_a_partner_writes_its_own_lines_and_nobody_elses(client, draft, partner, focal_point):
    other = make_organisation("Other", "ingo")
    make_requirement(draft, "XAA", "HLTH", partner, 5)
    make_requirement(draft, "XAA", "HLTH", other, 7)
    client.force_login(focal_point)

    own = send(client, "post", LINES, line_of(draft, partner))
    foreign = send(client, "post", LINES, line_of(draft, other))
    moved = send(client, "patch", f"{LINES}{own.json()['id']}/", {"partner": other.pk})

    assert own.status_code == 201
    assert (foreign.status_code, moved.status_code) == (403, 403)
    assert Requirement.objects.filter(partner=other).count() == 1


@pytest.mark.requirement("I23")
def test_what_is_not_visible_does_not_exist_and_what_is_only_visible_is_forbidden(client, draft, partner, focal_point):
    line = make_requirement(draft, "XAA", "PROT", make_organisation(type="ingo"), 5)
    address = f"{LINES}{line.pk}/"
    reviewer = make_user("pcs@example.org")
    grant(reviewer, "pcs_reviewer", "global")

    assert client.get(address).status_code == 404
    assert send(client, "patch", address, {"note": "x"}).status_code == 401
    client.force_login(focal_point)
    assert client.get(address).status_code == 404
    assert send(client, "patch", address, {"note": "x"}).status_code == 404
    client.force_login(reviewer)
    assert client.get(address).status_code == 200
    refused = send(client, "patch", address, {"note": "x"})
    assert (refused.status_code, refused.json()["type"]) == (403, "permission")
    assert "Ask the coordinator" in refused.json()["errors"][0]["message"]


def test_a_stale_change_is_refused_and_changes_nothing(client, draft, partner, coordinator):
    line = make_requirement(draft, "XAA", "PROT", partner, 5)
    client.force_login(coordinator)
    address = f"{LINES}{line.pk}/"
    read = client.get(address)["ETag"]
    line.note = "changed by somebody else"
    line.save()

    stale = send(client, "patch", address, {"note": "mine"}, **{"if-match": read})
    fresh = send(client, "patch", address, {"note": "mine"}, **{"if-match": client.get(address)["ETag"]})
    next_one = send(client, "patch", address, {"note": "mine too"}, **{"if-match": fresh["ETag"]})

    assert (stale.status_code, stale.json()["type"]) == (412, "stale")
    assert "Fetch it again" in stale.json()["errors"][0]["message"]
    assert (fresh.status_code, next_one.status_code) == (200, 200)
    assert client.delete(address, headers={"if-match": read}).status_code == 412


def test_a_token_writes_only_when_it_was_made_to_write(client, draft, partner, coordinator):
    _token, reads = issue_token(coordinator, name="reads", access="read", expires_at=None)
    _token, writes = issue_token(coordinator, name="writes", access="write", expires_at=None)

    refused = send(client, "post", LINES, line_of(draft, partner), authorization=f"Bearer {reads}")
    made = send(client, "post", LINES, line_of(draft, partner), authorization=f"Bearer {writes}")

    assert (refused.status_code, refusals(refused)) == (403, {None: "token_reads_only"})
    assert made.status_code == 201
    event = Requirement.pgh_event_model.objects.get(pgh_obj_id=made.json()["id"])
    assert event.pgh_context.metadata["user"] == coordinator.pk


def test_a_plan_shows_its_version_people_years_countries_and_sectors(client):
    plan = make_plan("SHOWN26", countries=("XAA", "XBB"), sectors=("PROT", "HLTH"), region=True)
    version = make_version(plan, approved_on=None)
    version.people_in_need, version.people_targeted = 500_000, 400_000
    version.save()
    approve_version(version, approved_on=date(2026, 2, 3))
    plan.lead_organisations.add(make_organisation("UNHCR"))

    row = client.get("/api/v1/plans/SHOWN26/").json()

    assert row["version"] == {
        "id": version.pk,
        "label": "v1",
        "approved_on": "2026-02-03",
        "people_in_need": 500_000,
        "people_targeted": 400_000,
        "source": "",
    }
    assert (row["years"], row["countries"], row["has_regional_chapter"]) == ([2026], ["XAA", "XBB"], True)
    assert [sector["code"] for sector in row["sectors"]] == ["HLTH", "PROT"]
    assert [lead["name"] for lead in row["lead_organisations"]] == ["UNHCR"]
    listed = client.get("/api/v1/plans/", {"year": 2026, "country": "XBB"}).json()["results"]
    assert [plan["code"] for plan in listed] == ["SHOWN26"]


def test_plans_as_csv_have_flat_columns(client):
    plan = make_plan("CSV26")
    plan.name = "=HYPERLINK(1)"
    plan.save()
    make_version(plan, approved_on=date(2026, 2, 3))

    (row,) = csv.DictReader(io.StringIO(b"".join(client.get("/api/v1/plans/?format=csv").streaming_content).decode()))

    assert row["name"] == "'=HYPERLINK(1)"
    assert (row["version_label"], row["version_approved_on"], row["countries"]) == ("v1", "2026-02-03", "XAA")


@pytest.mark.parametrize("number", [3, 30])
@pytest.mark.parametrize("path", ["plans/", "versions/", "chapters/", "requirements/"])
def test_a_list_costs_at_most_four_queries_whatever_its_size(client, django_assert_max_num_queries, path, number):
    partner = make_organisation("Partner", "ingo")
    for _ in range(number):
        make_version(make_plan(), [("XAA", "PROT", partner, 5)], approved_on=date(2026, 1, 1))
    _token, key = issue_token(make_user(), name="t", access="read", expires_at=None)
    client.get(f"/api/v1/{path}", headers={"authorization": f"Bearer {key}"})

    with django_assert_max_num_queries(4):
        assert len(client.get(f"/api/v1/{path}").json()["results"]) == number
    with django_assert_max_num_queries(4):
        client.get(f"/api/v1/{path}", headers={"authorization": f"Bearer {key}"})
