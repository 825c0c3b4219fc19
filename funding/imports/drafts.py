"""From what FTS says to what the portal keeps: one flow and its line, every name resolved (BR-10, BR-12)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_noop

from funding.imports.mapping import FtsFlow, Side, Thing
from funding.imports.plans import Plans
from funding.imports.references import SEVERAL_DONORS, SEVERAL_RECIPIENTS, References
from funding.imports.report import Report
from funding.imports.sectors import Sectors
from funding.models import Flow, SectorSplit
from planning.models import Plan

FLOW_FIELDS = (
    "fts_id", "fts_version", "reference", "description", "status", "type", "contribution_type", "method", "is_new_money",
    "earmarking", "amount_usd", "original_amount", "currency_id", "units_per_usd", "full_parked_usd", "budget_year", "flow_on",
    "decided_on", "first_reported_on", "source_updated_at", "donor_id", "recipient_id", "source_plan_id", "source_year",
    "source_place", "source_country_id", "source_split", "source_sector_id", "parent_id", "fts_parent_id", "keywords",
    "emergencies", "project_name", "project_code", "report_details", "channel",
)  # fmt: skip
LINE_FIELDS = (
    "amount_usd", "plan_id", "year", "place", "country_id", "split", "sector_id", "global_sector_id", "named_years",
    "named_countries", "named_sectors",
)  # fmt: skip

SEVERAL_PLANS = gettext_noop("FTS names several plans (%(names)s), so that its money counts for none of them.")


@dataclass(slots=True)
class Draft:
    """A flow as it should stand in the database, and the one line it has."""

    fts: FtsFlow
    flow: dict[str, Any]
    line: dict[str, Any]


class Drafting:
    """Makes drafts of a batch; brings in what the flows name and the portal does not know."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self.references = References(report)
        self.plans = Plans(report)
        self.sectors = Sectors(report)

    def drafts(self, flows: Sequence[FtsFlow]) -> list[Draft]:
        """The drafts of a batch, in its order."""
        self.references.load(flows)
        sides = [side for flow in flows for side in (flow.source, flow.destination)]
        self.plans.load({plan.id for side in sides for plan in side.plans if plan.id})
        parents = {flow.parent_id for flow in flows if flow.parent_id}
        known = dict(Flow.objects.filter(fts_id__in=parents).values_list("fts_id", "pk"))
        return [self._draft(flow, known) for flow in flows]

    def _draft(self, flow: FtsFlow, parents: dict[int | None, int]) -> Draft:
        for text, values in flow.notes:
            self._report.note(flow.subject, text, line=flow.line, file=flow.file, **values)
        parent_id = flow.parent_id if flow.parent_id != flow.id else None
        source_plan = self._plan(flow, flow.source)
        place, country_id, _named = self.references.place(flow.source.locations)
        split, sector_id = self._split(source_plan, flow.source)
        values = flow.values | {
            "currency_id": self.references.currency(flow.currency),
            "donor_id": self.references.organisation(flow, flow.source, SEVERAL_DONORS),
            "recipient_id": self.references.organisation(flow, flow.destination, SEVERAL_RECIPIENTS),
            "source_plan_id": source_plan.pk if source_plan else None,
            "source_year": flow.source.years[0] if len(flow.source.years) == 1 else None,
            "source_place": place,
            "source_country_id": country_id,
            "source_split": split,
            "source_sector_id": sector_id,
            "fts_parent_id": parent_id,
            "parent_id": parents.get(parent_id),
            "channel": Flow.Channel.FTS,
        }
        return Draft(flow, values, self._line(flow))

    def _plan(self, flow: FtsFlow, side: Side) -> Plan | None:
        if len(side.plans) == 1 and side.plans[0].is_single and side.plans[0].id:
            thing = side.plans[0]
            return self.plans.get(thing.id or 0, thing.name, years=side.years, code=thing.code)
        if side.plans:
            names = ", ".join(thing.name for thing in side.plans)
            self._report.note(flow.subject, SEVERAL_PLANS, line=flow.line, file=flow.file, names=names)
        return None

    def _split(self, plan: Plan | None, side: Side) -> tuple[str, int | None]:
        """The sector inside the plan; global clusters say nothing about it. Outside plans, whether one is named."""
        things = side.clusters if plan else side.global_clusters
        if not things:
            return SectorSplit.NOT_SPECIFIED, None
        if len(things) > 1 or not things[0].is_single:
            return SectorSplit.SHARED, None
        if plan is None:
            return SectorSplit.SINGLE, None
        return SectorSplit.SINGLE, self.sectors.of_plan(plan, things[0], side.global_clusters).pk

    def _line(self, flow: FtsFlow) -> dict[str, Any]:
        side = flow.destination
        plan = self._plan(flow, side)
        place, country_id, named_countries = self.references.place(side.locations)
        split, sector_id = self._split(plan, side)
        is_one = len(side.global_clusters) == 1 and side.global_clusters[0].is_single
        return {
            "amount_usd": flow.values["amount_usd"],
            "plan_id": plan.pk if plan else None,
            "year": side.years[0] if len(side.years) == 1 else None,
            "place": place,
            "country_id": country_id,
            "split": split,
            "sector_id": sector_id,
            "global_sector_id": self.sectors.global_sector(side.global_clusters[0]).pk if is_one else None,
            "named_years": side.years if len(side.years) > 1 else [],
            "named_countries": named_countries,
            "named_sectors": [] if split == SectorSplit.SINGLE else _names(side.clusters or side.global_clusters),
        }


def _names(things: Sequence[Thing]) -> list[str]:
    return sorted({thing.name[:200] for thing in things})
