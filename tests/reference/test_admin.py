"""The administration: who may enter, lists of constant cost, and refusals that are sentences instead of faults."""

from datetime import date

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from funding.models import Flow, PlanYear
from planning.models import Requirement
from rrp_portal.reference.admin import base
from rrp_portal.reference.models import ApiToken, Country, ExchangeRate, Grant, Organisation, Sector, User
from tests.factories import (
    grant,
    make_country,
    make_currency,
    make_flow,
    make_line,
    make_organisation,
    make_organisation_type,
    make_requirement,
    make_sector,
    make_user,
)
from tests.reference.administration import address, errors, messages, values

pytestmark = pytest.mark.django_db

MODELS = sorted(admin.site._registry, key=lambda model: model._meta.label)
EVERY_MODEL = pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label_lower)


class TestWhoMayEnter:
    def test_a_visitor_is_sent_to_the_one_sign_in_page(self, client):
        response = client.get(reverse("admin:index"), follow=True)

        assert response.redirect_chain[-1][0].startswith(reverse("account_login"))

    def test_signing_in_past_the_second_step_is_not_possible(self, client, user):
        response = client.post(reverse("admin:login"), {"username": user.email, "password": "a long password 1"})

        assert response.status_code == 302
        assert response.url.startswith(reverse("account_login"))

    def test_a_person_without_the_right_is_told_so(self, client):
        client.force_login(make_user())

        assert client.get(reverse("admin:index"), follow=True).status_code == 403

    def test_staff_without_an_administrators_grant_see_nothing(self, client):
        person = make_user(is_staff=True)
        grant(person, "funding_tracker", "global")
        client.force_login(person)

        assert client.get(reverse("admin:index")).context["app_list"] == []
        assert client.get(address(Organisation, "changelist")).status_code == 403

    def test_a_system_administrator_sees_everything_and_makes_no_superuser(self, client, user):
        person = make_user(is_staff=True)
        grant(person, "system_admin", "global")
        client.force_login(person)

        assert len(client.get(reverse("admin:index")).context["app_list"]) >= 4
        assert client.get(address(Organisation, "changelist")).status_code == 200
        other = make_user("other@example.org")
        client.post(address(User, "change", other.pk), values(other, is_superuser="on", is_staff="on"))
        other.refresh_from_db()
        assert (other.is_staff, other.is_superuser) == (True, False)
        refused = client.post(address(User, "change", user.pk), values(user, email="taken@example.org"))
        assert refused.status_code == 403


class TestLists:
    @EVERY_MODEL
    def test_every_list_and_form_opens_and_every_search_answers(self, browser, model, draft):
        make_line(make_flow(make_organisation("Gov X", "gov_donor"), make_organisation("UN-B"), 10), draft.plan)
        PlanYear.objects.create(plan=draft.plan, year=2026)

        assert browser.get(address(model, "changelist")).status_code == 200
        assert browser.get(address(model, "changelist"), {"q": "un"}).status_code == 200
        assert browser.get(address(model, "add")).status_code in {200, 403}
        row = model._default_manager.first()
        if row is not None:
            assert browser.get(address(model, "change", row.pk)).status_code == 200
            assert browser.get(address(model, "delete", row.pk)).status_code in {200, 403}

    @pytest.mark.parametrize(
        "model", [Organisation, Requirement, Flow, Grant, Country, Sector], ids=lambda model: model._meta.label_lower
    )
    def test_a_list_costs_the_same_whatever_its_length(self, browser, model, draft):
        def add(number):
            country = make_country(f"XB{chr(65 + number)}")
            partner = make_organisation(f"Partner {number}", country=country)
            Sector.objects.create(code=f"S{number}", name=f"S{number}", parent=make_sector())
            make_requirement(draft, "XAA", "PROT", partner, 10)
            flow = make_flow(make_organisation(f"Gov {number}", "gov_donor"), partner, 10)
            make_line(flow, draft.plan, country="XAA", sector="PROT")
            grant(make_user(), "partner_finance", "organisation", organisation=partner, granted_by=make_user())

        def cost():
            cache.clear()
            with CaptureQueriesContext(
                connection,
            ) as queries:
                assert browser.get(address(model, "changelist")).status_code == 200
            return len(queries)

        add(0)
        few = cost()
        for number in range(1, 10):
            add(number)

        assert cost() == few
        assert few <= 10

    def test_a_large_table_is_estimated_until_it_is_filtered(self, agency, monkeypatch):
        monkeypatch.setattr(base, "BIG", 50)
        Organisation.objects.bulk_create(
            Organisation(name=f"Partner {number}", type_id=agency.type_id) for number in range(100)
        )
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE reference_organisation")
        rows = Organisation.objects.order_by("pk")

        with CaptureQueriesContext(connection) as queries:
            assert base.EstimatedPaginator(rows, 50).count == rows.count()
        assert "pg_class" in queries[0]["sql"]
        assert base.EstimatedPaginator(rows.filter(name="Partner 1"), 50).count == 1

    def test_organisations_merged_into_another_are_not_offered(self, browser, agency):
        twin = make_organisation("UN-A twin")
        Organisation.objects.filter(pk=twin.pk).update(merged_into=agency)

        asked = {"app_label": "planning", "model_name": "requirement", "field_name": "partner", "term": "UN-A"}
        offered = browser.get(reverse("admin:autocomplete"), asked).json()["results"]

        assert [row["text"] for row in offered] == ["UN-A"]


