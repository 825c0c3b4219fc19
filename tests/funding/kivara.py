"""The worked regional plan RTST26: requirement lines and flows as published with its expected results, added up by hand."""

from datetime import date
from decimal import Decimal
from types import SimpleNamespace

from tests.factories import make_currency, make_flow, make_line, make_organisation, make_plan, make_version

LINES = [
    ("XAA", "PROT", "UN-A", 4_000_000),
    ("XAA", "PROT", "INGO-C", 1_000_000),
    ("XAA", "PROT", "RLO-E", 200_000),
    ("XAA", "HLTH", "UN-B", 3_000_000),
    ("XAA", "HLTH", "INGO-C", 1_500_000),
    ("XAA", "EDUC", "UN-B", 2_000_000),
    ("XAA", "EDUC", "LNGO-D", 300_000),
    ("XBB", "PROT", "UN-A", 2_500_000),
    ("XBB", "PROT", "INGO-C", 500_000),
    ("XBB", "HLTH", "UN-B", 1_800_000),
    ("XBB", "HLTH", "INGO-C", 700_000),
    ("XBB", "EDUC", "UN-B", 1_500_000),
    (None, "COOR", "UN-A", 1_000_000),
]

ORGANISATIONS = {
    "UN-A": "un_agency",
    "UN-B": "un_agency",
    "INGO-C": "ingo",
    "LNGO-D": "local_ngo",
    "RLO-E": "rlo",
    "Gov V": "gov_donor",
    "Gov W": "gov_donor",
    "Gov X": "gov_donor",
    "Gov Y": "gov_donor",
    "Gov Z": "gov_donor",
    "Company K": "private",
    "CERF": "pooled_fund",
    "Ministry of Health": "gov_host",
}


def make_kivara():
    """The plan with its first version approved on 2 April 2026 and its thirteen flows; returns plan, people by name, flows by id."""
    who = {name: make_organisation(name, type) for name, type in ORGANISATIONS.items()}
    plan = make_plan("RTST26", countries=("XAA", "XBB"), sectors=("PROT", "HLTH", "EDUC", "COOR"), region=True)
    version = make_version(
        plan,
        [(place, sector, who[partner], amount) for place, sector, partner, amount in LINES],
        approved_on=date(2026, 4, 2),
    )
    eur, chf = make_currency("EUR"), make_currency("CHF")
    flows = {}

    def flow(name, donor, recipient, amount, country=None, sector=None, line=None, **fields):
        fields = {"earmarking": "tightly", "first_reported_on": date(2026, 2, 1)} | fields
        flows[name] = make_flow(who[donor], who[recipient], amount, **fields)
        make_line(flows[name], plan, line, country=country, sector=sector)

    flow("F01", "Gov X", "UN-A", 3_000_000, "XAA", "PROT")
    flow("F02", "Gov Y", "UN-B", 2_000_000, "XAA", "HLTH", status="commitment", currency=eur,
         original_amount=Decimal(1_800_000), units_per_usd=Decimal("0.90"))  # fmt: skip
    flow("F03", "Gov Z", "UN-B", 1_000_000, "XAA", "EDUC", status="pledge", earmarking="earmarked")
    flow("F04", "Gov X", "UN-A", 1_500_000, earmarking="softly")
    flow("F05", "Gov Y", "INGO-C", 1_200_000, "XAA", "shared")
    flow("F06", "UN-A", "RLO-E", 150_000, "XAA", "PROT", type="pass_through", is_new_money=False, parent=flows["F01"])
    flow("F07", "Company K", "UN-B", 400_000, "XBB", "HLTH", contribution_type="in_kind", valuation_basis="market price")
    flow("F08", "Gov W", "UN-B", 3_000_000, "XBB", "EDUC", 1_000_000, status="commitment", currency=chf,
         original_amount=Decimal(2_700_000), units_per_usd=Decimal("0.90"))  # fmt: skip
    flow("F09", "UN-B", "UN-B", 200_000, "XBB", "HLTH", type="carry_over", is_new_money=False)
    flow("F10", "CERF", "UN-A", 1_000_000, "XBB", "PROT", is_new_money=False)
    flow("F11", "Gov V", "UN-A", 2_500_000, "XBB", "PROT")
    flow("F12", "Gov Y", "UN-B", -100_000, "XAA", "HLTH", status="commitment", type="reversal", reason="part withdrawn",
         currency=eur, original_amount=Decimal(-90_000), units_per_usd=Decimal("0.90"), corrects=flows["F02"])  # fmt: skip
    flow("F13", "UN-A", "UN-A", 600_000, "XAA", "PROT", type="unearmarked_allocation", earmarking="unearmarked",
         is_new_money=False)  # fmt: skip
    return SimpleNamespace(plan=plan, version=version, who=who, flows=flows)
