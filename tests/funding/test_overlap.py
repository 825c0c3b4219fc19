"""Plans that overlap are counted once."""

from datetime import date

import pytest

from funding import rollups
from planning.models import Plan
from tests.factories import make_organisation, make_plan, make_version

pytestmark = pytest.mark.django_db


@pytest.mark.requirement("BR-04", "BR-05")
def test_what_stands_in_the_refugee_plan_and_in_the_humanitarian_plan_counts_once():
    agency = make_organisation()
    for code, type, amount, overlap in (
        ("RTCD26", Plan.Type.COUNTRY_RRP, 540_000_000, 540_000_000),
        ("HTCD26", Plan.Type.HRP, 986_000_000, 0),
        ("NTCD26", Plan.Type.NATIONAL_PLAN, 700_000_000, 0),
    ):
        plan = make_plan(code, type=type)
        plan.chapters.update(overlap_with_hrp_usd=overlap)
        make_version(plan, [("XAA", "PROT", agency, amount)], approved_on=date(2026, 1, 1))
    rollups.recompute_stale()

    together = rollups.together(Plan.objects.all(), 2026)

    assert (together.refugee, together.humanitarian, together.overlap) == (540_000_000, 986_000_000, 540_000_000)
    assert (together.required, together.humanitarian_only) == (986_000_000, 446_000_000)
    assert rollups.world(Plan.objects.all(), 2026).required == 540_000_000


@pytest.mark.requirement("BR-05")
def test_the_page_says_what_refugee_and_humanitarian_plans_require_together(client):
    agency = make_organisation()
    for code, type, amount, overlap in (("RTCD26", Plan.Type.COUNTRY_RRP, 540, 500), ("HTCD26", Plan.Type.HRP, 986, 0)):
        plan = make_plan(code, type=type)
        plan.chapters.update(overlap_with_hrp_usd=overlap)
        make_version(plan, [("XAA", "PROT", agency, amount)], approved_on=date(2026, 1, 1))
    rollups.recompute_stale()

    alone = client.get("/?year=2026").content.decode()
    both = client.get("/?year=2026&reference=on").content.decode()

    assert "Together with" not in alone
    assert "1,026 USD is required; 500 USD that stands in both is counted once." in both
