"""Rows of the list of flows, as words: made once per row from plain columns, so that the template only prints."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from funding.models import Flow, FlowLine, Place, SectorSplit
from rrp_portal import formats
from rrp_portal.reference.models import Organisation

SHOWN_LINES = 4
TAGS = {Flow.Status.PAID: "tag good", Flow.Status.PLEDGE: "tag warn", Flow.Status.CANCELLED: "tag bad"}
FLOW = (
    "pk", "donor_id", "donor_name", "is_donor_known", "is_donor_anonymous", "recipient_id", "recipient_name", "type", "flow_on",
    "status", "amount_usd",
)  # fmt: skip
LINE = (
    "flow_id", "amount_usd", "plan_id", "plan__code", "year", "place", "country_id", "country__name", "country__names", "split",
    "sector_id", "sector__name", "sector__sector__name", "sector__sector__names",
)  # fmt: skip


def read(flows: QuerySet[Flow]) -> QuerySet[Flow]:
    """Flows that carry `is_donor_known`, as rows of plain columns; names are looked up for the rows of the page only."""
    named = flows.annotate(
        donor_name=Subquery(Organisation.objects.filter(pk=OuterRef("donor_id")).values("name")),
        recipient_name=Subquery(Organisation.objects.filter(pk=OuterRef("recipient_id")).values("name")),
    )
    return named.values_list(*FLOW, named=True)


@dataclass(frozen=True, slots=True)
class Row:
    """One flow of the list."""

    href: str
    donor: str
    recipient: str
    kind: str
    day: str
    status: str
    tag: str
    lines: list[tuple[str, str]]
    more: int
    amount: str


class Rows:
    """Turns what was read of flows into rows; labels, addresses and lines are looked up once per page."""

    def __init__(self) -> None:
        self.statuses = {value: str(label) for value, label in Flow.Status.choices}
        self.types = {value: str(label) for value, label in Flow.Type.choices} | {Flow.Type.STANDARD: ""}
        self.places = {value: str(label) for value, label in Place.choices}
        self.splits = {value: str(label) for value, label in SectorSplit.choices}
        self.nobody, self.anonymous = _("Not specified"), _("(anonymous to others)")
        self.no_plan, self.years = _("no plan"), _("several years")
        self.base = reverse("funding:flow-list")
        self.language = get_language() or "en"

    def of(self, flows: Iterable[Any]) -> list[Row]:
        """The rows of a page of what `read` gives, in the order of the flows; asks for their lines in one query."""
        flows = list(flows)
        lines: dict[int, list[Any]] = defaultdict(list)
        of_flows = FlowLine.objects.filter(flow__in=[flow.pk for flow in flows]).order_by("-amount_usd", "pk")
        for line in of_flows.values_list(*LINE, named=True):
            lines[line.flow_id].append(line)
        return [self._row(flow, lines[flow.pk]) for flow in flows]

    def _row(self, flow: Any, lines: list[Any]) -> Row:
        return Row(
            href=f"{self.base}{flow.pk}/",
            donor=self._donor(flow),
            recipient=flow.recipient_name if flow.recipient_id else self.nobody,
            kind=self.types[flow.type],
            day=formats.day(flow.flow_on),
            status=self.statuses[flow.status],
            tag=TAGS.get(flow.status, "tag"),
            lines=[
                (self._line(line), "" if line.amount_usd == flow.amount_usd else formats.usd(line.amount_usd))
                for line in lines[:SHOWN_LINES]
            ],
            more=len(lines) if len(lines) > SHOWN_LINES else 0,
            amount=formats.usd(flow.amount_usd),
        )

    def _donor(self, flow: Any) -> str:
        if flow.donor_id is None or not flow.is_donor_known:
            return self.nobody
        return f"{flow.donor_name} {self.anonymous}" if flow.is_donor_anonymous else flow.donor_name

    def _line(self, line: Any) -> str:
        plan, year = line.plan__code if line.plan_id else self.no_plan, line.year or self.years
        place = self._local(line.country__names, line.country__name) if line.country_id else self.places[line.place]
        sector = self.splits[line.split]
        if line.sector_id and line.sector__name == line.sector__sector__name:
            sector = self._local(line.sector__sector__names, line.sector__name)
        elif line.sector_id:
            sector = line.sector__name  # the plan's own name
        return f"{plan} · {year} · {place} · {sector}"

    def _local(self, names: dict[str, str], name: str) -> str:
        return names.get(self.language) or name
