"""All money of a country in a year: what has no known source is money too."""

import pytest

from funding import rollups
from funding.models import FlowLine
from tests.factories import make_country, make_flow, make_organisation, make_plan

pytestmark = [pytest.mark.django_db, pytest.mark.requirement("BR-10")]


def test_a_country_counts_money_without_a_source_country_and_leaves_out_what_is_shared_between_years():
    plan = make_plan(year=2026)
    country = make_country("XAA")
    donor, recipient = make_organisation(type="gov_donor"), make_organisation()
    common = {"plan": plan, "place": "country", "country": country}
    known = make_flow(donor, recipient, 100)
    FlowLine.objects.create(flow=known, amount_usd=100, year=2026, **common)
    shared = make_flow(donor, recipient, 30)
    FlowLine.objects.create(flow=shared, amount_usd=30, year=None, named_years=[2025, 2026], **common)
    moved = make_flow(recipient, donor, 7, source_country=country, source_year=2026, is_new_money=False)
    FlowLine.objects.create(flow=moved, amount_usd=7, year=2026, **common)

    found = rollups.country_year("XAA", 2026)

    assert (found["funded"], found["internal"], found["shared"]) == (100, 7, 30)
    assert (found["flows"], found["shared_flows"]) == (1, 1)
