"""What is approved, adds up, or is in force once only: kept by the database itself, also from raw SQL."""

from datetime import date

import pytest
from django.db import DatabaseError, transaction
from django.db.models import ProtectedError

from planning.models import PlanVersion, Requirement
from planning.services import approve_version
from rrp_portal.reference.models import ExchangeRate, Grant
from tests.factories import (
    grant,
    make_currency,
    make_flow,
    make_line,
    make_organisation,
    make_user,
    make_version,
)
from tests.reference.database import insert, refused, sql

pytestmark = pytest.mark.django_db


@pytest.mark.requirement("BR-10", "BR-11")
class TestLinesOfAFlow:
    @pytest.fixture
    def flow(self, made):
        flow = make_flow(make_organisation("Gov X", "gov_donor"), made.agency, 100)
        make_line(flow, made.plan, 60)
        make_line(flow, made.plan, 40)
        return flow

    def test_not_more_than_the_flow_by_insert(self, made, flow):
        with refused("lines_within_their_flow"):
            sql(
                "INSERT INTO funding_flowline (flow_id, amount_usd, place, split, named_years, named_countries, named_sectors)"
                " VALUES (%(flow)s, 0.01, 'not_specified', 'not_specified', '{}', '{}', '{}')",
                flow=flow.pk,
            )

    def test_not_more_than_the_flow_by_update_of_a_line(self, flow):
        with refused("lines_within_their_flow"):
            sql("UPDATE funding_flowline SET amount_usd = amount_usd + 1 WHERE flow_id = %(flow)s", flow=flow.pk)

    def test_not_more_than_the_flow_by_update_of_the_flow(self, flow):
        with refused("lines_within_their_flow"):
            sql("UPDATE funding_flow SET amount_usd = 99.99 WHERE id = %(flow)s", flow=flow.pk)

    def test_not_by_moving_a_line_to_a_smaller_flow(self, made, flow):
        small = make_flow(flow.donor, made.agency, 10)

        with refused("lines_within_their_flow"):
            sql("UPDATE funding_flowline SET flow_id = %(to)s WHERE amount_usd = 60", to=small.pk)

    def test_not_with_the_other_sign(self, made, flow):
        with refused("lines_within_their_flow"):
            sql(
                "UPDATE funding_flow SET amount_usd = -100, type = 'reversal', reason = 'x' WHERE id = %(pk)s",
                pk=flow.pk,
            )

    def test_the_split_may_move_within_the_flow(self, flow):
        assert (
            sql("UPDATE funding_flowline SET amount_usd = 100 - amount_usd WHERE flow_id = %(flow)s", flow=flow.pk) == 2
        )


@pytest.mark.requirement("I13", "R125")
class TestAnApprovedVersion:
    @pytest.fixture
    def approved(self, made):
        approve_version(made.draft, approved_on=date(2026, 2, 1))
        return made

    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE planning_planversion SET people_in_need = 5 WHERE id = %(pk)s",
            "UPDATE planning_planversion SET status = 'draft' WHERE id = %(pk)s",
            "UPDATE planning_planversion SET approved_on = '2026-01-01' WHERE id = %(pk)s",
            "UPDATE planning_requirement SET gross_usd = 1 WHERE version_id = %(pk)s",
            "UPDATE planning_requirement SET status = 'withdrawn' WHERE version_id = %(pk)s",
            "DELETE FROM planning_requirement WHERE version_id = %(pk)s",
        ],
    )
    def test_does_not_change(self, approved, statement):
        with refused("approved_version_immutable"):
            sql(statement, pk=approved.draft.pk)

    def test_is_not_deleted_nor_its_plan(self, approved):
        with refused("approved_version_immutable"):
            PlanVersion.objects.filter(pk=approved.draft.pk).delete()
        with pytest.raises(ProtectedError):
            approved.plan.delete()
        with pytest.raises(DatabaseError, match="violates foreign key"), transaction.atomic():
            sql("DELETE FROM planning_plan WHERE id = %(pk)s; SET CONSTRAINTS ALL IMMEDIATE", pk=approved.plan.pk)
        assert Requirement.objects.count() == 1

    def test_takes_no_new_line_and_gives_none_away(self, approved):
        with refused("approved_version_immutable"):
            insert(approved)
        later = make_version(approved.plan, major=2)
        with refused("approved_version_immutable"):
            sql("UPDATE planning_requirement SET version_id = %(to)s", to=later.pk)
        insert(approved, version_id=later.pk)
        with refused("approved_version_immutable"):
            sql(
                "UPDATE planning_requirement SET version_id = %(to)s WHERE version_id = %(pk)s",
                to=approved.draft.pk,
                pk=later.pk,
            )


class TestGrants:
    def test_nobody_grants_to_themselves(self, made):
        user = make_user()
        given = grant(user, "partner_finance", "organisation", organisation=made.agency, granted_by=make_user())

        with refused("nobody_grants_to_themselves"):
            sql("UPDATE reference_grant SET granted_by_id = user_id WHERE id = %(pk)s", pk=given.pk)

    def test_a_scope_names_what_it_needs(self, made):
        with refused("grant_names_what_its_scope_needs"):
            Grant.objects.create(user=make_user(), role="partner_finance", scope="organisation")


@pytest.mark.requirement("BR-16")
class TestExchangeRates:
    @pytest.fixture
    def rate(self):
        rate = {"currency": make_currency("EUR"), "units_per_usd": "0.9", "source": "UN"}
        return ExchangeRate.objects.create(**rate, starts_on=date(2026, 1, 1), ends_on=date(2026, 1, 31))

    @pytest.mark.parametrize(
        ("first", "last"), [("2026-01-31", None), ("2025-12-01", "2026-01-01"), ("2025-12-01", None)]
    )
    def test_two_rates_are_never_in_force_on_one_day(self, rate, first, last):
        with refused("one_rate_in_force_per_day"):
            sql(
                "INSERT INTO reference_exchangerate (currency_id, units_per_usd, starts_on, ends_on, source)"
                " VALUES ('EUR', 1, %(first)s, %(last)s, 'UN')",
                first=first,
                last=last,
            )

    def test_nor_by_lengthening_one(self, rate):
        next_month = {"currency": rate.currency, "units_per_usd": "0.9", "source": "UN"}
        ExchangeRate.objects.create(**next_month, starts_on=date(2026, 2, 1))

        with refused("one_rate_in_force_per_day"):
            sql("UPDATE reference_exchangerate SET ends_on = NULL WHERE id = %(pk)s", pk=rate.pk)

    def test_a_rate_is_more_than_zero(self, rate):
        with refused("exchange_rate_is_positive"):
            sql("UPDATE reference_exchangerate SET units_per_usd = 0")
