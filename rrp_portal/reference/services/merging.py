"""Merging twins among organisations, and undoing it: nothing is deleted, and every reference that moved is recorded."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pghistory
import pghistory.models
from django.db import IntegrityError, InternalError, models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from rrp_portal.reference.models import GOVERNMENT_TYPES, Organisation, OrganisationMerge, User
from rrp_portal.workflow import Refused

REFUSALS = (IntegrityError, InternalError)
Keys = list[Any]


@dataclass(frozen=True)
class Reference:
    """A column that points at organisations."""

    model: type[models.Model]
    field: str

    @property
    def label(self) -> str:
        """How the record of a merge names it, for example funding.flow.recipient."""
        return f"{self.model._meta.label_lower}.{self.field}"

    @property
    def column(self) -> str:
        """The column in the database."""
        return f"{self.field}_id"

    def __str__(self) -> str:
        meta = self.model._meta
        owner: Any = meta.auto_created
        if owner:  # the table of a many-to-many relation
            return str(owner._meta.verbose_name_plural)
        return f"{meta.verbose_name_plural}: {getattr(meta.get_field(self.field), 'verbose_name', self.field)}"

    def pointing_at(self, organisation: Organisation) -> models.QuerySet:
        """The rows that point at the organisation, in the order of their keys."""
        return self.model._base_manager.filter(**{self.column: organisation.pk}).order_by("pk")

    def point(self, keys: Keys, old: Organisation, new: Organisation) -> tuple[Keys, Keys]:
        """Point these rows from the old organisation to the new one; returns the keys moved and those the database refuses.

        One statement where nothing stands in the way; where something does, halves, down to the rows that it is about.
        """
        if not keys:
            return [], []
        try:
            with transaction.atomic():
                rows = self.model._base_manager.filter(pk__in=keys, **{self.column: old.pk})
                present = list(rows.values_list("pk", flat=True))
                rows.update(**{self.column: new.pk})
            return present, []
        except REFUSALS:
            if len(keys) == 1:
                return [], keys
        half = len(keys) // 2
        first, second = self.point(keys[:half], old, new), self.point(keys[half:], old, new)
        return first[0] + second[0], first[1] + second[1]


def references() -> Iterator[Reference]:
    """Every column that points at organisations, tables of many-to-many relations included.

    Left out: history, which says what was true; the merges themselves; and figures, which are derived and have no constraint.
    """
    for relation in Organisation._meta.get_fields(include_hidden=True):
        field = getattr(relation, "field", None)
        if not isinstance(relation, models.ManyToOneRel) or not isinstance(field, models.ForeignKey):
            continue
        model = field.model
        if (
            issubclass(model, pghistory.models.Event)
            or model is OrganisationMerge
            or not getattr(field, "db_constraint", True)
        ):
            continue
        yield Reference(model, field.name)


def preview(merged: Organisation) -> list[tuple[str, int]]:
    """What a merge would move: each kind of reference and how many rows point at the merged organisation now."""
    counted = ((str(reference), reference.pointing_at(merged).count()) for reference in references())
    return [(name, rows) for name, rows in counted if rows]


def obstacle(merged: Organisation, kept: Organisation) -> str | None:
    """Why the one organisation cannot be merged into the other, in a sentence that says what to do; None when it can."""
    if merged.pk == kept.pk:
        return _("An organisation cannot be merged into itself. Choose another one to keep.")
    if merged.merged_into is not None:
        return _("%(merged)s is already merged into %(kept)s. Undo that merge first.") % {
            "merged": merged, "kept": merged.merged_into
        }  # fmt: skip
    if kept.merged_into is not None:
        return _("%(kept)s is itself merged into %(other)s. Choose %(other)s instead.") % {
            "kept": kept, "other": kept.merged_into
        }  # fmt: skip
    if not kept.type.may_own_requirement and _owns_lines(merged):
        return _(
            "%(merged)s owns requirement lines, and %(kept)s cannot, being of the type “%(type)s”. "
            "Merge the other way round, or correct the type of %(kept)s first."
        ) % {"merged": merged, "kept": kept, "type": kept.type}
    if merged.type_id in GOVERNMENT_TYPES and kept.type_id not in GOVERNMENT_TYPES and _owns_lines(kept):
        return _(
            "%(merged)s is a government body, and %(kept)s owns requirement lines, which a government body never does. "
            "Correct the type of %(merged)s first if it is wrong."
        ) % {"merged": merged, "kept": kept}
    if plans := _plans_that_treat_them_differently(merged, kept):
        return _(
            "%(plans)s counts one of the two organisations as outside its boundary and not the other, so that the merge would "
            "change its total. Give both the same exception first."
        ) % {"plans": ", ".join(plans)}
    return None


def _owns_lines(organisation: Organisation) -> bool:
    """Whether requirement lines stand under the organisation or under one that was merged into it."""
    twins = models.Q(pk=organisation.pk) | models.Q(merged_into=organisation.pk)
    return Organisation.objects.filter(twins, requirements__isnull=False).exists()


def _plans_that_treat_them_differently(merged: Organisation, kept: Organisation) -> list[str]:
    """The plans with an exception to their boundary for one of the two (BR-09)."""
    of_merged, of_kept = (dict(one.boundary_exceptions.values_list("plan", "plan__name")) for one in (merged, kept))
    return sorted((of_merged | of_kept)[plan] for plan in of_merged.keys() ^ of_kept.keys())


def _with_ancestors(organisation: Organisation) -> set[int]:
    """The organisation and those it is part of, which must not become part of it."""
    found: set[int] = set()
    current: Organisation | None = organisation
    while current is not None and current.pk not in found:
        found.add(current.pk)
        current = current.parent
    return found


def _lock(*organisations: Organisation) -> list[Organisation]:
    """The organisations, fresh and locked, always in the same order so that two merges never wait for each other."""
    wanted = {organisation.pk for organisation in organisations}
    rows = Organisation.objects.select_for_update(of=("self",)).select_related("type", "merged_into")
    fresh = {row.pk: row for row in rows.filter(pk__in=wanted).order_by("pk")}
    return [fresh[organisation.pk] for organisation in organisations]


@transaction.atomic
def merge_organisations(
    *, merged: Organisation, kept: Organisation, user: User | None, reason: str
) -> OrganisationMerge:
    """Merge one organisation into the one that stays; returns the merge, whose `moved` names every row that now points elsewhere.

    Rows that may not change (lines of approved versions) or that would stand twice stay where they are and are named in
    `moved["stayed"]`; figures read them as the kept organisation's through `merged_into`. Earlier merges into the merged one point at
    the kept one from now on. Nothing is deleted. Raises Refused with the reason. Sources: I1, I8.
    """
    merged, kept = _lock(merged, kept)
    if reason_against := obstacle(merged, kept):
        raise Refused(reason_against)
    moved: dict[str, Keys] = {}
    stayed: dict[str, Keys] = {}
    with pghistory.context(user=user.pk if user else None, merge=f"{merged.pk} -> {kept.pk}"):
        for reference in references():
            rows = reference.pointing_at(merged)
            if reference.model is Organisation:
                rows = rows.exclude(pk__in=_with_ancestors(kept))
            done, refused = reference.point(list(rows.values_list("pk", flat=True)), merged, kept)
            moved |= {reference.label: done} if done else {}
            stayed |= {reference.label: refused} if refused else {}
        merged.merged_into = kept
        merged.save(update_fields=["merged_into"])
    return OrganisationMerge.objects.create(
        merged=merged, kept=kept, moved={"moved": moved, "stayed": stayed}, reason=reason, made_by=user
    )


def undo_obstacle(merge: OrganisationMerge) -> str | None:
    """Why the merge cannot be undone now; None when it can."""
    if merge.undone_at is not None:
        return _("This merge is already undone.")
    if merge.kept.merged_into is not None:
        return _("%(kept)s was later merged into %(other)s. Undo that merge first.") % {
            "kept": merge.kept, "other": merge.kept.merged_into
        }  # fmt: skip
    return None


@transaction.atomic
def undo_merge(merge: OrganisationMerge, *, user: User | None) -> OrganisationMerge:
    """Point every row that the merge moved back to the merged organisation; returns the merge, marked as undone.

    Rows that somebody has pointed elsewhere since, or deleted, are left alone and named in `moved["changed_since"]`; rows that the
    database refuses to move back, for example because their version was approved meanwhile, in `moved["refused"]`. Raises Refused.
    """
    merge = OrganisationMerge.objects.select_for_update().get(pk=merge.pk)
    merge.merged, merge.kept = _lock(merge.merged, merge.kept)
    if reason_against := undo_obstacle(merge):
        raise Refused(reason_against)
    known = {reference.label: reference for reference in references()}
    changed_since: dict[str, Keys] = {}
    refused: dict[str, Keys] = {}
    with pghistory.context(user=user.pk if user else None, merge=f"undo {merge.merged_id} -> {merge.kept_id}"):
        merge.merged.merged_into = None
        merge.merged.save(update_fields=["merged_into"])
        for label, keys in merge.moved["moved"].items():
            done, stuck = known[label].point(keys, merge.kept, merge.merged) if label in known else ([], [])
            changed = [key for key in keys if key not in {*done, *stuck}]
            changed_since |= {label: changed} if changed else {}
            refused |= {label: stuck} if stuck else {}
    merge.moved |= {"changed_since": changed_since, "refused": refused}
    merge.undone_at, merge.undone_by = timezone.now(), user
    merge.save(update_fields=["moved", "undone_at", "undone_by"])
    return merge


__all__ = ["merge_organisations", "obstacle", "preview", "references", "undo_merge", "undo_obstacle"]
