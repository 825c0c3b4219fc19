"""The prohibitions hold in the database itself: raw SQL cannot break them."""

from datetime import date

import pytest
from django.db import DatabaseError, transaction

from planning.services import approve_version
from rrp_portal.reference.models import Organisation
from tests.factories import (
    make_flow,
    make_line,
    make_organisation,
    make_organisation_type,
    make_plan,
)
from tests.reference.database import insert, refused, sql

pytestmark = pytest.mark.django_db


def test_a_lawful_line_goes_in(made):
    assert insert(made) == 1


@pytest.mark.requirement("I1", "G35", "R28")
class TestNoGovernmentOwnsARequirement:
    @pytest.mark.parametrize("type", ["gov_host", "gov_local", "gov_donor", "mdb", "pooled_fund", "other"])
    def test_not_by_insert(self, made, type):
        with refused("requirement_partner_may_appeal"):
            insert(made, partner_id=make_organisation("Body", type).pk)

    def test_not_by_update(self, made):
        with refused("requirement_partner_may_appeal"):
            sql("UPDATE planning_requirement SET partner_id = %(pk)s", pk=made.ministry.pk)

    def test_not_by_turning_the_owner_into_a_government(self, made):
        with refused("organisation_type_owns_requirements"):
            sql("UPDATE reference_organisation SET type_id = 'gov_host' WHERE id = %(pk)s", pk=made.agency.pk)

    def test_not_even_while_only_an_approved_version_names_the_owner(self, made):
        approve_version(made.draft, approved_on=date(2026, 1, 1))
        make_organisation_type("gov_local")

        with refused("organisation_type_owns_requirements"):
            sql("UPDATE reference_organisation SET type_id = 'gov_local' WHERE id = %(pk)s", pk=made.agency.pk)

    @pytest.mark.parametrize("code", ["gov_host", "gov_local", "gov_donor"])
    def test_not_by_allowing_it_to_the_type(self, made, code):
        make_organisation_type(code)

        with refused("government_never_owns_a_requirement"):
            sql("UPDATE reference_organisationtype SET may_own_requirement = true WHERE code = %(code)s", code=code)

    def test_not_by_forbidding_it_to_a_type_that_owns_lines(self, made):
        with refused("organisation_type_owns_requirements"):
            sql("UPDATE reference_organisationtype SET may_own_requirement = false WHERE code = 'un_agency'")

    def test_not_by_renaming_the_type(self, made):
        with refused("organisation_type_code_stays"):
            sql("UPDATE reference_organisationtype SET code = 'gov_other' WHERE code = 'gov_host'")

    def test_a_merge_in_raw_sql_brings_no_lines_to_a_government(self, made):
        with refused("organisation_merge_keeps_requirements_lawful"):
            sql(
                "UPDATE reference_organisation SET merged_into_id = %(kept)s WHERE id = %(pk)s",
                kept=made.ministry.pk,
                pk=made.agency.pk,
            )

    def test_a_twin_that_was_merged_into_a_government_takes_no_lines(self, made):
        twin = make_organisation("UN-C")
        Organisation.objects.filter(pk=twin.pk).update(merged_into=made.ministry)

        with refused("requirement_partner_may_appeal"):
            insert(made, partner_id=twin.pk)

    def test_a_keeper_of_lines_does_not_turn_into_a_government(self, made):
        keeper = make_organisation("UN-A HQ")
        Organisation.objects.filter(pk=made.agency.pk).update(merged_into=keeper)

        with refused("organisation_type_owns_requirements"):
            sql("UPDATE reference_organisation SET type_id = 'gov_host' WHERE id = %(pk)s", pk=keeper.pk)


@pytest.mark.requirement("I2", "R43")
class TestNoInternallyDisplacedPeople:
    @pytest.mark.parametrize("code", ["IDP", "RDP"])
    def test_not_by_insert_or_update(self, made, code):
        with refused("requirement_no_idp"):
            insert(made, population_group_id=code)
        with refused("requirement_no_idp"):
            sql("UPDATE planning_requirement SET population_group_id = %(code)s", code=code)

    @pytest.mark.parametrize("eligibility", ["every_plan", "rmrp_only"])
    def test_not_by_making_them_eligible(self, made, eligibility):
        with refused("internally_displaced_people_in_no_rrp"):
            sql("UPDATE reference_populationgroup SET eligibility = %(to)s WHERE code = 'IDP'", to=eligibility)

    def test_not_by_renaming_the_group(self, made):
        with refused("population_group_code_stays"):
            sql("UPDATE reference_populationgroup SET code = 'XDP', eligibility = 'every_plan' WHERE code = 'IDP'")

    def test_not_as_a_population_that_the_plan_covers(self, made):
        with refused("plan_population_no_idp"):
            sql(
                "INSERT INTO planning_plan_populations (plan_id, populationgroup_id) VALUES (%(plan)s, 'IDP')",
                plan=made.plan.pk,
            )


