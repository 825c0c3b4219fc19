"""Rows of the list of flows, as words: made once per row, so that the template only prints."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext as _

from funding.models import Flow, FlowLine, Place, SectorSplit
from rrp_portal import formats

SHOWN_LINES = 4
TAGS = {Flow.Status.PAID: "tag good", Flow.Status.PLEDGE: "tag warn", Flow.Status.CANCELLED: "tag bad"}


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
    """Turns flows with lines into rows; labels and addresses are looked up once per page."""

    def __init__(self) -> None:
        self.statuses = {value: str(label) for value, label in Flow.Status.choices}
        self.types = {value: str(label) for value, label in Flow.Type.choices} | {Flow.Type.STANDARD: ""}
        self.places = {value: str(label) for value, label in Place.choices}
        self.splits = {value: str(label) for value, label in SectorSplit.choices}
        self.nobody, self.anonymous = _("Not specified"), _("(anonymous to others)")
        self.no_plan, self.years = _("no plan"), _("several years")
        self.base = reverse("funding:flow-list")

    def of(self, flows: Iterable[Flow]) -> list[Row]:
        """The rows of a page, in the order of the flows."""
        return [self._row(flow) for flow in flows]

    def _row(self, flow: Flow) -> Row:
        lines = list(flow.lines.all())
        return Row(
            href=f"{self.base}{flow.pk}/",
            donor=self._donor(flow),
            recipient=flow.recipient.name if flow.recipient else self.nobody,
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

    def _donor(self, flow: Flow) -> str:
        if flow.donor is None or not flow.is_donor_known:
            return self.nobody
        return f"{flow.donor.name} {self.anonymous}" if flow.is_donor_anonymous else flow.donor.name

    def _line(self, line: FlowLine) -> str:
        plan, year = line.plan.code if line.plan else self.no_plan, line.year or self.years
        place = line.country.local_name if line.country else self.places[line.place]
        sector = line.sector.local_name if line.sector else self.splits[line.split]
        return f"{plan} · {year} · {place} · {sector}"
