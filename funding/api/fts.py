"""Flows in the columns of OCHA FTS, as far as the portal has them: one row per line, and one for a flow without lines."""

from collections.abc import Iterator
from typing import Any

from funding.models import Flow, FlowLine, Place, SectorSplit

COLUMNS = (
    "date",
    "budgetYear",
    "description",
    "amountUSD",
    "srcOrganization",
    "srcOrganizationTypes",
    "srcLocations",
    "srcUsageYearStart",
    "srcUsageYearEnd",
    "destPlan",
    "destPlanCode",
    "destPlanId",
    "destOrganization",
    "destOrganizationTypes",
    "destGlobalClusters",
    "destLocations",
    "destProject",
    "destProjectCode",
    "destEmergency",
    "destUsageYearStart",
    "destUsageYearEnd",
    "contributionType",
    "flowType",
    "method",
    "onBoundary",
    "status",
    "firstReportedDate",
    "decisionDate",
    "keywords",
    "originalAmount",
    "originalCurrency",
    "exchangeRate",
    "id",
    "refCode",
    "createdAt",
    "updatedAt",
    "newMoney",
    "parentFlowId",
    "portalId",
    "portalLineId",
    "flowAmountUSD",
)
"""FTS's own columns in its order, without `boundary` (it depends on the plan one looks from), then ours."""

TYPES = {
    Flow.Type.STANDARD: "Standard",
    Flow.Type.PASS_THROUGH: "Pass through",
    Flow.Type.CARRY_OVER: "Carryover",
    Flow.Type.PARKED: "Parked",
    Flow.Type.REVERSAL: "Reversal",
    Flow.Type.UNEARMARKED_ALLOCATION: "Unearmarked allocation",
}
METHODS = {Flow.Method.TRADITIONAL: "Traditional aid", Flow.Method.CASH: "Cash transfer programming (CTP)"}


def rows_of(flow: Flow) -> Iterator[dict[str, Any]]:
    """The flow's rows. `amountUSD` is the line's part, `originalAmount` and `flowAmountUSD` are the whole flow's."""
    shared = _of_flow(flow)
    for line in flow.lines.all() or [None]:
        yield shared | _of_line(flow, line)


def _of_flow(flow: Flow) -> dict[str, Any]:
    donor = flow.donor if flow.is_donor_known else None
    return {
        "date": flow.flow_on,
        "budgetYear": flow.budget_year,
        "description": flow.description,
        "srcOrganization": donor and donor.name,
        "srcOrganizationTypes": donor and (donor.fts_type or donor.type.name),
        "srcLocations": flow.source_country_id,
        "srcUsageYearStart": flow.source_year,
        "srcUsageYearEnd": flow.source_year,
        "destOrganization": flow.recipient and flow.recipient.name,
        "destOrganizationTypes": flow.recipient and (flow.recipient.fts_type or flow.recipient.type.name),
        "destProject": flow.project_name,
        "destProjectCode": flow.project_code,
        "destEmergency": ",".join(flow.emergencies),
        "contributionType": flow.contribution_type.replace("_", " "),
        "flowType": TYPES[Flow.Type(flow.type)],
        "method": METHODS[Flow.Method(flow.method)],
        "status": flow.status,
        "firstReportedDate": flow.first_reported_on,
        "decisionDate": flow.decided_on,
        "keywords": ",".join(flow.keywords),
        "originalAmount": flow.original_amount,
        "originalCurrency": flow.currency_id,
        "exchangeRate": flow.units_per_usd,
        "id": flow.fts_id,
        "refCode": flow.reference,
        "createdAt": flow.recorded_at.date(),
        "updatedAt": flow.source_updated_at and flow.source_updated_at.date(),
        "newMoney": flow.is_new_money,
        "parentFlowId": flow.fts_parent_id,
        "portalId": flow.pk,
        "flowAmountUSD": flow.amount_usd,
    }


def _of_line(flow: Flow, line: FlowLine | None) -> dict[str, Any]:
    if line is None:
        return {"amountUSD": flow.amount_usd}
    sector = line.global_sector or (line.sector and line.sector.sector)
    years = [line.year] if line.year else line.named_years
    shared = line.place == Place.SHARED or line.split == SectorSplit.SHARED or line.year is None
    return {
        "amountUSD": line.amount_usd,
        "destPlan": line.plan and line.plan.name,
        "destPlanCode": line.plan and (line.plan.fts_code or line.plan.code),
        "destPlanId": line.plan and line.plan.fts_id,
        "destGlobalClusters": ",".join(line.named_sectors) or (sector and sector.name),
        "destLocations": line.country_id or ",".join(line.named_countries),
        "destUsageYearStart": min(years, default=None),
        "destUsageYearEnd": max(years, default=None),
        "onBoundary": "shared" if shared else "single",
        "portalLineId": line.pk,
    }