@pytest.mark.requirement("I3", "R34")
class TestMigrantsOnlyInRmrp:
    def test_not_in_another_plan(self, made):
        with refused("requirement_migrants_only_in_rmrp"):
            insert(made, population_group_id="MIG")

    def test_in_an_rmrp_they_may_stand_and_the_plan_stays_one(self, made):
        sql("UPDATE planning_plan SET type = 'rmrp' WHERE id = %(pk)s", pk=made.plan.pk)
        assert insert(made, population_group_id="MIG") == 1

        with refused("migrants_only_in_rmrp_plans"):
            sql("UPDATE planning_plan SET type = 'regional_rrp' WHERE id = %(pk)s", pk=made.plan.pk)

    def test_not_by_making_them_eligible_everywhere(self, made):
        with refused("migrants_only_in_rmrp"):
            sql("UPDATE reference_populationgroup SET eligibility = 'every_plan' WHERE code = 'MIG'")

    def test_not_by_narrowing_a_group_that_stands_in_another_plan(self, made):
        insert(made, population_group_id="REF")

        for eligibility in ("rmrp_only", "never"):
            with refused("population_group_keeps_its_lines_lawful"):
                sql("UPDATE reference_populationgroup SET eligibility = %(to)s WHERE code = 'REF'", to=eligibility)

    def test_not_as_a_population_that_the_plan_covers(self, made):
        statement = "INSERT INTO planning_plan_populations (plan_id, populationgroup_id) VALUES (%(plan)s, 'MIG')"

        with refused("plan_population_migrants_only_in_rmrp"):
            sql(statement, plan=made.plan.pk)

        sql("UPDATE planning_plan SET type = 'rmrp' WHERE id = %(pk)s", pk=made.plan.pk)
        assert sql(statement, plan=made.plan.pk) == 1
        with refused("migrants_only_in_rmrp_plans"):
            sql("UPDATE planning_plan SET type = 'country_rrp' WHERE id = %(pk)s", pk=made.plan.pk)


@pytest.mark.requirement("I7", "R12")
class TestLinesLieInsideThePlansPeriod:
    @pytest.mark.parametrize(
        "columns",
        [{"year": 2025}, {"year": 2027}, {"starts_on": date(2025, 12, 31)}, {"ends_on": date(2027, 1, 1)}],
    )
    def test_not_outside(self, made, columns):
        with refused("requirement_inside_plan_period"):
            insert(made, **columns)

    def test_not_backwards(self, made):
        with refused("requirement_period_in_order"):
            insert(made, starts_on=date(2026, 6, 1), ends_on=date(2026, 5, 1))

    @pytest.mark.parametrize(
        "change",
        [
            "starts_on = '2027-01-01', ends_on = '2027-12-31'",
            "starts_on = '2025-01-01', ends_on = '2025-12-31'",
            "ends_on = '2026-08-31'",
            "starts_on = '2026-04-01'",
        ],
    )
    def test_not_by_narrowing_the_plan(self, made, change):
        insert(made, starts_on=date(2026, 3, 1), ends_on=date(2026, 9, 30))

        with refused("plan_period_holds_its_lines"):
            sql(f"UPDATE planning_plan SET {change} WHERE id = %(pk)s", pk=made.plan.pk)


@pytest.mark.requirement("I8", "R13")
class TestOneLinePerKey:
    def test_not_twice(self, made):
        insert(made)

        with refused("one_requirement_line_per_key"):
            insert(made, gross_usd=70)

    def test_not_twice_without_a_population_group_either(self, made):
        with refused("one_requirement_line_per_key"):
            insert(made, population_group_id=None)

    def test_not_by_update(self, made):
        insert(made)

        with refused("one_requirement_line_per_key"):
            sql("UPDATE planning_requirement SET population_group_id = 'REF'")


@pytest.mark.requirement("R14", "BR-02")
class TestAmounts:
    @pytest.mark.parametrize(
        ("columns", "constraint"),
        [
            ({"gross_usd": -1, "covered_elsewhere_usd": -2}, "requirement_not_negative"),
            ({"gross_usd": 10, "covered_elsewhere_usd": -1}, "requirement_not_negative"),
            ({"gross_usd": 10, "covered_elsewhere_usd": 11}, "requirement_covers_no_more_than_it_needs"),
        ],
    )
    def test_not_by_insert(self, made, columns, constraint):
        with refused(constraint):
            insert(made, **columns)

    def test_not_by_update(self, made):
        with refused("requirement_not_negative"):
            sql("UPDATE planning_requirement SET gross_usd = -100, covered_elsewhere_usd = -100")
        with refused("requirement_covers_no_more_than_it_needs"):
            sql("UPDATE planning_requirement SET covered_elsewhere_usd = 200")

    def test_not_a_number(self, made):
        with refused("requirement_not_negative"):
            insert(made, gross_usd="NaN")
        with refused("requirement_covers_no_more_than_it_needs"):
            insert(made, covered_elsewhere_usd="NaN")
        flow = make_flow(make_organisation("Gov X", "gov_donor"), made.agency, 100)
        make_line(flow, made.plan)
        with refused("flow_amount_is_a_number"):
            sql("UPDATE funding_flow SET amount_usd = 'NaN'")
        with refused("lines_within_their_flow"):
            sql("UPDATE funding_flowline SET amount_usd = 'NaN'")


class TestALineBelongsToOnePlan:
    def test_not_with_a_chapter_or_sector_of_another_plan(self, made):
        other = make_plan("R2", countries=["XBB"])

        with refused("requirement_of_one_plan"):
            insert(made, chapter_id=other.chapters.get().pk)
        with refused("requirement_of_one_plan"):
            insert(made, sector_id=other.sectors.get().pk)

    @pytest.mark.parametrize("table", ["planning_chapter", "planning_plansector", "planning_planversion"])
    def test_not_by_moving_them_to_another_plan(self, made, table):
        other = make_plan("R2", countries=["XBB"])

        with pytest.raises(DatabaseError, match="Cannot update"), transaction.atomic():
            sql(f"UPDATE {table} SET plan_id = %(plan)s", plan=other.pk)
