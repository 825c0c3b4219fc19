"""A published plan with flows, a draft plan, and the tracker of the first, for tests of pages."""

from datetime import date
from decimal import Decimal

from tests.factories import (
    grant,
    make_currency,
    make_flow,
    make_line,
    make_organisation,
    make_plan,
    make_user,
    make_version,
)


class World:
    """A published plan with partner and donor, a draft plan, and a tracker of the first."""

    def __init__(self):
        self.plan = make_plan("RTST26", countries=("XAA", "XBB"), sectors=("PROT", "EDUC"))
        self.un, self.local = make_organisation("UN-A"), make_organisation("RLO-E", "rlo")
        self.donor = make_organisation("Gov X", "gov_donor")
        make_version(
            self.plan,
            [("XAA", "PROT", self.un, 4_000_000), ("XAA", "PROT", self.local, 200_000)],
            approved_on=date(2026, 1, 5),
        )
        self.draft = make_plan("RDRAFT26", published=False)
        make_currency("USD"), make_currency("EUR")
        self.tracker = make_user("tracker@example.org", name="Tracy Tracker")
        grant(self.tracker, "funding_tracker", "plan", plan=self.plan)
        self.flow = make_flow(self.donor, self.un, 3_000_000, flow_on=date(2026, 2, 12), decided_on=date(2026, 2, 12), currency_id="USD",
                              original_amount=Decimal(3_000_000), units_per_usd=1, reference="A-1")  # fmt: skip
        self.line = make_line(self.flow, self.plan, country="XAA", sector="PROT")
        self.hidden = make_flow(self.donor, self.un, 5)
        make_line(self.hidden, self.draft)

    def typed(self, *lines, **fields):
        """What the browser sends for a flow."""
        lines = lines or ({},)
        data = {
            "plans": [self.plan.code],
            "donor": "Gov X",
            "recipient": "un-a",
            "original_amount": "1 000,50",
            "currency": "USD",
            "status": "paid",
            "decided_on": "2026-02-20",
            "contribution_type": "financial",
            "method": "traditional",
            "is_new_money": "on",
            "lines_in": "original",
            "lines-TOTAL_FORMS": str(len(lines)),
            "lines-INITIAL_FORMS": "0",
        } | fields
        for index, line in enumerate(lines):
            sector = str(self.plan.sectors.get(name="PROT").pk)
            line = {"plan": self.plan.code, "year": "2026", "where": "XAA", "sector": sector, "amount": ""} | line
            data |= {f"lines-{index}-{name}": value for name, value in line.items()}
        return data
