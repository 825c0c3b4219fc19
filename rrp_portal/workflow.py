"""Approval as data: transitions are rows of a table, one engine makes them all, and history is append-only.

Keep two refusals apart: *not you* is PermissionDenied (403), *not now* is `Refused`, a sentence that says what to do.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import models, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

Guard = Callable[[Any, Any], str | None]


class Refused(Exception):
    """The transition cannot be made now; the message says why and what to do."""


@dataclass(frozen=True)
class Transition:
    """One way from a status to the next. `may(obj, user)` says who; each guard returns the reason it refuses, or None."""

    name: str
    sources: tuple[str, ...]
    target: str
    may: Callable[[Any, Any], bool]
    guards: tuple[Guard, ...] = ()


class Step(models.Model):
    """One transition that was made. The row is also the outbox: `notified_at` empty means still to be announced."""

    transition = models.CharField(gettext_lazy("transition"), max_length=40)
    source = models.CharField(gettext_lazy("from status"), max_length=40)
    target = models.CharField(gettext_lazy("to status"), max_length=40)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=gettext_lazy("made by")
    )
    comment = models.TextField(gettext_lazy("comment"), blank=True)
    made_at = models.DateTimeField(gettext_lazy("made at"), auto_now_add=True)
    notified_at = models.DateTimeField(gettext_lazy("announced at"), null=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.transition}: {self.source} → {self.target}"


def by_name(*transitions: Transition) -> dict[str, Transition]:
    """The table of transitions, by name."""
    return {transition.name: transition for transition in transitions}


def obstacle(obj: Any, transition: Transition, user: Any) -> str | None:
    """Why the transition cannot be made now, in one sentence; None when nothing stands in its way."""
    if obj.status not in transition.sources:
        return _("This cannot be done while the status is “%(status)s”.") % {"status": obj.get_status_display()}
    return next((reason for guard in transition.guards if (reason := guard(obj, user))), None)


def available(obj: Any, transitions: Iterable[Transition], user: Any) -> list[Transition]:
    """The transitions that this person could make now, for buttons and for the API's `actions`."""
    return [t for t in transitions if t.may(obj, user) and obstacle(obj, t, user) is None]


@transaction.atomic
def make(obj: Any, transition: Transition, user: Any, comment: str = "") -> Any:
    """Make the transition under a row lock and write its step; returns the fresh object.

    `user` None is the portal itself (an import). Raises PermissionDenied (not you) or Refused (not now).
    """
    fresh = type(obj).objects.select_for_update(of=("self",)).get(pk=obj.pk)
    if user is not None and not transition.may(fresh, user):
        raise PermissionDenied
    if reason := obstacle(fresh, transition, user):
        raise Refused(reason)
    source, fresh.status = fresh.status, transition.target
    fresh.full_clean()
    fresh.save()
    fresh.steps.create(transition=transition.name, source=source, target=transition.target, user=user, comment=comment)
    obj.status = fresh.status
    return fresh
