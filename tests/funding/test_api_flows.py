"""Flows through the API: the services and the refusals of the form, and the columns of OCHA FTS."""

import csv
import io
import json
from datetime import date
from decimal import Decimal

import pytest
from django.core.cache import cache

from funding import rollups
from funding.models import Flow
from funding.models.flow import LINES_WITHIN_FLOW
from rrp_portal.tokens import issue_token
from tests.factories import grant, make_flow, make_line, make_organisation, make_plan, make_user, make_version
from tests.funding.kivara import make_kivara

pytestmark = pytest.mark.django_db

FLOWS = "/api/v1/flows/"


@pytest.fixture(autouse=True)
def _nobody_is_throttled():
    cache.clear()


@pytest.fixture
def kivara():
    kivara = make_kivara()
    rollups.recompute_stale()
    return kivara


@pytest.fixture
def tracker(kivara):
    user = make_user("tracker@example.org")
    grant(user, "funding_tracker", "plan", plan=kivara.plan)
    return user


def send(client, method, path, body, **headers):
    return getattr(client, method)(path, json.dumps(body), content_type="application/json", headers=headers)


def refusals(answer):
    return {(error["field"], error["code"]) for error in answer.json()["errors"]}


def funded(client):
    rollups.recompute_stale()
    (row,) = client.get("/api/v1/figures/", {"plan": "RTST26", "year": 2026, "level": "total"}).json()["results"]
    return row["funded"]


def sector(kivara, code):
    return kivara.plan.sectors.get(sector__code=code).pk


def flow_from(kivara, donor, recipient, amount, line=None, **values):
    place = {"plan": "RTST26", "year": 2026, "country": "XAA", "plan_sector": sector(kivara, "PROT")}
    return {
        "donor": kivara.who[donor].pk,
        "recipient": kivara.who[recipient].pk,
        "original_amount": str(amount),
        "currency": "USD",
        "status": "paid",
        "decided_on": "2026-03-04",
        "lines": [place | (line or {})],
    } | values


def test_a_flow_is_recorded_counted_and_changed(client, kivara, tracker):
    client.force_login(tracker)

    made = send(client, "post", FLOWS, flow_from(kivara, "Gov Z", "UN-B", 250_000))
    row = made.json()
    assert made.status_code == 201, row
    assert (row["amount_usd"], row["channel"], row["donor_name"]) == ("250000.00", "api", "Gov Z")
    assert [(line["plan"], line["country"], line["sector"], line["amount_usd"]) for line in row["lines"]] == [
        ("RTST26", "XAA", "PROT", "250000.00")
    ]
    assert funded(client) == "13550000.00"

    line = row["lines"][0]
    changed = send(
        client,
        "patch",
        f"{FLOWS}{row['id']}/",
        {"original_amount": "300000", "lines": [line | {"amount_usd": "300000"}]},
    )
    assert changed.status_code == 200, changed.json()
    assert changed.json()["lines"][0]["id"] == line["id"]
    assert funded(client) == "13600000.00"
    event = Flow.pgh_event_model.objects.filter(pgh_obj_id=row["id"]).order_by("-pgh_id")[0]
    assert event.pgh_context.metadata["user"] == tracker.pk


@pytest.mark.requirement("BR-06", "I16")
def test_a_pledge_adds_nothing_until_it_is_committed(client, kivara, tracker):
    client.force_login(tracker)
    row = send(client, "post", FLOWS, flow_from(kivara, "Gov Z", "UN-B", 250_000, status="pledge")).json()

    assert funded(client) == "13300000.00"
    assert any(note.startswith("A pledge") for note in row["notes"])
    send(client, "patch", f"{FLOWS}{row['id']}/", {"status": "commitment"})
    assert funded(client) == "13550000.00"


@pytest.mark.requirement("BR-08", "I17")
def test_money_between_partners_becomes_a_pass_through_and_leaves_the_plan_as_it_is(client, kivara, tracker):
    client.force_login(tracker)
    kivara.flows["F06"].delete()

    made = send(client, "post", FLOWS, flow_from(kivara, "UN-A", "RLO-E", 150_000))

    assert made.status_code == 201, made.json()
    assert made.json()["type"] == "pass_through"
    assert "money passed on inside the plan" in made.json()["notes"][0]
    assert funded(client) == "13300000.00"


@pytest.mark.requirement("BR-01")
def test_lines_never_add_up_to_more_than_their_flow(client, kivara, tracker):
    client.force_login(tracker)
    too_much = flow_from(kivara, "Gov Z", "UN-B", 100)
    too_much["lines"] = [
        too_much["lines"][0] | {"amount": "60"},
        too_much["lines"][0] | {"amount": "60", "country": "XBB"},
    ]

    answer = send(client, "post", FLOWS, too_much)

    assert (answer.status_code, refusals(answer)) == (400, {(None, "lines_within_flow")})
    assert answer.json()["errors"][0]["message"] == LINES_WITHIN_FLOW
    assert Flow.objects.filter(channel="api").count() == 0


