"""What the tests of shared data begin with. Models are imported inside: this file is read before Django is ready."""

from types import SimpleNamespace

import pytest


@pytest.fixture
def user(db):
    """An administrator."""
    from tests.factories import make_user

    return make_user("administrator@example.org", is_staff=True, is_superuser=True)


@pytest.fixture
def browser(client, user):
    """The administrator's browser."""
    client.force_login(user)
    return client


@pytest.fixture
def made(db):
    """A country plan for 2026 with a draft that has one line of 100, and a ministry."""
    from planning.models import Plan
    from tests.factories import make_organisation, make_plan, make_population_group, make_requirement, make_version

    agency, ministry = make_organisation("UN-A"), make_organisation("Ministry of Health", "gov_host")
    plan = make_plan("R1", type=Plan.Type.COUNTRY_RRP)
    draft = make_version(plan)
    line = make_requirement(draft, "XAA", "PROT", agency, 100)
    for code in ("REF", "IDP", "RDP", "MIG"):
        make_population_group(code)
    return SimpleNamespace(plan=plan, draft=draft, line=line, agency=agency, ministry=ministry)


@pytest.fixture
def draft(made):
    """The draft with its one line."""
    return made.draft


@pytest.fixture
def agency(made):
    """The organisation that owns the line."""
    return made.agency
