"""What is behind a figure: rows that count and rows that do not, each with what it is, its reason, and where to find it."""

from typing import Any

from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError

from funding import rollups
from funding.api.past import day_of
from funding.models import Flow, PublishedTotal
from funding.rollups import Part
from planning.models import Plan, PlanSector

LIMIT, LIMIT_AT_MOST, OFFSET_AT_MOST = 100, 1000, 10_000_000
FLOW_SHOWN = ("id", "fts_id", "donor__name", "recipient__name", "status", "is_donor_anonymous")


def _whole(request, name: str, default: int, lowest: int, highest: int) -> int:
    given = request.query_params.get(name, str(default))
    if given.isdecimal() and len(given) < 10 and lowest <= int(given) <= highest:
        return int(given)
    sentence = _("Give a whole number from %(lowest)s to %(highest)s.") % {"lowest": lowest, "highest": highest}
    raise ValidationError({name: [sentence]}, code=name)


def _measure(request) -> str:
    measure = request.query_params.get("measure", "")
    if measure not in rollups.EXPLAINED:
        known = ", ".join(rollups.EXPLAINED)
        raise ValidationError({"measure": [_("Choose a measure: %(known)s.") % {"known": known}]}, code="measure")
    return measure


def _sector(plan: Plan, code: str) -> int:
    sectors = list(PlanSector.objects.filter(plan=plan, sector__code=code).values_list("pk", flat=True)[:2])
    if len(sectors) == 1:
        return sectors[0]
    sentence = (
        _("The plan has no sector with this code.")
        if not sectors
        else _("The plan has several sectors with this code. Name one by plan_sector.")
    )
    raise ValidationError({"sector": [sentence]}, code="sector")


def as_parts(request, plan: Plan, year: int, wanted: dict[str, Any]) -> dict[str, Any]:
    """The explanation that the request asks for, ready to be written. Raises ValidationError for what cannot be explained."""
    measure, day = _measure(request), day_of(request)
    limit = _whole(request, "limit", LIMIT, 1, LIMIT_AT_MOST)
    offset = _whole(request, "offset", 0, 0, OFFSET_AT_MOST)
    cell = {name: value for name, value in wanted.items() if name in {"place", "country", "split", "partner", "donor"}}
    if "plan_sector" in request.query_params:
        cell["sector"] = _whole(request, "plan_sector", 0, 1, 999_999_999)
    elif "sector" in wanted:
        cell["sector"] = _sector(plan, wanted["sector"])
    found = rollups.explain(plan.pk, year, measure, cell, as_of=day, limit=limit, offset=offset)
    shown = _Shown(request.user, [*found.parts, *found.left_out])
    more = max(found.counted_rows, found.left_out_rows) > offset + limit
    return {
        "plan": plan.code,
        "year": year,
        "measure": measure,
        "as_of": day,
        "total": found.total,
        "counted_rows": found.counted_rows,
        "left_out_rows": found.left_out_rows,
        "next_offset": offset + limit if more else None,
        "counted": [shown.part(part) for part in found.parts],
        "left_out": [shown.part(part) for part in found.left_out],
    }


class _Shown:
    """Rows behind a figure with their names, in two queries; of a flow that the reader may not see, only its amount and reason."""

    def __init__(self, user, parts: list[Part]) -> None:
        flows = {part.source_id for part in parts if part.kind not in {"requirement", "published"}}
        totals = {part.source_id for part in parts if part.kind == "published"}
        visible = Flow.objects.visible_to(user).filter(pk__in=flows) if flows else Flow.objects.none()
        self.flows = {flow["id"]: flow for flow in visible.values(*FLOW_SHOWN)}
        published = PublishedTotal.objects.filter(pk__in=totals) if totals else PublishedTotal.objects.none()
        self.sources = dict(published.values_list("pk", "source"))

    def part(self, part: Part) -> dict[str, Any]:
        """One row, ready to be written."""
        flow = self.flows.get(part.source_id) if part.kind not in {"requirement", "published"} else None
        return {
            "kind": part.kind,
            "reason": str(part.reason),
            "amount": part.amount,
            "requirement": part.source_id if part.kind == "requirement" else None,
            "flow": flow and flow["id"],
            "line": part.line_id if flow else None,
            "fts_id": flow and flow["fts_id"],
            "donor_name": flow["donor__name"] if flow and not flow["is_donor_anonymous"] else None,
            "recipient_name": flow and flow["recipient__name"],
            "status": flow and flow["status"],
            "source": self.sources.get(part.source_id) if part.kind == "published" else None,
        }
