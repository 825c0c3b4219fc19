"""Plans, lines, versions and flows in the administration: under the same rules as everywhere, each refusal a sentence."""

from datetime import date

import pytest
from django.contrib import admin

from funding import rollups
from funding.models import Flow, PlanYear
from planning.models import PlanVersion, Requirement
from planning.services import approve_version
from tests.factories import (
    make_flow,
    make_line,
    make_organisation,
    make_population_group,
)
from tests.reference.administration import address, errors, messages, nothing_in, values

pytestmark = pytest.mark.django_db

MODELS = sorted(admin.site._registry, key=lambda model: model._meta.label)
EVERY_MODEL = pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label_lower)


class TestRequirements:
    @pytest.fixture
    def data(self, draft):
        line = draft.requirements.get()
        return values(line, population_group="", partner=make_organisation("UN-B").pk)

    def refused(self, browser, data, sentence):
        response = browser.post(address(Requirement, "add"), data)
        assert response.status_code == 200
        assert sentence in errors(response)
        assert Requirement.objects.count() == 1

    def test_a_lawful_line_is_saved(self, browser, data):
        browser.post(address(Requirement, "add"), data)

        assert Requirement.objects.count() == 2

    @pytest.mark.requirement("I1", "G35", "R28")
    def test_not_for_a_government(self, browser, data):
        ministry = make_organisation("Ministry", "gov_host")
        self.refused(browser, data | {"partner": ministry.pk}, "cannot own a requirement")

    @pytest.mark.requirement("I2", "R43")
    def test_not_for_internally_displaced_people(self, browser, data):
        make_population_group("IDP")
        self.refused(browser, data | {"population_group": "IDP"}, "Internally displaced people never stand")

    @pytest.mark.requirement("I3", "R34")
    def test_not_for_migrants(self, browser, data):
        make_population_group("MIG")
        self.refused(browser, data | {"population_group": "MIG"}, "Migrants stand only in a refugee and migrant")

    @pytest.mark.requirement("I7", "R12")
    def test_not_outside_the_plans_period(self, browser, data):
        self.refused(browser, data | {"year": 2027}, "The line lies outside the plan's period.")
        self.refused(browser, data | {"ends_on": "2027-01-31"}, "The line lies outside the plan's period.")

    @pytest.mark.requirement("I8", "R13")
    def test_not_twice_for_one_key(self, browser, data, agency):
        self.refused(
            browser, data | {"partner": agency.pk}, "There is already a line for this chapter, sector, partner"
        )

    @pytest.mark.requirement("R14")
    def test_not_negative_nor_covered_beyond_itself_nor_no_number(self, browser, data):
        self.refused(browser, data | {"gross_usd": "-1"}, "A requirement is zero or more.")
        self.refused(browser, data | {"covered_elsewhere_usd": "200"}, "cannot be more than the amount needed")
        self.refused(browser, data | {"gross_usd": "NaN"}, "Enter a number.")

    @pytest.mark.requirement("I3")
    def test_a_plan_does_not_say_that_it_covers_migrants_unless_it_is_an_rmrp(self, browser, draft):
        make_population_group("MIG")
        plan = draft.plan
        data = values(plan, populations=["MIG"]) | nothing_in("sectors", "chapters")

        response = browser.post(address(type(plan), "change", plan.pk), data)

        assert "Migrants stand only in a refugee and migrant response plan." in errors(response)
        assert not plan.populations.exists()


class TestApprovedVersions:
    @pytest.fixture
    def approved(self, draft):
        return approve_version(draft, approved_on=date(2026, 2, 1))

    SENTENCE = "This version is approved and cannot change. Start a correction or a revision instead."

    @pytest.mark.requirement("I13", "R125")
    def test_one_is_not_edited(self, browser, approved):
        data = values(approved, people_in_need=5) | nothing_in("steps")

        response = browser.post(address(PlanVersion, "change", approved.pk), data)

        assert response.status_code == 200
        assert self.SENTENCE in errors(response)
        assert response.context["adminform"].form["people_in_need"].value() == "5"

    @pytest.mark.requirement("I13", "R125")
    @pytest.mark.parametrize("model", [PlanVersion, Requirement], ids=["version", "line"])
    def test_neither_it_nor_its_lines_are_deleted(self, browser, approved, model):
        row = model.objects.get()

        one = browser.post(address(model, "delete", row.pk), {"post": "yes"}, follow=True)
        assert self.SENTENCE in messages(one)
        chosen = {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"}
        many = browser.post(address(model, "changelist"), chosen, follow=True)
        assert self.SENTENCE in messages(many)
        assert model.objects.count() == 1

    @pytest.mark.requirement("I13", "R125")
    def test_its_lines_are_not_edited_and_none_is_added(self, browser, approved):
        line = approved.requirements.get()

        edited = browser.post(address(Requirement, "change", line.pk), values(line, gross_usd="1"))
        assert self.SENTENCE in errors(edited)
        added = browser.post(address(Requirement, "add"), values(line, partner=make_organisation("UN-B").pk))
        assert self.SENTENCE in errors(added)
        line.refresh_from_db()
        assert line.gross_usd == 100

    def test_an_action_that_is_refused_leaves_no_trace_in_the_log(self, browser, approved, user):
        chosen = {"action": "delete_selected", "_selected_action": [approved.pk], "post": "yes"}

        browser.post(address(PlanVersion, "changelist"), chosen)

        assert not user.logentry_set.exists()


class TestFlowsAndFigures:
    def test_a_flow_cannot_shrink_below_its_lines(self, browser, draft, agency):
        flow = make_flow(make_organisation("Gov X", "gov_donor"), agency, 100)
        make_line(flow, draft.plan)
        data = values(flow, amount_usd="50", keywords="", emergencies="", report_details="[]") | nothing_in("lines")

        response = browser.post(address(Flow, "change", flow.pk), data)

        assert "The lines of a flow add up to more than the flow. Lower a line or raise the flow." in errors(response)
        assert response.context["adminform"].form["amount_usd"].value() == "50"
        flow.refresh_from_db()
        assert flow.amount_usd == 100

    def test_a_correction_here_reaches_the_figures(self, browser, draft, agency):
        flow = make_flow(make_organisation("Gov X", "gov_donor"), agency, 100)
        make_line(flow, draft.plan, 40)
        data = values(flow, status="pledge", keywords="", emergencies="", report_details="[]") | nothing_in("lines")
        rollups.recompute_stale()
        assert rollups.total(draft.plan.pk, 2026).funded == 40

        browser.post(address(Flow, "change", flow.pk), data)
        rollups.recompute_stale()

        assert rollups.total(draft.plan.pk, 2026).funded == 0
        assert rollups.total(draft.plan.pk, 2026).pledged == 40

    def test_figures_of_chosen_plan_years_are_recomputed(self, browser, draft):
        row = PlanYear.objects.create(plan=draft.plan, year=2026)

        response = browser.post(
            address(PlanYear, "changelist"), {"action": "recompute", "_selected_action": [row.pk]}, follow=True
        )

        assert "The figures of 1 plan-year are recomputed." in messages(response)
        row.refresh_from_db()
        assert row.computed_at is not None
