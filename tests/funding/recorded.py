"""A plan with two partners, a donor and a tracker, and short ways to record flows for it."""

from datetime import date
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError

from funding import rollups
from funding.services import Confirm, change_flow, record_flow
from tests.factories import (
    make_currency,
    make_organisation,
    make_plan,
    make_user,
    make_version,
)

DECIDED = date(2026, 2, 12)


class World:
    """One plan of 2026 in two countries with two partners, a donor, and a tracker."""

    def __init__(self):
        self.plan = make_plan("RTST26", countries=("XAA", "XBB"), sectors=("PROT", "EDUC"))
        self.un = make_organisation("UN-A")
        self.local = make_organisation("RLO-E", "rlo")
        self.donor = make_organisation("Gov X", "gov_donor")
        make_version(
            self.plan,
            [("XAA", "PROT", self.un, 4_000_000), ("XAA", "PROT", self.local, 200_000)],
            approved_on=date(2026, 1, 5),
        )
        self.usd, self.eur = make_currency("USD"), make_currency("EUR")
        self.user = make_user(is_superuser=True)
        self.protection = self.plan.sectors.get(name="PROT")
        self.education = self.plan.sectors.get(name="EDUC")

    def line(self, **values):
        return {
            "plan": self.plan,
            "year": 2026,
            "country": self.plan.chapters.get(country="XAA").country,
            "sector": self.protection,
        } | values

    def record(self, *lines, confirmed=(Confirm.PASS_THROUGH,), **data):
        data = {
            "donor": self.donor,
            "recipient": self.un,
            "status": "paid",
            "original_amount": Decimal(1000),
            "currency": self.usd,
            "decided_on": DECIDED,
        } | data
        return record_flow(user=self.user, lines=lines or [self.line()], confirmed=confirmed, **data)

    def change(self, flow, **data):
        return change_flow(flow, user=self.user, **data)

    def total(self, year=2026):
        rollups.recompute_stale()
        return rollups.total(self.plan.pk, year)


def refused(call):
    """The sentences of a refusal by field, and their codes."""
    with pytest.raises(ValidationError) as caught:
        call()
    return caught.value.error_dict


def codes(errors):
    return {(field, error.code) for field, found in errors.items() for error in found}
