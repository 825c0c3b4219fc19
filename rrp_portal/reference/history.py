"""The history of one row as people read it: when, who, and which field went from what to what."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import models
from django.utils.translation import gettext as _

from rrp_portal.reference.models import User

Value = tuple[models.Field, Any]


@dataclass(frozen=True, slots=True)
class Change:
    """One moment in the life of a row: what happened, and the fields that changed as (name, before, after)."""

    at: datetime
    who: str
    what: str
    fields: list[tuple[str, str, str]]


def changes_of(instance: models.Model, limit: int = 50) -> list[Change]:
    """The latest changes of a row whose model is tracked, newest first; a constant number of queries."""
    events = list(instance.events.select_related("pgh_context").order_by("-pgh_id")[: limit + 1])
    fields = [field for field in instance._meta.concrete_fields if hasattr(events[0], field.attname)] if events else []
    people = _people(events)
    steps: list[tuple[Any, list[tuple[models.Field, Any, Any]]]] = []
    for position, event in enumerate(events[:limit]):
        before = events[position + 1] if position + 1 < len(events) else None
        differences = [
            (field, getattr(before, field.attname), getattr(event, field.attname))
            for field in fields
            if before is not None
            and event.pgh_label == "update"
            and getattr(before, field.attname) != getattr(event, field.attname)
        ]
        steps.append((event, differences))
    names = _names([(field, value) for _event, found in steps for field, *values in found for value in values])
    labels = {"insert": _("Created"), "update": _("Changed"), "delete": _("Deleted")}
    return [
        Change(
            at=event.pgh_created_at,
            who=people.get(_user_id(event), _("the portal")),
            what=labels.get(event.pgh_label, event.pgh_label),
            fields=[
                (str(field.verbose_name), _shown(field, old, names), _shown(field, new, names))
                for field, old, new in differences
            ],
        )
        for event, differences in steps
    ]


def _user_id(event: Any) -> int | None:
    return (event.pgh_context.metadata or {}).get("user") if event.pgh_context_id else None


def _people(events: Iterable[Any]) -> dict[int | None, str]:
    """Who made the changes, by id, in one query."""
    return {user.pk: str(user) for user in User.objects.filter(pk__in={_user_id(event) for event in events} - {None})}


def _names(values: list[Value]) -> dict[tuple[str, Any], str]:
    """The names of the rows that foreign keys point at, one query for each kind."""
    wanted: dict[type[models.Model], set] = defaultdict(set)
    for field, value in values:
        if field.related_model and value is not None:
            wanted[field.related_model].add(value)
    return {
        (model._meta.label, row.pk): str(row)
        for model, keys in wanted.items()
        for row in model._base_manager.filter(pk__in=keys)
    }


def _shown(field: models.Field, value: Any, names: dict[tuple[str, Any], str]) -> str:
    if value is None or value == "":
        return "–"
    if field.related_model:
        return names.get((field.related_model._meta.label, value), str(value))
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return str(dict(field.flatchoices).get(value, value))
