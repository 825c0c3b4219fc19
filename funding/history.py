"""The history of a flow as people read it: when, by whom, and what changed from what to what."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.apps import apps
from django.utils.translation import gettext as _

from funding.models import Flow, Place, SectorSplit
from planning.models import Plan
from rrp_portal import formats
from rrp_portal.reference.models import User

LONGEST = 100  # versions on one page; an older history is in the database
SHOWN = (
    "status", "type", "donor", "recipient", "is_donor_anonymous", "original_amount", "currency", "units_per_usd", "rate_source",
    "amount_usd", "decided_on", "contribution_type", "valuation_basis", "is_new_money", "earmarking", "method", "parent_id",
    "corrects_id", "reference", "description", "reason", "fts_version",
)  # fmt: skip


@dataclass(slots=True)
class Change:
    """One thing that changed: its name, what it was, what it became; an empty text is nothing."""

    name: str
    before: str
    after: str


@dataclass(slots=True)
class Version:
    """One save of a flow with its lines."""

    at: datetime
    by: str
    first: bool
    changes: list[Change] = field(default_factory=list)


def versions_of(flow: Flow, reader, *, with_donor: bool) -> list[Version]:
    """The saves of the flow, newest first, in at most four queries. Names of people only for those who sign in (I23)."""
    flow_event, line_event = apps.get_model("funding", "FlowEvent"), apps.get_model("funding", "FlowLineEvent")
    flows = list(
        flow_event.objects.filter(pgh_obj=flow.pk)
        .select_related("donor", "recipient", "pgh_context")
        .order_by("-pgh_id")[: LONGEST + 1]
    )
    lines = list(
        line_event.objects.filter(flow=flow.pk)
        .select_related("country", "sector__sector", "pgh_context")
        .order_by("-pgh_id")[: LONGEST * 5]
    )
    plans = Plan.objects.visible_to(reader).in_bulk({event.plan_id for event in lines if event.plan_id})
    people = _people([*flows, *lines]) if reader.is_authenticated else {}
    versions: dict[tuple, Version] = {}

    def version(event: Any) -> Version:
        by = people.get(_user_id(event), "")
        key = (event.pgh_created_at, event.pgh_context_id)
        made = versions.setdefault(key, Version(at=event.pgh_created_at, by=by, first=False))
        made.by = made.by or by
        return made

    for event, before in _with_previous(flows, lambda event: event.pgh_obj_id):
        version(event).first |= event.pgh_label == "insert"
        version(event).changes += _changes(before, event, with_donor)
    for event, before in _with_previous(lines, lambda event: event.pgh_obj_id):
        was, became = _line(before, plans), "" if event.pgh_label == "delete" else _line(event, plans)
        if was != became:
            version(event).changes.append(Change(_("line"), was, became))
    shown = [made for made in versions.values() if made.changes or made.first]
    shown.sort(key=lambda made: made.at)
    return shown[::-1][:LONGEST]


def _with_previous(events: list, key) -> Iterable[tuple[Any, Any]]:
    """Each event, oldest first, with the one before of the same row."""
    last: dict[Any, Any] = {}
    for event in reversed(events):
        yield event, last.get(key(event))
        last[key(event)] = event


def _user_id(event) -> int | None:
    return event.pgh_context.metadata.get("user") if event.pgh_context else None


def _people(events: list) -> dict[int | None, str]:
    ids = {pk for event in events if (pk := _user_id(event))}
    return {user.pk: str(user) for user in User.objects.filter(pk__in=ids)} if ids else {}


def _changes(before, after, with_donor: bool) -> list[Change]:
    if before is None:
        return []
    names = [name for name in SHOWN if with_donor or name not in {"donor", "is_donor_anonymous"}]
    changes = []
    for name in names:
        model_field = Flow._meta.get_field(name.removesuffix("_id"))
        was, became = _value(before, name), _value(after, name)
        if was != became:
            changes.append(Change(str(model_field.verbose_name), was, became))
    return changes


def _value(event, name: str) -> str:
    """A field of an event in words."""
    if name == "currency":
        return event.currency_id or ""
    display = getattr(event, f"get_{name}_display", None)
    value = display() if display else getattr(event, name)
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if name == "units_per_usd":
        return str(formats.number(value))
    if name in {"amount_usd", "original_amount"}:
        return str(formats.number(value))
    if name == "decided_on":
        return formats.day(value)
    return str(value)


def _line(event, plans: dict) -> str:
    """A line in words: its plan, year, place, sector and US dollars."""
    if event is None:
        return ""
    plan = plans.get(event.plan_id)
    parts = [plan.code if plan else _("a plan that is not public") if event.plan_id else _("no plan")]
    parts.append(str(event.year) if event.year else _("several years"))
    parts.append(event.country.local_name if event.country else str(Place(event.place).label))
    parts.append(event.sector.local_name if event.sector else str(SectorSplit(event.split).label))
    return f"{' · '.join(parts)} · {formats.number(event.amount_usd)} USD"
