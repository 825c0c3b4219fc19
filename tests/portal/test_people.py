"""Giving, withdrawing and seeing grants: who may, through the page, the service and the database."""

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, connection, transaction
from django.urls import reverse

from rrp_portal.people import services
from rrp_portal.reference.models import Bureau, Grant, Invitation
from rrp_portal.reference.roles import Role
from tests.factories import grant, make_country, make_organisation, make_plan, make_user, make_version

pytestmark = pytest.mark.django_db
GIVE = "people-give"


@pytest.fixture
def plan():
    return make_plan("MINE", countries=("XAA", "XBB"), sectors=("PROT", "EDU"), published=False)


@pytest.fixture
def other():
    return make_plan("OTHER", countries=("XCC",), published=False)


@pytest.fixture
def coordinator(plan):
    user = make_user("coordinator@example.org", name="Amina")
    grant(user, Role.REFUGEE_COORDINATOR, "plan", plan=plan)
    return user


@pytest.fixture
def administrator():
    user = make_user("administrator@example.org", name="Root")
    grant(user, Role.SYSTEM_ADMIN, "global")
    return user


def page(client, user, name, *args, **query):
    client.force_login(user)
    return client.get(reverse(name, args=args, query=query))


def post_give(client, by, what, data, **query):
    client.force_login(by)
    return client.post(reverse(GIVE, query={"what": what} | query), data)


# The rule


@pytest.mark.parametrize(
    ("role", "scope", "where", "allowed"),
    [
        (Role.REFUGEE_COORDINATOR, "plan", "plan", True),
        (Role.CO_LEAD, "plan", "plan", True),
        (Role.IM_OFFICER, "chapter", "plan", True),
        (Role.SECTOR_LEAD, "sector", "plan", True),
        (Role.FUNDING_TRACKER, "plan", "plan", True),
        (Role.GOVERNMENT_LEAD, "chapter", "plan", True),
        (Role.MFT_MEMBER, "plan", "plan", False),  # vets what the coordinator submits
        (Role.SENIOR_MANAGEMENT, "chapter", "plan", False),
        (Role.GCR_FOCAL_POINT, "plan", "plan", False),
        (Role.CO_LEAD, "plan", "other", False),
        (Role.SECTOR_LEAD, "sector", "other", False),
        (Role.IM_OFFICER, "global", "plan", False),
        (Role.SYSTEM_ADMIN, "global", "plan", False),
        (Role.REFUGEE_COORDINATOR, "country", "plan", False),
        (Role.BUREAU_DIRECTOR, "bureau", "plan", False),
    ],
)
def test_a_coordinator_grants_within_the_own_plan_roles_that_permit_no_more_than_their_own(
    plan, other, coordinator, administrator, role, scope, where, allowed
):
    there = {"plan": plan, "other": other}[where]
    chapter = there.chapters.order_by("pk")[0]
    target = {
        "plan": {"plan": there},
        "chapter": {"chapter": chapter},
        "sector": {"chapter": chapter, "sector": there.sectors.all()[0]},
        "country": {"country": chapter.country},
        "bureau": {"bureau": Bureau.objects.create(code="B", name="B")},
        "global": {},
    }[scope]
    wanted = Grant(user=make_user(), role=role, scope=scope, **target)
    assert services.may_grant(administrator, wanted) is None
    assert (services.may_grant(coordinator, wanted) is None) is allowed


def test_who_also_vets_in_the_plan_may_appoint_others_who_vet(plan, coordinator):
    wanted = Grant(user=make_user(), role=Role.MFT_MEMBER, scope="plan", plan=plan)
    assert "may do things here that you may not" in services.may_grant(coordinator, wanted)
    grant(coordinator, Role.MFT_MEMBER, "plan", plan=plan)
    assert services.may_grant(coordinator, wanted) is None


