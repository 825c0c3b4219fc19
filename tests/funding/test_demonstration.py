"""The demonstration: labelled, off by default, the same on every load, and true to the rules."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from funding import rollups
from funding.demonstration import people
from funding.models import Flow, FlowLine
from planning.models import Plan
from rrp_portal.reference.models import Grant, User
from rrp_portal.reference.roles import Role
from tests.funding import oracle

pytestmark = pytest.mark.django_db


@pytest.fixture
def demonstration(settings):
    settings.DEMONSTRATION = True
    call_command("load_reference", stdout=StringIO())
    call_command("load_demonstration", stdout=StringIO())
    return Plan.objects.get(code="RORV2627")


def test_the_demonstration_is_refused_where_it_is_switched_off(settings):
    settings.DEMONSTRATION = False

    with pytest.raises(CommandError, match="DEMONSTRATION=true"):
        call_command("load_demonstration")


def test_loading_again_changes_nothing_and_every_role_has_one_login(demonstration):
    before = (Flow.objects.count(), FlowLine.objects.count(), User.objects.count(), Grant.objects.count())
    output = StringIO()

    call_command("load_demonstration", stdout=output)

    assert "0 plans and 0 people" in output.getvalue()
    assert (Flow.objects.count(), FlowLine.objects.count(), User.objects.count(), Grant.objects.count()) == before
    assert [role for role, *_ in people.logins()] == list(Role)


def test_the_fuller_plan_has_every_kind_of_row(demonstration):
    flows = Flow.objects.filter(lines__plan=demonstration)

    assert flows.distinct().count() == 500
    assert demonstration.chapters.filter(country__isnull=False).count() == 5
    assert demonstration.sectors.count() == 10
    assert set(flows.values_list("status", flat=True)) == set(Flow.Status)
    assert set(flows.values_list("type", flat=True)) == set(Flow.Type)
    assert set(FlowLine.objects.filter(plan=demonstration).values_list("split", flat=True)) == {
        "single",
        "shared",
        "not_specified",
    }
    assert Plan.objects.filter(is_demonstration=False).count() == 0


@pytest.mark.requirement("BR-21")
def test_its_figures_agree_with_the_rules_in_plain_python(demonstration):
    for year in demonstration.years:
        expected = oracle.figures(demonstration, year)["total"][()]
        total = rollups.total(demonstration.pk, year)
        assert {measure: getattr(total, measure) for measure in expected} == expected
        assert rollups.identity(rollups.read(demonstration.pk, year, ["cell"])["cell"]).holds
    assert rollups.verify() == []