class TestCodeLists:
    def test_a_name_is_edited_in_every_language_and_survives_the_next_loading(self, browser):
        call_command("load_reference", verbosity=0)
        sector = Sector.objects.get(code="FOOD")
        data = {"code": "FOOD", "name": "Food", "position": 50, "names_fr": "Alimentation", "names_zh_hans": "粮食"}

        browser.post(address(Sector, "change", sector.pk), data | {"outcome_areas": []})
        call_command("load_reference", verbosity=0)

        sector.refresh_from_db()
        assert (sector.name, sector.names) == ("Food", {"en": "Food", "fr": "Alimentation", "zh-hans": "粮食"})

    def test_what_is_referred_to_is_not_deleted_and_the_page_says_why(self, browser, agency, draft):
        country = make_country("XAA")

        asked = browser.get(address(Country, "delete", "XAA"))

        assert asked.context["protected"] == ["Country XAA: Chapters, 1"]
        browser.post(address(Country, "delete", "XAA"), {"post": "yes"})
        assert Country.objects.filter(pk=country.pk).exists()
        chosen = {"action": "delete_selected", "_selected_action": ["XAA"], "post": "yes"}
        browser.post(address(Country, "changelist"), chosen)
        assert Country.objects.filter(pk=country.pk).exists()

    def test_a_type_that_owns_lines_cannot_stop_owning_them(self, browser, draft):
        kind = make_organisation_type("un_agency")
        data = {"code": kind.code, "name": "UN agency", "position": 1, "localisation": "international", "fts_types": ""}

        response = browser.post(address(type(kind), "change", kind.pk), data)

        assert "Organisations of this type own requirement lines." in errors(response)
        kind.refresh_from_db()
        assert kind.may_own_requirement

    @pytest.mark.requirement("I1")
    def test_a_type_of_government_cannot_be_allowed_to_own_requirements(self, browser):
        kind = make_organisation_type("gov_host")
        data = {"code": kind.code, "name": "Host", "position": 1, "localisation": "none", "may_own_requirement": "on"}

        response = browser.post(address(type(kind), "change", kind.pk), data)

        assert "A government body can never own a requirement" in errors(response)

    def test_two_rates_for_one_day_are_refused_beside_the_field(self, browser):
        rate = {"currency": make_currency("EUR"), "units_per_usd": "0.9", "source": "UN"}
        ExchangeRate.objects.create(**rate, starts_on=date(2026, 1, 1))

        data = {"currency": "EUR", "units_per_usd": "0.8", "source": "UN", "starts_on": "2026-05-01"}
        response = browser.post(address(ExchangeRate, "add"), data)

        assert "End the earlier rate before the next one begins." in errors(response)
        assert ExchangeRate.objects.count() == 1


