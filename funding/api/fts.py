"""Flows in the columns of OCHA FTS, as far as the portal has them: one row per line, and one for a flow without lines."""

from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet

from funding.models import Flow, Place, SectorSplit
from rrp_portal.api.resources import CHUNK

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


READ = (
    "pk", "fts_id", "fts_parent_id", "reference", "description", "status", "type", "contribution_type", "method", "is_new_money",
    "amount_usd", "original_amount", "currency_id", "units_per_usd", "budget_year", "flow_on", "decided_on", "first_reported_on",
    "source_updated_at", "source_country_id", "source_year", "keywords", "emergencies", "project_name", "project_code", "recorded_at",
    "donor__name", "donor__fts_type", "donor__type__name", "is_donor_known",
    "recipient__name", "recipient__fts_type", "recipient__type__name",
    "lines", "lines__amount_usd", "lines__year", "lines__place", "lines__country_id", "lines__split", "lines__named_years",
    "lines__named_countries", "lines__named_sectors", "lines__plan__name", "lines__plan__code", "lines__plan__fts_code",
    "lines__plan__fts_id", "lines__sector__sector__name", "lines__global_sector__name",
)  # fmt: skip
"""Plain columns of one statement: building ten objects per flow would take ten times as long."""


def rows_of(flows: QuerySet[Flow]) -> Iterator[dict[str, Any]]:
    """The rows of flows that carry `is_donor_known`, newest first, read while they are written.

    `amountUSD` is the line's part; `originalAmount` and `flowAmountUSD` are the whole flow's.
    """
    found = flows.prefetch_related(None).select_related(None).order_by("-pk", "lines").values(*READ)
    return (_of_flow(flow) | _of_line(flow) for flow in found.iterator(chunk_size=CHUNK))


def _of_flow(flow: dict[str, Any]) -> dict[str, Any]:
    known = flow["is_donor_known"]
    return {
        "date": flow["flow_on"],
        "budgetYear": flow["budget_year"],
        "description": flow["description"],
        "srcOrganization": flow["donor__name"] if known else None,
        "srcOrganizationTypes": (flow["donor__fts_type"] or flow["donor__type__name"]) if known else None,
        "srcLocations": flow["source_country_id"],
        "srcUsageYearStart": flow["source_year"],
        "srcUsageYearEnd": flow["source_year"],
        "destOrganization": flow["recipient__name"],
        "destOrganizationTypes": flow["recipient__fts_type"] or flow["recipient__type__name"],
        "destProject": flow["project_name"],
        "destProjectCode": flow["project_code"],
        "destEmergency": ",".join(flow["emergencies"]),
        "contributionType": flow["contribution_type"].replace("_", " "),
        "flowType": TYPES[flow["type"]],
        "method": METHODS[flow["method"]],
        "status": flow["status"],
        "firstReportedDate": flow["first_reported_on"],
        "decisionDate": flow["decided_on"],
        "keywords": ",".join(flow["keywords"]),
        "originalAmount": flow["original_amount"],
        "originalCurrency": flow["currency_id"],
        "exchangeRate": flow["units_per_usd"],
        "id": flow["fts_id"],
        "refCode": flow["reference"],
        "createdAt": flow["recorded_at"].date(),
        "updatedAt": flow["source_updated_at"] and flow["source_updated_at"].date(),
        "newMoney": flow["is_new_money"],
        "parentFlowId": flow["fts_parent_id"],
        "portalId": flow["pk"],
        "flowAmountUSD": flow["amount_usd"],
    }


def _of_line(flow: dict[str, Any]) -> dict[str, Any]:
    if flow["lines"] is None:
        return {"amountUSD": flow["amount_usd"]}
    years = [flow["lines__year"]] if flow["lines__year"] else flow["lines__named_years"]
    is_single = (
        flow["lines__place"] != Place.SHARED and flow["lines__split"] != SectorSplit.SHARED and flow["lines__year"]
    )
    sector = flow["lines__global_sector__name"] or flow["lines__sector__sector__name"]
    return {
        "amountUSD": flow["lines__amount_usd"],
        "destPlan": flow["lines__plan__name"],
        "destPlanCode": flow["lines__plan__fts_code"] or flow["lines__plan__code"],
        "destPlanId": flow["lines__plan__fts_id"],
        "destGlobalClusters": ",".join(flow["lines__named_sectors"]) or sector,
        "destLocations": flow["lines__country_id"] or ",".join(flow["lines__named_countries"]),
        "destUsageYearStart": min(years, default=None),
        "destUsageYearEnd": max(years, default=None),
        "onBoundary": "single" if is_single else "shared",
        "portalLineId": flow["lines"],
    }
