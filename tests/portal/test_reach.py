"""What a grant reaches, as querysets: one table of scopes for plans, and who sees and edits lines and flows."""

from datetime import date

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import Http404

from funding.models import Flow
from planning.models import Chapter, Plan, PlanVersion, Requirement
from rrp_portal import access
from rrp_portal.reference.models import Bureau
from rrp_portal.reference.roles import Permission, Role
from tests.factories import (
    grant,
    make_country,
    make_flow,
    make_line,
    make_organisation,
    make_plan,
    make_user,
    make_version,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def world():
    """Two bureaus; a regional plan in XAA and XBB, another in XBB only, a third in XCC with a published twin."""
    east = Bureau.objects.create(code="EAST", name="East")
    west = Bureau.objects.create(code="WEST", name="West")
    make_country("XAA", bureau=east)
    make_country("XBB", bureau=east)
    make_country("XCC", bureau=west)
    return {
        "east": east,
        "west": west,
        "AB": make_plan("AB", countries=("XAA", "XBB"), region=True, published=False),
        "B": make_plan("B", countries=("XBB",), published=False),
        "C": make_plan("C", countries=("XCC",), published=False),
        "P": make_plan("P", countries=("XCC",)),
    }


def target_of(world, scope):
    return {
        "global": {},
        "bureau": {"bureau": world["east"]},
        "country": {"country": make_country("XBB")},
        "plan": {"plan": world["AB"]},
        "chapter": {"chapter": world["AB"].chapters.get(country="XAA")},
        "sector": {"chapter": world["AB"].chapters.get(country="XAA"), "sector": world["AB"].sectors.get()},
    }[scope]


def codes(queryset):
    return sorted(queryset.values_list("code", flat=True))


@pytest.mark.parametrize(
    ("role", "scope", "plans", "chapters"),
    [
        (Role.IM_OFFICER, "global", ["AB", "B", "C", "P"], 6),
        (Role.IM_OFFICER, "bureau", ["AB", "B"], 3),
        (Role.REFUGEE_COORDINATOR, "country", ["AB", "B"], 2),
        (Role.IM_OFFICER, "plan", ["AB"], 3),
        (Role.IM_OFFICER, "chapter", ["AB"], 1),
        (Role.SECTOR_LEAD, "sector", [], 0),
    ],
)
def test_a_grant_reaches_the_plans_of_its_scope_each_once(world, role, scope, plans, chapters):
    user = make_user()
    grant(user, role, scope, **target_of(world, scope))
    assert codes(Plan.objects.editable_by(user)) == plans
    assert Chapter.objects.within(user, Permission.EDIT_PLAN).count() == chapters


def test_a_sector_grant_shows_the_draft_of_its_plan(world):
    user = make_user()
    grant(user, Role.SECTOR_LEAD, "sector", **target_of(world, "sector"))
    assert codes(Plan.objects.visible_to(user)) == ["AB", "P"]


def test_two_grants_on_one_plan_list_it_once(world):
    user = make_user()
    grant(user, Role.IM_OFFICER, "plan", plan=world["AB"])
    grant(user, Role.REFUGEE_COORDINATOR, "country", country=make_country("XAA"))
    assert codes(Plan.objects.editable_by(user)) == ["AB"]
    assert list(Plan.objects.editable_by(user).select_for_update()), "a queryset without DISTINCT can be locked"


def test_a_visitor_and_a_stranger_see_published_plans_and_edit_none(world):
    for user in (AnonymousUser(), make_user()):
        assert codes(Plan.objects.visible_to(user)) == ["P"]
        assert codes(Plan.objects.editable_by(user)) == []
        assert not Chapter.objects.within(user, Permission.EDIT_PLAN).exists()


def test_a_role_without_the_permission_reaches_nothing(world):
    user = make_user()
    grant(user, Role.FUNDING_TRACKER, "plan", plan=world["AB"])
    assert codes(Plan.objects.editable_by(user)) == []
    assert codes(Plan.objects.visible_to(user)) == ["AB", "P"]


def test_a_plan_query_asks_the_database_once(world, django_assert_num_queries):
    user = make_user()
    grant(user, Role.IM_OFFICER, "bureau", bureau=world["east"])
    with django_assert_num_queries(1):
        assert len(Plan.objects.visible_to(user)) == 3
    with django_assert_num_queries(1):
        list(Flow.objects.visible_to(user)[:50])
    with django_assert_num_queries(1):
        list(Flow.objects.editable_by(user)[:50])


# Versions and lines


@pytest.fixture
def drafted(world):
    """A draft of AB with a line per country, and the two partners who own them."""
    one, two = make_organisation("One"), make_organisation("Two")
    version = make_version(world["AB"], [("XAA", "PROT", one, 100), ("XBB", "PROT", two, 200)])
    return {"version": version, "one": one, "two": two}


def amounts(queryset):
    return sorted(int(amount) for amount in queryset.values_list("gross_usd", flat=True))


def test_a_partner_sees_the_draft_with_their_line_and_only_their_own_lines(world, drafted):
    user = make_user()
    grant(user, Role.PARTNER_FOCAL_POINT, "organisation", organisation=drafted["one"])
    assert codes(Plan.objects.visible_to(user)) == ["AB", "P"]
    assert PlanVersion.objects.visible_to(user).get() == drafted["version"]
    assert amounts(Requirement.objects.visible_to(user)) == [100]
    assert amounts(Requirement.objects.editable_by(user)) == [100]


@pytest.mark.parametrize(
    ("role", "scope", "visible", "editable"),
    [
        (Role.REFUGEE_COORDINATOR, "plan", [100, 200], [100, 200]),
        (Role.CO_LEAD, "plan", [100, 200], [100, 200]),
        (Role.REFUGEE_COORDINATOR, "chapter", [100, 200], [100]),
        (Role.REFUGEE_COORDINATOR, "country", [100, 200], [200]),
        (Role.SECTOR_LEAD, "sector", [100, 200], [100]),
        (Role.FUNDING_TRACKER, "plan", [100, 200], []),
        (Role.DONOR, "global", [], []),
    ],
)
def test_who_sees_and_edits_draft_lines(world, drafted, role, scope, visible, editable):
    user = make_user()
    grant(user, role, scope, **target_of(world, scope))
    assert amounts(Requirement.objects.visible_to(user)) == visible
    assert amounts(Requirement.objects.editable_by(user)) == editable


def test_a_new_draft_of_a_published_plan_is_seen_by_reviewers_and_by_its_partners_only(world):
    one = make_organisation("One")
    make_version(world["P"], [("XCC", "PROT", one, 5)], approved_on=date(2026, 1, 1))
    draft = make_version(world["P"], [("XCC", "PROT", one, 7)], major=2)
    reviewer, partner = make_user(), make_user()
    grant(reviewer, Role.BUREAU_REVIEWER, "bureau", bureau=world["west"])
    grant(partner, Role.PARTNER_FOCAL_POINT, "organisation", organisation=one)
    assert draft in PlanVersion.objects.visible_to(reviewer)
    assert draft in PlanVersion.objects.visible_to(partner)
    for outsider in (AnonymousUser(), make_user()):
        assert [version.major for version in PlanVersion.objects.visible_to(outsider)] == [1]
        assert amounts(Requirement.objects.visible_to(outsider)) == [5]


def test_nobody_edits_a_line_of_an_approved_version(world):
    make_version(world["P"], [("XCC", "PROT", make_organisation(), 5)], approved_on=date(2026, 1, 1))
    administrator = make_user(is_superuser=True)
    assert not Requirement.objects.editable_by(administrator).exists()


# Flows


@pytest.fixture
def flows(world):
    donor, one, two = make_organisation(), make_organisation("One"), make_organisation("Two")
    published = make_flow(donor, one, 10)
    make_line(published, world["P"])
    hidden = make_flow(donor, one, 20)
    make_line(hidden, world["AB"])
    across = make_flow(donor, two, 30)
    make_line(across, world["P"], 10)
    make_line(across, world["AB"], 20)
    make_flow(donor, two, 40, fts_id=1, fts_version=1)
    make_flow(donor, two, 50)
    make_flow(donor, two, 60, fts_id=2, fts_version=1, source_plan=world["C"])
    return {"one": one, "two": two}


@pytest.mark.parametrize(
    ("role", "scope", "visible", "editable"),
    [
        (None, None, [10, 40], []),
        (Role.FUNDING_TRACKER, "plan", [10, 20, 30, 40], [20]),
        (Role.FUNDING_TRACKER, "global", [10, 20, 30, 40, 50, 60], [10, 20, 30, 40, 50, 60]),
        (Role.CO_LEAD, "plan", [10, 20, 30, 40], []),
    ],
)
def test_who_sees_and_edits_flows(world, flows, role, scope, visible, editable):
    user = make_user()
    if role:
        grant(user, role, scope, **target_of(world, scope))
    assert sorted(int(flow.amount_usd) for flow in Flow.objects.visible_to(user)) == visible
    assert sorted(int(flow.amount_usd) for flow in Flow.objects.editable_by(user)) == editable


def test_a_recipient_sees_their_own_flow_in_a_plan_that_is_not_published(world, flows):
    user = make_user()
    grant(user, Role.PARTNER_FINANCE, "organisation", organisation=flows["one"])
    assert sorted(int(flow.amount_usd) for flow in Flow.objects.visible_to(user)) == [10, 20, 40]
    assert not Flow.objects.editable_by(user).exists()


# You may not save what you could not then edit


def test_a_save_that_puts_the_object_out_of_reach_is_undone(world):
    user = make_user()
    grant(user, Role.IM_OFFICER, "plan", plan=world["AB"])

    def into_another_plan():
        return Plan.objects.create(
            code="NEW", name="New", type="other", starts_on=date(2026, 1, 1), ends_on=date(2026, 12, 31)
        )

    with pytest.raises(PermissionDenied, match="You cannot save this"):
        access.save_within_reach(into_another_plan, user)
    assert not Plan.objects.filter(code="NEW").exists()


def test_a_save_within_reach_stays(world):
    user = make_user()
    grant(user, Role.IM_OFFICER, "plan", plan=world["AB"])
    plan = world["AB"]
    plan.name = "Renamed"

    def rename():
        plan.save()
        return plan

    assert access.save_within_reach(rename, user) == plan
    assert Plan.objects.get(code="AB").name == "Renamed"


def test_what_is_not_visible_is_not_found_and_what_is_only_visible_is_forbidden(world):
    user = make_user()
    grant(user, Role.IM_OFFICER, "plan", plan=world["AB"])
    assert access.editable_or_refuse(Plan.objects.all(), user, code="AB") == world["AB"]
    with pytest.raises(PermissionDenied, match="Ask the coordinator"):
        access.editable_or_refuse(Plan.objects.all(), user, code="P")
    with pytest.raises(Http404):
        access.editable_or_refuse(Plan.objects.all(), user, code="C")
