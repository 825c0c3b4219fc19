"""The requirement lines, flows and published totals behind a figure, with everything a page tells about them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.db.models import Exists, OuterRef
from django.urls import reverse
from django.utils.translation import gettext as _

from funding.models import Flow, FlowLine, PublishedTotal
from funding.names import SPECIAL
from funding.rollups import Explanation, Part
from planning.models import Requirement


@dataclass(frozen=True, slots=True)
class BehindRow:
    """One row behind a figure as a page shows it."""

    part: Part
    title: str = ""
    href: str = ""
    reference: str = ""
    donor: str = ""
    recipient: str = ""
    place: str = ""
    sector: str = ""
    day: date | None = None


class Behind:
    """Fetches what the parts of explanations stand for: at most one query for each kind of thing."""

    def __init__(self, explanations: Iterable[Explanation], user) -> None:
        parts = [part for explanation in explanations for part in (*explanation.parts, *explanation.left_out)]
        opens = Exists(Flow.objects.visible_to(user).filter(pk=OuterRef("flow_id")))
        lines = FlowLine.objects.select_related("country", "sector__sector", "flow__donor", "flow__recipient").annotate(
            opens=opens
        )
        needs = Requirement.objects.select_related("chapter__country", "sector__sector", "partner")
        published = PublishedTotal.objects.select_related("country", "sector__sector")
        self._needs = _in_bulk(needs, {part.source_id for part in parts if part.kind == "requirement"})
        self._published = _in_bulk(published, {part.source_id for part in parts if part.kind == "published"})
        self._lines = _in_bulk(lines, {part.line_id for part in parts if part.line_id})

    def rows(self, parts: Iterable[Part]) -> list[BehindRow]:
        """The parts with what they stand for, in the same order."""
        return [self._row(part) for part in parts]

    def _row(self, part: Part) -> BehindRow:
        if part.kind == "requirement":
            return self._requirement(part, self._needs.get(part.source_id))
        if part.kind == "published":
            return self._total(part, self._published.get(part.source_id))
        return self._line(part, self._lines.get(part.line_id))

    def _requirement(self, part: Part, line: Requirement | None) -> BehindRow:
        if line is None:
            return BehindRow(part, title=_("A line that no longer exists"))
        return BehindRow(
            part,
            title=line.activity or _("Requirement line"),
            recipient=str(line.partner) if line.partner else str(SPECIAL["partner", "none"][0]),
            place=str(line.chapter),
            sector=line.sector.local_name if line.sector else str(SPECIAL["sector", "not_specified"][0]),
        )

    def _total(self, part: Part, total: PublishedTotal | None) -> BehindRow:
        if total is None:
            return BehindRow(part, title=_("A published total that no longer exists"))
        place, sector = _place(total), _sector(total)
        return BehindRow(
            part, title=_("Published total"), reference=total.source, place=place, sector=sector, day=total.as_of
        )

    def _line(self, part: Part, line: FlowLine | None) -> BehindRow:
        if line is None:
            return BehindRow(part, title=_("A flow that was changed or deleted since"))
        if not line.opens:
            return BehindRow(part, title=_("A flow that is not public"), place=_place(line), sector=_sector(line))
        flow = line.flow
        donor = (
            _("Anonymous donor") if flow.is_donor_anonymous else str(flow.donor) if flow.donor else _("Not specified")
        )
        return BehindRow(
            part,
            title=flow.description or flow.get_type_display(),
            href=reverse("funding:flow-detail", args=[flow.pk]),
            reference=flow.reference or (f"FTS {flow.fts_id}" if flow.fts_id else ""),
            donor=donor,
            recipient=str(flow.recipient) if flow.recipient else _("Not specified"),
            place=_place(line),
            sector=_sector(line),
            day=flow.flow_on or flow.decided_on,
        )


def _in_bulk(queryset, keys: set) -> dict:
    return queryset.in_bulk(keys) if keys else {}


def _place(thing) -> str:
    if thing.country:
        return thing.country.local_name
    return str(SPECIAL["place", thing.place if ("place", thing.place) in SPECIAL else "not_specified"][0])


def _sector(thing) -> str:
    if thing.sector:
        return thing.sector.local_name
    return str(SPECIAL["sector", thing.split if ("sector", thing.split) in SPECIAL else "not_specified"][0])