@pytest.mark.requirement("BR-17")
def test_a_negative_amount_is_a_reversal_that_cites_its_flow(client, kivara, tracker):
    client.force_login(tracker)
    flow = kivara.flows["F11"]

    negative = send(client, "post", FLOWS, flow_from(kivara, "Gov V", "UN-A", -5))
    too_much = send(client, "post", f"{FLOWS}{flow.pk}/reverse/", {"amount": "2500001", "reason": "wrong"})
    no_reason = send(client, "post", f"{FLOWS}{flow.pk}/reverse/", {"amount": "5", "reason": " "})
    back = send(client, "post", f"{FLOWS}{flow.pk}/reverse/", {"amount": "500000", "reason": "Part withdrawn"})

    assert ("original_amount", "negative") in refusals(negative)
    assert refusals(too_much) == {("amount", "chain_below_zero")}
    assert refusals(no_reason) == {("reason", "required")}
    assert back.status_code == 201, back.json()
    assert (back.json()["amount_usd"], back.json()["corrects"]) == ("-500000.00", flow.pk)
    assert funded(client) == "12800000.00"


@pytest.mark.parametrize(
    ("values", "line", "refused"),
    [
        ({"donor": None}, {}, ("donor", "required")),
        ({"original_amount": None}, {}, ("original_amount", "required")),
        ({"original_amount": "lots"}, {}, ("original_amount", "invalid")),
        ({"currency": "XXX"}, {}, ("currency", "does_not_exist")),
        ({"currency": "EUR"}, {}, ("units_per_usd", "no_rate")),
        ({"status": "promised"}, {}, ("status", "invalid_choice")),
        ({"lines": []}, {}, (None, "required")),
        ({"lines": [7]}, {}, ("lines.0", "invalid")),
        ({"amount_usd": "5"}, {}, ("amount_usd", "read_only")),
        ({"donors": 1}, {}, ("donors", "unknown_field")),
        ({"contribution_type": "in_kind"}, {}, ("valuation_basis", "required")),
        ({}, {"plan": "NOPE"}, ("lines.0.plan", "does_not_exist")),
        ({}, {"year": 2031}, ("lines.0.year", "outside_period")),
        ({}, {"year": None}, ("lines.0.year", "required")),
        ({}, {"country": "QQQ"}, ("lines.0.country", "does_not_exist")),
        ({}, {"plan_sector": 10**9}, ("lines.0.plan_sector", "does_not_exist")),
        ({}, {"amount": "-5"}, ("lines.0.amount", "invalid")),
        ({}, {"sectr": "PROT"}, ("lines.0.sectr", "unknown_field")),
    ],
)
def test_every_refusal_stands_beside_its_field(client, kivara, tracker, values, line, refused):
    client.force_login(tracker)

    answer = send(client, "post", FLOWS, flow_from(kivara, "Gov Z", "UN-B", 100, line) | values)

    assert answer.status_code == 400
    assert refused in refusals(answer), answer.json()


@pytest.mark.requirement("BR-25")
def test_a_suspected_twin_is_recorded_only_when_it_is_confirmed_with_a_reason(client, kivara, tracker):
    client.force_login(tracker)
    body = flow_from(kivara, "Gov Z", "UN-B", 100)
    send(client, "post", FLOWS, body)

    twin = send(client, "post", FLOWS, body)
    confirmed = send(
        client, "post", FLOWS, body | {"confirmed": ["pass_through", "twin"], "reason": "A second transfer"}
    )

    assert (twin.status_code, refusals(twin)) == (400, {(None, "twin")})
    assert confirmed.status_code == 201


def test_a_stale_change_is_refused_also_when_only_a_line_has_changed(client, kivara, tracker):
    client.force_login(tracker)
    address = f"{FLOWS}{kivara.flows['F01'].pk}/"
    read = client.get(address)["ETag"]
    kivara.flows["F01"].lines.update(named_sectors=["Protection"])

    stale = send(client, "patch", address, {"description": "x"}, **{"if-match": read})
    fresh = send(client, "patch", address, {"description": "x"}, **{"if-match": client.get(address)["ETag"]})

    assert (stale.status_code, stale.json()["type"]) == (412, "stale")
    assert fresh.status_code == 200, fresh.json()


def test_only_who_tracks_the_plan_writes_its_flows(client, kivara):
    stranger = make_user("stranger@example.org")
    grant(stranger, "funding_tracker", "plan", plan=make_plan("OTHER26"))
    client.force_login(stranger)
    address = f"{FLOWS}{kivara.flows['F01'].pk}/"

    assert client.get(address).status_code == 200
    assert send(client, "patch", address, {"description": "mine"}).status_code == 403
    assert send(client, "post", FLOWS, flow_from(kivara, "Gov Z", "UN-B", 100)).status_code == 403
    assert send(client, "post", f"{address}reverse/", {"amount": "5", "reason": "x"}).status_code == 403
    assert client.delete(address).status_code == 405
    assert Flow.objects.filter(channel="api").count() == 0


