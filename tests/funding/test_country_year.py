"""All money of a country in a year, inside and outside plans."""

import pytest

from funding import rollups
from tests.factories import make_flow, make_line, make_organisation, make_plan
from tests.funding.kivara import make_kivara

pytestmark = pytest.mark.django_db


@pytest.mark.requirement("BR-08", "BR-10")
def test_a_country_counts_what_is_exactly_its_own_and_nothing_twice():
    make_kivara()

    arunda = rollups.country_year("XAA", 2026)

    # F01 3.0 m, F02 2.0 m, F05 1.2 m, F12 -0.1 m, F13 0.6 m; F03 is a pledge; F06 moved between partners in the country
    assert (arunda["funded"], arunda["internal"], arunda["pledged"]) == (6_700_000, 150_000, 1_000_000)
    assert arunda["in_plans"] == 6_700_000


@pytest.mark.requirement("BR-10")
def test_money_for_several_countries_or_years_together_is_left_out_and_never_divided():
    plan, donor, partner = make_plan(countries=("XAA", "XBB")), make_organisation(type="gov_donor"), make_organisation()
    make_line(make_flow(donor, partner, 700), plan, country="XAA")
    make_line(make_flow(donor, partner, 90), plan, country="shared", named_countries=["XAA", "XBB"])
    several_years = make_line(make_flow(donor, partner, 8), plan, country="XAA", named_years=[2026, 2027])
    several_years.year = None
    several_years.save()

    assert (rollups.country_year("XAA", 2026)["funded"], rollups.country_year("XAA", 2026)["shared"]) == (700, 98)
    assert (rollups.country_year("XBB", 2026)["funded"], rollups.country_year("XBB", 2026)["shared"]) == (0, 90)
