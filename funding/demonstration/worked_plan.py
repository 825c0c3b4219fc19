"""The worked plan RTST26: thirteen requirement lines and thirteen flows whose every total is known by hand."""

from datetime import date
from decimal import Decimal
from types import SimpleNamespace

from django.db import transaction

from funding.demonstration import rows
from funding.demonstration.rows import REGION, SHARED
from planning.models import Plan, PlanVersion, Requirement
from planning.services import approve_version
from rrp_portal.reference.models import Currency

CODE = "RTST26"
YEAR = 2026
COUNTRIES = {"XAA": "Arunda", "XBB": "Belmara"}
SECTORS = {
    "PROT": "Protection",
    "HLTH": "Public health",
    "EDUC": "Education",
    "COOR": "Coordination and common services",
}

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
    (REGION, "COOR", "UN-A", 1_000_000),
]

# name, donor, recipient, US dollars, status, country, sector, and what else the flow says
FLOWS = [
    ("F01", "Gov X", "UN-A", 3_000_000, "paid", "XAA", "PROT", {}),
    ("F02", "Gov Y", "UN-B", 2_000_000, "commitment", "XAA", "HLTH", {"foreign": ("EUR", 1_800_000)}),
    ("F03", "Gov Z", "UN-B", 1_000_000, "pledge", "XAA", "EDUC", {"earmarking": "earmarked"}),
    ("F04", "Gov X", "UN-A", 1_500_000, "paid", None, None, {"earmarking": "softly"}),
    ("F05", "Gov Y", "INGO-C", 1_200_000, "paid", "XAA", SHARED, {"named": ("PROT", "HLTH")}),
    ("F06", "UN-A", "RLO-E", 150_000, "paid", "XAA", "PROT",
     {"type": "pass_through", "is_new_money": False, "parent": "F01"}),
    ("F07", "Company K", "UN-B", 400_000, "paid", "XBB", "HLTH",
     {"contribution_type": "in_kind", "valuation_basis": "Market price at delivery"}),
    ("F08", "Gov W", "UN-B", 3_000_000, "commitment", "XBB", "EDUC",
     {"foreign": ("CHF", 2_700_000), "share": 1_000_000}),
    ("F09", "UN-B", "UN-B", 200_000, "paid", "XBB", "HLTH", {"type": "carry_over", "is_new_money": False}),
    ("F10", "CERF", "UN-A", 1_000_000, "paid", "XBB", "PROT", {"is_new_money": False}),
    ("F11", "Gov V", "UN-A", 2_500_000, "paid", "XBB", "PROT", {}),
    ("F12", "Gov Y", "UN-B", -100_000, "commitment", "XAA", "HLTH",
     {"type": "reversal", "reason": "Part of the grant was withdrawn.", "corrects": "F02", "foreign": ("EUR", -90_000)}),
    ("F13", "UN-A", "UN-A", 600_000, "paid", "XAA", "PROT",
     {"type": "unearmarked_allocation", "earmarking": "unearmarked", "is_new_money": False}),
]  # fmt: skip


@transaction.atomic
def build() -> SimpleNamespace:
    """The plan with its version approved on 2 April 2026 and its thirteen flows; returns plan, version, who by name, flows by name."""
    who = {name: rows.organisation(name, kind) for name, kind in ORGANISATIONS.items()}
    plan = rows.plan(
        CODE,
        "Kivara Regional Refugee Response Plan 2026",
        COUNTRIES,
        SECTORS,
        type=Plan.Type.REGIONAL_RRP,
        starts_on=date(YEAR, 1, 1),
        ends_on=date(YEAR, 12, 31),
        published_on=date(YEAR, 4, 7),
    )
    plan.lead_organisations.add(who["UN-A"])
    version = PlanVersion.objects.create(plan=plan, people_in_need=650_000, people_targeted=610_000)
    cells = rows.Cells(plan)
    Requirement.objects.bulk_create(
        cells.requirement(version, place, sector, who[partner], amount, YEAR)
        for place, sector, partner, amount in LINES
    )
    version = approve_version(version, approved_on=date(YEAR, 4, 2))
    return SimpleNamespace(plan=plan, version=version, who=who, flows=_flows(cells, who))


def _flows(cells: rows.Cells, who: dict) -> dict:
    made: dict = {}
    for name, donor, recipient, amount, status, place, sector, more in FLOWS:
        fields = {"earmarking": "tightly"} | more
        share = fields.pop("share", amount)
        named = fields.pop("named", ())
        for link in ("parent", "corrects"):
            if link in fields:
                fields[link] = made[fields[link]]
        if fields.get("type") == "pass_through":
            fields |= {"source_plan": cells.plan, "source_year": YEAR}
        if "foreign" in fields:
            code, original = fields.pop("foreign")
            fields |= {
                "currency": Currency.objects.get(code=code),
                "original_amount": Decimal(original),
                "units_per_usd": Decimal("0.90"),
                "rate_source": "Demonstration",
                "rate_on": date(YEAR, 2, 1),
            }
        made[name] = rows.flow(
            who[donor],
            who[recipient],
            amount,
            status=status,
            reference=name,
            description=f"Demonstration flow {name}",
            flow_on=date(YEAR, 2, 12),
            decided_on=date(YEAR, 2, 12),
            first_reported_on=date(YEAR, 2, 15),
            **fields,
        )
        cells.line(made[name], Decimal(share), YEAR, place, sector, named)
    return made
