"""Flows in the CSV files of the Humanitarian Data Exchange: the same flows with less about them.

They name no cluster of the plan (only global ones), no plan that money comes out of, no earmarking, no parent and no version. So a flow
known from the FTS API is never overwritten by them, and money is taken to come out of its own plan where the file calls it internal.
"""

from collections.abc import Iterable
from typing import Any

from funding.imports.mapping import FtsFlow, Side, Thing, begin, whole, year_of
from funding.imports.texts import text
from funding.models import Flow


def read_csv_flow(row: dict[str, Any], global_clusters: Iterable[str]) -> FtsFlow:
    """A row of the incoming, internal or outgoing file; raises RowRefused with the reason when it cannot be taken."""
    flow = begin(row)
    flow.is_from_api = False
    is_internal = row.get("boundary") == "internal"
    plans = _plans(row)
    flow.source = Side(
        organisations=_organisation(row.get("srcOrganization"), row.get("srcOrganizationTypes")),
        locations=_locations(row.get("srcLocations")),
        plans=plans if is_internal else [],
        years=_years(row.get("srcUsageYearStart"), row.get("srcUsageYearEnd")),
    )
    flow.destination = Side(
        organisations=_organisation(row.get("destOrganization"), row.get("destOrganizationTypes")),
        locations=_locations(row.get("destLocations")),
        plans=plans,
        global_clusters=[Thing(None, name) for name in _names(text(row.get("destGlobalClusters")), global_clusters)],
        years=_years(row.get("destUsageYearStart"), row.get("destUsageYearEnd")),
    )
    flow.values |= {
        "fts_version": None,
        "is_new_money": not is_internal and flow.values["type"] != Flow.Type.CARRY_OVER,
        "full_parked_usd": None,
        "earmarking": "",
        "keywords": [word.strip()[:100] for word in text(row.get("keywords")).split(",") if word.strip()],
        "emergencies": [text(row["destEmergency"])[:200]] if row.get("destEmergency") else [],
        "project_name": text(row.get("destProject")),
        "project_code": text(row.get("destProjectCode"))[:100],
        "report_details": [],
    }
    return flow


def _plans(row: dict[str, Any]) -> list[Thing]:
    """The plans of the row: several ids are several plans, whose names cannot be told apart."""
    ids = [whole(part.strip()) for part in text(row.get("destPlanId")).split(",") if part.strip()]
    name, code = text(row.get("destPlan"))[:255], text(row.get("destPlanCode"))[:50]
    if len(ids) == 1:
        return [Thing(ids[0], name, code=code)]
    return [Thing(found, f"FTS {found}") for found in ids]


def _organisation(name: Any, types: Any) -> list[Thing]:
    """One organisation: names contain commas, so that several could not be told apart anyway."""
    return [Thing(None, text(name)[:255], types=tuple(filter(None, [text(types)])))] if text(name) else []


def _locations(codes: Any) -> list[Thing]:
    return [Thing(None, code.strip(), code=code.strip()) for code in text(codes).split(",") if code.strip()]


def _years(first: Any, last: Any) -> list[int]:
    start, end = year_of(first), year_of(last)
    if start is None or end is None or not 0 <= end - start < 50:
        return [year for year in {start, end} if year]
    return list(range(start, end + 1))


def _names(found: str, known: Iterable[str]) -> list[str]:
    """The names in a list separated by commas, some of which have commas inside: known names first, longest first."""
    names = []
    rest = found
    for name in sorted(known, key=len, reverse=True):
        if name and f",{name}," in f",{rest},":
            names.append(name)
            rest = f",{rest},".replace(f",{name},", ",", 1).strip(",")
    return sorted(names + [name.strip() for name in rest.split(",") if name.strip()])