@pytest.mark.requirement("I23")
def test_a_flow_of_a_hidden_plan_does_not_exist_for_visitors(client):
    hidden = make_plan("HIDDEN26", published=False)
    flow = make_flow(make_organisation(type="gov_donor"), make_organisation(), 5)
    make_line(flow, hidden, country="XAA", sector="PROT")

    assert client.get(f"{FLOWS}{flow.pk}/").status_code == 404
    assert client.get(FLOWS).json()["results"] == []


@pytest.mark.requirement("BR-15")
def test_an_anonymous_donor_is_named_only_to_those_who_keep_the_flow(client, kivara, tracker):
    Flow.objects.filter(pk=kivara.flows["F11"].pk).update(is_donor_anonymous=True)
    address = f"{FLOWS}{kivara.flows['F11'].pk}/"

    row = client.get(address).json()
    file = b"".join(client.get(FLOWS, {"plan": "RTST26", "format": "csv"}).streaming_content).decode()
    explained = client.get(
        "/api/v1/figures/explain/", {"plan": "RTST26", "year": 2026, "measure": "funded", "country": "XBB"}
    ).content.decode()

    assert (row["donor"], row["donor_name"], row["is_donor_anonymous"]) == (None, None, True)
    assert "Gov V" not in file
    assert "Gov V" not in explained
    assert client.get(FLOWS, {"donor": "Gov V"}).json()["results"] == []
    client.force_login(tracker)
    assert client.get(address).json()["donor_name"] == "Gov V"


def test_the_list_takes_the_filters_of_the_page(client, kivara):
    def names(**query):
        rows = client.get(FLOWS, {"plan": "RTST26"} | query).json()["results"]
        return sorted((row["donor_name"], row["recipient_name"]) for row in rows)

    assert names(status="pledge") == [("Gov Z", "UN-B")]
    assert names(split="shared") == [("Gov Y", "INGO-C")]
    assert names(country="XBB", sector="EDUC") == [("Gov W", "UN-B")]
    assert names(type="reversal") == [("Gov Y", "UN-B")]
    assert len(names()) == 13


def test_csv_has_the_columns_of_fts_and_one_row_per_line(client, kivara):
    answer = client.get(FLOWS, {"plan": "RTST26", "format": "csv"})
    rows = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode())))

    assert len(rows) == 13
    by_donor = {row["srcOrganization"]: row for row in rows}
    assert by_donor["Gov W"] | {} == by_donor["Gov W"] | {
        "amountUSD": "1000000.00",
        "flowAmountUSD": "3000000.00",
        "originalAmount": "2700000.00",
        "originalCurrency": "CHF",
        "destPlan": kivara.plan.name,
        "destPlanCode": kivara.plan.fts_code or "RTST26",
        "destLocations": "XBB",
        "destUsageYearStart": "2026",
        "destUsageYearEnd": "2026",
        "onBoundary": "single",
        "status": "commitment",
        "flowType": "Standard",
    }
    counted = [
        Decimal(row["amountUSD"]) for row in rows if row["status"] != "pledge" and row["flowType"] != "Pass through"
    ]
    assert sum(counted) == 13_300_000
    assert {row["amountUSD"] for row in rows if row["flowType"] == "Reversal"} == {"-100000.00"}


@pytest.mark.parametrize("number", [3, 40])
@pytest.mark.parametrize(
    "query",
    [
        "flows/",
        "flows/?plan=LONG26&country=XAA",
        "figures/",
        "figures/?plan=LONG26&year=2026&level=cell",
        "figures/?plan=LONG26&year=2026&level=partner&as_of=2026-11-30",
        "figures/?plan=LONG26&year=2026&as_of=2026-11-30",
    ],
)
def test_a_list_costs_at_most_four_queries_whatever_its_size(client, django_assert_max_num_queries, query, number):
    plan = make_plan("LONG26")
    partners = [make_organisation(type="ingo") for _ in range(number)]
    make_version(plan, [("XAA", "PROT", partner, 5) for partner in partners], approved_on=date(2026, 1, 1))
    for partner in partners:
        make_line(make_flow(make_organisation(type="gov_donor"), partner, 5), plan, country="XAA", sector="PROT")
    rollups.recompute_stale()

    with django_assert_max_num_queries(4):
        assert len(client.get(f"/api/v1/{query}").json()["results"]) > 2

    if "country" not in query and "plan" not in query:
        _token, key = issue_token(make_user(), name="t", access="read", expires_at=None)
        client.get(f"/api/v1/{query}", headers={"authorization": f"Bearer {key}"})
        with django_assert_max_num_queries(4):
            client.get(f"/api/v1/{query}", headers={"authorization": f"Bearer {key}"})