def test_the_coordinator_of_a_chapter_grants_for_the_chapter_and_not_for_the_plan(plan):
    user = make_user()
    mine, neighbour = plan.chapters.order_by("pk")
    grant(user, Role.REFUGEE_COORDINATOR, "chapter", chapter=mine)
    person = make_user()
    assert services.may_grant(user, Grant(user=person, role=Role.CO_LEAD, scope="chapter", chapter=mine)) is None
    assert services.may_grant(user, Grant(user=person, role=Role.CO_LEAD, scope="chapter", chapter=neighbour))
    assert services.may_grant(user, Grant(user=person, role=Role.CO_LEAD, scope="plan", plan=plan))


def test_a_bureaus_coordinator_spans_plans_whose_countries_are_all_of_the_bureau(plan, other):
    east = Bureau.objects.create(code="EAST", name="East")
    for iso3 in ("XAA", "XCC"):
        country = make_country(iso3)
        country.bureau = east
        country.save()
    user, person = make_user(), make_user()
    grant(user, Role.REGIONAL_REFUGEE_COORDINATOR, "bureau", bureau=east)
    assert services.may_grant(user, Grant(user=person, role=Role.CO_LEAD, scope="plan", plan=other)) is None
    assert services.may_grant(user, Grant(user=person, role=Role.CO_LEAD, scope="plan", plan=plan)), (
        "XBB is of no bureau"
    )
    assert services.may_grant(user, Grant(user=person, role=Role.SENIOR_MANAGEMENT, scope="country", country=country))
    assert (
        services.may_grant(user, Grant(user=person, role=Role.GOVERNMENT_LEAD, scope="country", country=country))
        is None
    )


def test_a_coordinator_names_the_focal_point_of_a_partner_who_drafts_nowhere_else(plan, other, coordinator):
    partner, shared, stranger = make_organisation("Partner"), make_organisation("Shared"), make_organisation("Stranger")
    make_version(plan, [("XAA", "PROT", partner, 1), ("XAA", "PROT", shared, 2)])
    make_version(other, [("XCC", "PROT", shared, 3)])
    person = make_user()

    def reason(organisation):
        wanted = Grant(user=person, role=Role.PARTNER_FOCAL_POINT, scope="organisation", organisation=organisation)
        return services.may_grant(coordinator, wanted)

    assert reason(partner) is None
    assert "no draft lines elsewhere" in reason(shared)
    assert "appeal in your plan" in reason(stranger)


def test_who_holds_no_role_that_grants_gives_nothing(plan):
    user = make_user()
    grant(user, Role.CO_LEAD, "plan", plan=plan)
    assert services.may_grant(user, Grant(user=make_user(), role=Role.CORE_GROUP_MEMBER, scope="plan", plan=plan))


def test_a_closed_account_gives_nothing(plan, coordinator):
    coordinator.is_active = False
    coordinator.save()
    assert services.may_grant(coordinator, Grant(user=make_user(), role=Role.CO_LEAD, scope="plan", plan=plan))


# Nobody grants to themselves: page, service, raw SQL


def test_nobody_grants_to_themselves_through_the_page(client, plan, coordinator, administrator):
    for user in (coordinator, administrator):
        answer = post_give(client, user, "co_lead:plan", {"email": user.email.upper(), "plan": "MINE"})
        assert answer.status_code == 422
        assert "Nobody can grant a role to themselves" in answer.content.decode()
        assert not user.grants.filter(role=Role.CO_LEAD).exists()
    assert not Invitation.objects.exists()


def test_nobody_grants_to_themselves_through_the_service(plan, administrator):
    with pytest.raises(PermissionDenied, match="to themselves"):
        services.give_grant(Grant(user=administrator, role=Role.CO_LEAD, scope="plan", plan=plan), by=administrator)