class TestOrganisations:
    def test_nobody_deletes_one(self, browser, agency):
        assert browser.post(address(Organisation, "delete", agency.pk), {"post": "yes"}).status_code == 403
        assert b"delete_selected" not in browser.get(address(Organisation, "changelist")).content

    @pytest.mark.requirement("I1")
    def test_one_that_owns_lines_does_not_become_a_government(self, browser, agency, draft):
        make_organisation_type("gov_host")

        response = browser.post(
            address(Organisation, "change", agency.pk), values(agency, type="gov_host", name="Typed")
        )

        assert "This organisation owns requirement lines" in errors(response)
        assert response.context["adminform"].form["name"].value() == "Typed"
        agency.refresh_from_db()
        assert (agency.type_id, agency.name) == ("un_agency", "UN-A")

    def test_its_page_shows_who_changed_what(self, browser, agency, user):
        make_organisation_type("ingo")
        browser.post(address(Organisation, "change", agency.pk), values(agency, type="ingo", acronym="UNA"))

        page = browser.get(address(Organisation, "change", agency.pk)).content.decode()

        assert "<li>type: un_agency → ingo</li>" in page
        assert "<li>acronym: – → UNA</li>" in page
        assert f"<td>{user}</td>" in page

    def test_several_are_verified_at_once(self, browser, agency):
        response = browser.post(
            address(Organisation, "changelist"), {"action": "verify", "_selected_action": [agency.pk]}, follow=True
        )

        assert "1 organisation is now verified." in messages(response)
        agency.refresh_from_db()
        assert agency.is_verified

    def test_twins_are_merged_after_a_look_at_what_moves_and_the_merge_is_undone(self, browser, agency, user):
        twin = make_organisation("U.N.-A")
        flow = make_flow(make_organisation("Gov X", "gov_donor"), twin, 10)
        asked = browser.post(
            address(Organisation, "changelist"), {"action": "merge_into", "_selected_action": [twin.pk]}, follow=True
        )
        assert "<li>flows: recipient: 1</li>" in asked.content.decode()
        page = asked.redirect_chain[-1][0]

        incomplete = browser.post(page, {"kept": agency.pk, "reason": ""})
        assert incomplete.status_code == 422
        done = browser.post(page, {"kept": agency.pk, "reason": "Two spellings."}, follow=True)

        assert "U.N.-A: merged into UN-A. This can be undone in the list of merges." in messages(done)
        assert Flow.objects.get(pk=flow.pk).recipient == agency
        merge = twin.merges_away.get()
        assert (merge.made_by, merge.reason) == (user, "Two spellings.")
        assert "Undo this merge" in browser.get(address(type(merge), "change", merge.pk)).content.decode()
        undo = address(type(merge), "undo", merge.pk)
        assert browser.get(undo).status_code == 200
        undone = browser.post(undo, follow=True)
        assert "U.N.-A stands for itself again." in messages(undone)
        assert Flow.objects.get(pk=flow.pk).recipient == twin
        again = browser.post(undo, follow=True)
        assert "This merge is already undone." in messages(again)

    def test_a_merge_that_is_refused_says_why_and_does_nothing(self, browser, agency, draft):
        ministry = make_organisation("Ministry", "gov_host")
        page = f"{reverse('admin:reference_organisation_merge')}?ids={agency.pk}"

        response = browser.post(page, {"kept": ministry.pk, "reason": "x"})

        assert response.status_code == 422
        assert "UN-A owns requirement lines, and Ministry cannot" in response.content.decode()
        agency.refresh_from_db()
        assert agency.merged_into is None


class TestPeople:
    def test_whoever_saves_a_grant_is_named_as_its_giver(self, browser, user, agency):
        person = make_user()
        data = {"user": person.pk, "role": "partner_finance", "scope": "organisation", "organisation": agency.pk}

        browser.post(address(Grant, "add"), data)

        assert person.grants.get().granted_by == user

    def test_nobody_grants_to_themselves(self, browser, user, agency):
        data = {"user": user.pk, "role": "partner_finance", "scope": "organisation", "organisation": agency.pk}

        response = browser.post(address(Grant, "add"), data)

        assert "Nobody can grant a role to themselves." in errors(response)
        assert not user.grants.exists()

    def test_nor_by_editing_a_grant_that_another_gave(self, browser, user, agency):
        given = grant(user, "partner_finance", "organisation", organisation=agency, granted_by=make_user())

        response = browser.post(address(Grant, "change", given.pk), values(given, role="partner_focal_point"))

        assert "Nobody can grant a role to themselves." in errors(response)

    def test_the_role_of_administrator_is_given_and_withdrawn_elsewhere(self, browser):
        person = make_user()
        data = {"user": person.pk, "role": "system_admin", "scope": "global"}

        assert browser.post(address(Grant, "add"), data).status_code == 200
        assert not person.grants.exists()
        given = grant(person, "system_admin", "global")
        assert browser.post(address(Grant, "delete", given.pk), {"post": "yes"}).status_code == 403
        assert browser.post(address(Grant, "change", given.pk), values(given, role="donor")).status_code == 403

    def test_an_account_is_made_and_its_address_changed_with_the_one_that_signs_in(self, browser):
        data = {"email": "New@Example.org", "name": "N", "usable_password": "false"}
        browser.post(address(User, "add"), data)
        person = User.objects.get(name="N")
        assert not person.has_usable_password()

        browser.post(address(User, "change", person.pk), values(person, email="newer@example.org"))

        assert EmailAddress.objects.get(user=person, primary=True).email == "newer@example.org"

    def test_a_lost_second_step_is_forgotten_and_its_secret_never_shown(self, browser, user):
        person = make_user()
        Authenticator.objects.create(user=person, type="totp", data={"secret": "s3cret"})
        Authenticator.objects.create(user=person, type="recovery_codes", data={"seed": "s3cret"})

        chosen = {"action": "forget_second_step", "_selected_action": [person.pk]}
        response = browser.post(address(User, "changelist"), chosen, follow=True)

        assert "1 person now signs in with the password alone" in messages(response)
        assert not person.authenticator_set.exists()
        assert user.logentry_set.get().object_id == str(person.pk)
        assert Authenticator not in admin.site._registry

    def test_a_token_is_revoked_and_its_hash_never_shown(self, browser, user):
        token = ApiToken.objects.create(user=user, name="script", prefix="abc", digest="d1g35t")

        page = browser.get(address(ApiToken, "change", token.pk)).content.decode()
        assert "d1g35t" not in page
        browser.post(address(ApiToken, "changelist"), {"action": "revoke", "_selected_action": [token.pk]})

        token.refresh_from_db()
        assert token.revoked_at is not None
