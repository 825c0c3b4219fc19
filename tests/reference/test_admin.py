"""The administration: who may enter, lists of constant cost, and refusals that are sentences instead of faults."""

from datetime import date

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.urls import reverse

from funding.models import Flow, FlowLine, PlanYear
from planning.models import PlanVersion, Requirement
from planning.services import approve_version
from rrp_portal.reference.models import ApiToken, Country, Grant, Organisation, OrganisationMerge, Sector, User
from tests.factories import (
    grant,
    make_country,
    make_flow,
    make_line,
    make_organisation,
    make_organisation_type,
    make_plan,
    make_population_group,
    make_requirement,
    make_sector,
    make_user,
    make_version,
)

pytestmark = pytest.mark.django_db

MODELS = sorted((model for model in admin.site._registry), key=lambda model: model._meta.label)


def address(model, page, *args):
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


@pytest.fixture
def user():
    return make_user("administrator@example.org", is_staff=True, is_superuser=True)


@pytest.fixture
def browser(client, user):
    client.force_login(user)
    return client


def messages(response):
    return [str(message) for message in response.context["messages"]]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label_lower)
def test_every_list_and_form_opens_and_every_search_answers(browser, model):
    plan = make_plan("R1")
    make_version(plan, [("XAA", "PROT", make_organisation("UN-A"), 100)])
    make_line(make_flow(make_organisation("Gov X", "gov_donor"), make_organisation("UN-B"), 10), plan)
    PlanYear.objects.create(plan=plan, year=2026)

    assert browser.get(address(model, "changelist")).status_code == 200
    assert browser.get(address(model, "changelist"), {"q": "un"}).status_code == 200
    assert browser.get(address(model, "add")).status_code in {200, 403}
    row = model._default_manager.first()
    if row is not None:
        assert browser.get(address(model, "change", row.pk)).status_code == 200
        assert browser.get(address(model, "delete", row.pk)).status_code in {200, 403}