def test_nobody_grants_to_themselves_through_raw_sql(plan, coordinator):
    insert = """INSERT INTO reference_grant (user_id, role, scope, plan_id, granted_by_id, granted_at)
                VALUES (%s, 'co_lead', 'plan', %s, %s, now())"""
    with (
        pytest.raises(IntegrityError, match="nobody_grants_to_themselves"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(insert, [coordinator.pk, plan.pk, coordinator.pk])
    given = services.give_grant(Grant(user=make_user(), role=Role.CO_LEAD, scope="plan", plan=plan), by=coordinator)
    with (
        pytest.raises(IntegrityError, match="nobody_grants_to_themselves"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("UPDATE reference_grant SET user_id = granted_by_id WHERE id = %s", [given.pk])


def test_nobody_grants_to_themselves_through_the_administration(client, plan, administrator):
    administrator.is_staff = True
    administrator.save()
    client.force_login(administrator)
    data = {"user": administrator.pk, "role": Role.CO_LEAD, "scope": "plan", "plan": plan.pk}
    answer = client.post(reverse("admin:reference_grant_add"), data)
    assert answer.status_code == 200
    assert "Nobody can grant a role to themselves" in answer.content.decode()
    held = grant(make_user(), Role.CO_LEAD, "plan", plan=plan)
    answer = client.post(reverse("admin:reference_grant_change", args=[held.pk]), data)
    assert "Nobody can grant a role to themselves" in answer.content.decode()
    assert [given.role for given in administrator.grants.all()] == [Role.SYSTEM_ADMIN]


def test_an_administrator_may_enter_the_administration_as_long_as_they_are_one(client, administrator):
    person = make_user("second@example.org")
    assert post_give(client, administrator, "system_admin:global", {"email": person.email}).status_code == 302
    client.force_login(person)
    assert client.get(reverse("admin:reference_country_changelist")).status_code == 200
    services.withdraw_grant(person.grants.get(), by=administrator)
    assert client.get(reverse("admin:reference_country_changelist")).status_code == 302


# The page


def test_a_coordinator_gives_a_role_to_somebody_with_an_account_who_is_told(
    client, plan, coordinator, mailoutbox, django_capture_on_commit_callbacks
):
    person = make_user("known@example.org", name="Known Person", language="fr")
    with django_capture_on_commit_callbacks(execute=True):
        answer = post_give(client, coordinator, "co_lead:plan", {"email": "Known@Example.org", "plan": "MINE"})
    assert answer.status_code == 302
    given = person.grants.get()
    assert (given.role, given.plan, given.granted_by) == (Role.CO_LEAD, plan, coordinator)
    (letter,) = mailoutbox
    assert letter.to == ["known@example.org"]
    assert "Amina" in letter.body
    assert "MINE" in letter.body


def test_the_sector_of_a_chapter_is_chosen_within_the_own_plan(client, plan, other, coordinator):
    person = make_user("lead@example.org")
    chapter, sector = plan.chapters.order_by("pk")[0], plan.sectors.get(name="EDU")
    data = {"email": person.email, "chapter": chapter.pk, "sector": sector.pk}
    assert post_give(client, coordinator, "sector_lead:sector", data).status_code == 302
    assert person.grants.get().sector == sector
    foreign = data | {"chapter": other.chapters.get().pk}
    answer = post_give(client, coordinator, "sector_lead:sector", foreign)
    assert answer.status_code == 422
    assert post_give(client, coordinator, "sector_lead:sector", data, plan="OTHER").status_code == 422
    assert Grant.objects.filter(user=person).count() == 1


def test_a_refused_form_keeps_what_was_typed(client, plan, coordinator):
    answer = post_give(client, coordinator, "co_lead:plan", {"email": "a@example.org", "name": "Ann", "plan": "OTHER"})
    text = answer.content.decode()
    assert answer.status_code == 422
    assert 'value="a@example.org"' in text
    assert 'value="Ann"' in text
    assert "You coordinate no plan with this code" in text


@pytest.mark.parametrize(
    "what", ["system_admin:global", "co_lead:bureau", "nonsense", "co_lead:", ":plan", "mft_member:plan"]
)
def test_a_role_that_is_not_offered_is_refused(client, plan, coordinator, what):
    answer = post_give(client, coordinator, what, {"email": "a@example.org", "plan": "MINE"})
    assert answer.status_code == 422
    assert Grant.objects.count() == 1


def test_the_same_role_given_twice_says_so(client, plan, coordinator):
    person = make_user("twice@example.org")
    data = {"email": person.email, "plan": "MINE"}
    assert post_give(client, coordinator, "co_lead:plan", data).status_code == 302
    answer = post_give(client, coordinator, "co_lead:plan", data)
    assert answer.status_code == 422
    assert "This person already has this role here." in answer.content.decode()


def test_an_administrator_gives_a_role_for_an_organisation_by_name_and_by_number(client, administrator):
    twins = [make_organisation("Twin"), make_organisation("Twin")]
    make_organisation("Alone", acronym="ALN")
    person = make_user("focal@example.org")
    what = "partner_focal_point:organisation"
    answer = post_give(client, administrator, what, {"email": person.email, "organisation": "Twin"})
    assert "Several organisations are called so" in answer.content.decode()
    assert post_give(client, administrator, what, {"email": person.email, "organisation": "aln"}).status_code == 302
    typed = f"Twin (#{twins[1].pk})"
    assert post_give(client, administrator, what, {"email": person.email, "organisation": typed}).status_code == 302
    assert {held.organisation.name for held in person.grants.all()} == {"Alone", "Twin"}
    for odd in ("Nobody", "#", "x #99999999999999999999", "#²"):
        assert post_give(client, administrator, what, {"email": person.email, "organisation": odd}).status_code == 422


def test_the_list_shows_only_grants_within_reach(client, plan, other, coordinator, administrator):
    grant(make_user(name="Inside Person"), Role.MFT_MEMBER, "plan", plan=plan)
    grant(make_user(name="Outside Person"), Role.CO_LEAD, "plan", plan=other)
    text = page(client, coordinator, "people").content.decode()
    assert "Inside Person" in text
    assert "Outside Person" not in text
    everything = page(client, administrator, "people").content.decode()
    assert "Inside Person" in everything
    assert "Outside Person" in everything


def test_the_list_filters_by_person_role_and_plan(client, plan, other, administrator):
    grant(make_user("zoe@example.org", name="Zoe"), Role.CO_LEAD, "plan", plan=plan)
    grant(
        make_user("max@example.org", name="Max"),
        Role.SECTOR_LEAD,
        "sector",
        chapter=other.chapters.get(),
        sector=other.sectors.get(),
    )
    for query, shown, hidden in (
        ({"q": "zoe@"}, "Zoe", "Max"),
        ({"role": "sector_lead"}, "Max", "Zoe"),
        ({"plan": "other"}, "Max", "Zoe"),
    ):
        text = page(client, administrator, "people", **query).content.decode()
        assert shown in text
        assert hidden not in text


def test_lists_of_people_cost_the_same_for_few_and_for_many(client, plan, coordinator, django_assert_max_num_queries):
    for _number in range(60):
        services.give_grant(Grant(user=make_user(), role=Role.CO_LEAD, scope="plan", plan=plan), by=coordinator)
    client.force_login(coordinator)
    for name in ("people", "people-invitations", "people-history"):
        with django_assert_max_num_queries(8):
            assert client.get(reverse(name)).status_code == 200
    assert "Page 1 of 2" in client.get(reverse("people")).content.decode()


def test_a_stranger_is_told_whom_to_ask(client):
    answer = page(client, make_user(), "people")
    assert answer.status_code == 403
    assert "Roles are given by the coordinator" in answer.content.decode()


def test_a_grant_that_makes_no_sense_is_refused_with_a_sentence(administrator, plan):
    with pytest.raises(ValidationError, match="is granted for"):
        services.give_grant(Grant(user=make_user(), role=Role.DONOR, scope="plan", plan=plan), by=administrator)
