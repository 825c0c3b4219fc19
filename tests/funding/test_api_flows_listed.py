"""A list over REST says of each row what its own address says, though it reads it another way."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.core.cache import cache
from django.urls import reverse

from funding.models import Flow, FlowLine
from planning.models import Plan
from rrp_portal.reference.models import Country
from tests.factories import make_currency, make_flow, make_line, make_organisation, make_plan, plan_sector
from tests.funding.kivara import make_kivara

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nobody_is_throttled():
    cache.clear()


def rich_flow() -> Flow:
    """A flow with a value in every field, one line with a sector, and one that names several of everything."""
    plan, before = (
        make_plan("RICH26", countries=("XAA", "XBB"), sectors=("PROT", "EDU")),
        make_plan("RICH25", year=2025),
    )
    Country.objects.filter(pk="XAA").update(names={"fr": "Premier pays"})
    donor, recipient = make_organisation(type="gov_donor"), make_organisation()
    first = make_flow(donor, recipient, 5)
    flow = make_flow(
        donor, recipient, Decimal("1234.50"), fts_id=4711, fts_version=3, reference="R/1", description="For “all”", type="carry_over",
        contribution_type="in_kind", method="cash", is_new_money=False, earmarking="tightly", earmarking_modality="K",
        original_amount=Decimal("1000.00"), currency=make_currency("EUR"), units_per_usd=Decimal("0.81"), rate_source="UN",
        rate_on=date(2026, 1, 2), full_parked_usd=Decimal(2000), valuation_basis="Market price", budget_year=2026,
        flow_on=date(2026, 3, 4), decided_on=date(2026, 3, 1), first_reported_on=date(2026, 3, 9),
        source_updated_at=datetime(2026, 3, 10, 11, 12, 13, 140000, tzinfo=UTC), source_plan=before, source_year=2025,
        source_place="country", source_country_id="XAA", source_split="single", source_sector=plan_sector(before, "PROT"),
        parent=first, corrects=first, reason="Why", keywords=["a", "b"], emergencies=["c"], project_name="P", project_code="P-1",
    )  # fmt: skip
    make_line(flow, plan, Decimal("1000.25"), year=2026, country="XAA", sector="EDU")
    line = make_line(flow, plan, Decimal("234.25"))
    named = {"named_years": [2026, 2027], "named_countries": ["XAA", "XBB"], "named_sectors": ["Health"]}
    FlowLine.objects.filter(pk=line.pk).update(place="shared", split="shared", year=None, **named)
    return flow


@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_list_of_flows_says_of_each_flow_what_its_own_address_says(client, language):
    make_kivara()
    flow = rich_flow()
    make_flow(None, None, 7, fts_id=12)
    Flow.objects.filter(pk=flow.parent_id).update(is_donor_anonymous=True)
    said = {"accept-language": language}

    rows = client.get("/api/v1/flows/", headers=said).json()["results"]

    assert len(rows) > 5
    assert flow.pk in {row["id"] for row in rows}
    for row in rows:
        alone = client.get(f"/api/v1/flows/{row['id']}/", headers=said).json()
        assert alone.pop("notes") is not None
        assert row == alone
        assert list(row) == list(alone)


def test_every_field_that_the_document_names_is_in_a_plan_and_in_a_flow(client):
    make_kivara()
    rich_flow()
    schemas = client.get(reverse("api:schema")).json()["components"]["schemas"]

    for path, name in (("flows", "Flow"), ("plans", "Plan")):
        row = client.get(f"/api/v1/{path}/").json()["results"][0]
        assert list(row) == list(schemas[name]["properties"])
    line = client.get("/api/v1/flows/").json()["results"][0]["lines"]
    assert all(list(part) == list(schemas["FlowLine"]["properties"]) for part in line)


def test_a_plan_without_version_situation_or_sectors_is_listed_with_nothing_in_their_place(client):
    make_plan("BARE26", sectors=(), countries=())
    assert Plan.objects.get().situation is None

    (row,) = client.get("/api/v1/plans/").json()["results"]

    assert (row["version"], row["situation"], row["situation_name"]) == (None, None, None)
    assert (row["sectors"], row["countries"], row["lead_organisations"], row["years"]) == ([], [], [], [2026])
