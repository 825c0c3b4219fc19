"""Writing flows in batches: what is new is created, what FTS changed is updated, what is as it was is left alone (BR-06, I18).

A flow is known by its FTS id. A newer version replaces it (the database keeps the old one in history); an older one is ignored. The same
version only fills in what was empty, so that what a person specified here is never undone by reading the same file again.
"""

from dataclasses import dataclass, field
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any

from django.db import connection
from django.db.models import Model, Q
from django.utils.translation import gettext_noop

from funding.imports.copying import copy, new_ids
from funding.imports.drafts import FLOW_FIELDS, LINE_FIELDS, Draft, Drafting
from funding.imports.mapping import FtsFlow
from funding.imports.report import Outcome, Report
from funding.models import Flow, FlowLine, Place, SectorSplit

BATCH = 1000

OLDER = gettext_noop("The file has version %(found)s; the portal has the newer version %(known)s, which stays.")
OLDER_DAY = gettext_noop("The file has it as of %(found)s; the portal has it as of %(known)s, which stays.")
NEWER_ELSEWHERE = gettext_noop(
    "FTS has changed it since (%(found)s; here %(known)s), but this file says less about it than FTS itself. "
    "Fetch its plan from FTS."
)
UPDATED = gettext_noop("Version %(known)s became version %(found)s: %(changes)s.")
COMPLETED = gettext_noop("What was empty is filled in: %(changes)s.")
DIFFERS = gettext_noop("FTS gives the same version, but here it differs (%(changes)s); what stands here stays.")
SPLIT_KEPT = gettext_noop("Its money is split into %(lines)s lines here. They stay; only the flow itself follows FTS.")
SPLIT_TOO_LARGE = gettext_noop(
    "FTS now gives %(amount)s USD, and its lines here add up to more. Change the lines, then import again."
)
VANISHED = gettext_noop(
    "FTS does not give this flow any more for %(plan)s. It was not deleted: look it up in FTS, and cancel it if it is gone."
)
KNOWN_BETTER = gettext_noop("%(count)s rows of CSV files are known in more detail from FTS itself; those details stay.")

# Fields that mean something only together: a line's country without its place would be nonsense.
_TOGETHER = (
    ("source_place", "source_country_id"),
    ("source_split", "source_sector_id"),
    ("place", "country_id", "named_countries"),
    ("split", "sector_id", "named_sectors"),
    ("year", "named_years"),
)
_EMPTY: tuple[Any, ...] = ("", None, [], Place.NOT_SPECIFIED.value, SectorSplit.NOT_SPECIFIED.value)
_NEVER_FILLED = frozenset({"fts_version", "source_updated_at", "channel"})

_LINK_PARENTS = """
    UPDATE funding_flow c SET parent_id = p.id FROM funding_flow p
     WHERE p.fts_id = c.fts_parent_id AND c.parent_id IS NULL AND c.channel = 'fts' AND p.id <> c.id
"""


@dataclass(slots=True)
class _Known:
    """A flow that the portal has, with its lines."""

    values: dict[str, Any]
    lines: list[dict[str, Any]] = field(default_factory=list)


@dataclass(slots=True)
class _Change:
    """What is to be written of a draft, and what it replaces."""

    draft: Draft
    known: _Known
    flow: set[str]
    line: set[str]


class Writer:
    """Takes flows one by one and writes them in batches."""

    def __init__(self, report: Report, drafting: Drafting) -> None:
        self._report, self._drafting = report, drafting
        self._batch: dict[int, FtsFlow] = {}
        self.plan_years: set[tuple[int, int]] = set()
        self._known_better = 0
        self.seen: set[int] = set()

    def add(self, flow: FtsFlow) -> None:
        """Take a flow; a second copy of one in the same batch waits until the first is written."""
        if flow.id in self._batch or len(self._batch) >= BATCH:
            self.flush()
        self._batch[flow.id] = flow

    def flush(self) -> None:
        """Write the batch."""
        flows, self._batch = list(self._batch.values()), {}
        if not flows:
            return
        known = self._known([flow.id for flow in flows])
        created: list[Draft] = []
        changes: list[_Change] = []
        for draft in self._drafting.drafts(flows):
            self.seen.add(draft.fts.id)
            if draft.line["plan_id"] and draft.line["year"]:
                self.plan_years.add((draft.line["plan_id"], draft.line["year"]))
            existing = known.get(draft.fts.id)
            if existing is None:
                created.append(draft)
            elif change := self._decide(draft, existing):
                changes.append(change)
        self._create(created)
        self._update(changes)

    def finish(self) -> None:
        """Write the last batch, and link children to parents that came later."""
        self.flush()
        with connection.cursor() as cursor:
            cursor.execute(_LINK_PARENTS)
        if self._known_better:
            self._report.fact(KNOWN_BETTER, count=self._known_better)
            self._known_better = 0

    def tell_vanished(self, plan_fts_id: int | None, year: int | None) -> None:
        """Tell the flows that FTS did not give this time, of the plan or year asked for or of all plan-years just read."""
        lines = FlowLine.objects.filter(flow__channel=Flow.Channel.FTS, flow__fts_version__isnull=False)
        if plan_fts_id:
            lines = lines.filter(plan__fts_id=plan_fts_id)
        elif year:
            lines = lines.filter(year=year)
        else:
            read = [Q(plan=plan_id, year=of_year) for plan_id, of_year in sorted(self.plan_years)]
            lines = lines.filter(reduce(or_, read)) if read else lines.none()
        for line in lines.select_related("flow", "plan").order_by("pk").iterator():
            if line.flow.fts_id not in self.seen:
                self._report.note(f"FTS {line.flow.fts_id}", VANISHED, plan=line.plan or year)

    def _known(self, fts_ids: list[int]) -> dict[int, _Known]:
        flows = Flow.objects.filter(fts_id__in=fts_ids).values("pk", *FLOW_FIELDS)
        known = {flow["pk"]: _Known(flow) for flow in flows}
        for line in FlowLine.objects.filter(flow_id__in=known).values("pk", "flow_id", *LINE_FIELDS).order_by("pk"):
            known[line["flow_id"]].lines.append(line)
        return {flow.values["fts_id"]: flow for flow in known.values()}

    def _decide(self, draft: Draft, known: _Known) -> _Change | None:
        """What to write of a draft of a known flow; None when nothing, with the outcome told."""
        age = _age(draft.flow, known.values)
        if not draft.fts.is_from_api and known.values["fts_version"] is not None:
            self._keep_better(draft, known)
            return None
        if age < 0:
            self._ignore_older(draft, known)
            return None
        flow = {name for name in FLOW_FIELDS if draft.flow[name] != known.values[name]}
        line = set()
        if len(known.lines) == 1:
            line = {name for name in LINE_FIELDS if draft.line[name] != known.lines[0][name]}
        if not flow and not line:
            self._report.row(Outcome.UNCHANGED, draft.fts.subject)
            return None
        if age > 0:
            return self._replace(_Change(draft, known, flow, line))
        return self._fill(_Change(draft, known, flow, line))

    def _keep_better(self, draft: Draft, known: _Known) -> None:
        found, here = draft.flow["source_updated_at"], known.values["source_updated_at"]
        if found and here and found.date() > here.date():
            self._row(Outcome.IGNORED, draft, NEWER_ELSEWHERE, found=found.date(), known=here.date())
        else:
            self._known_better += 1
            self._report.row(Outcome.UNCHANGED, draft.fts.subject)

    def _ignore_older(self, draft: Draft, known: _Known) -> None:
        if draft.flow["fts_version"] is None:
            found, here = draft.flow["source_updated_at"], known.values["source_updated_at"]
            self._row(Outcome.IGNORED, draft, OLDER_DAY, found=found.date(), known=here.date())
        else:
            found, here = draft.flow["fts_version"], known.values["fts_version"]
            self._row(Outcome.IGNORED, draft, OLDER, found=found, known=here)

    def _replace(self, change: _Change) -> _Change | None:
        known, draft = change.known, change.draft
        if len(known.lines) > 1:
            total, amount = sum(line["amount_usd"] for line in known.lines), draft.flow["amount_usd"]
            if abs(total) > abs(amount) or total * amount < 0:
                self._row(Outcome.REFUSED, draft, SPLIT_TOO_LARGE, amount=amount)
                return None
            self._report.note(
                draft.fts.subject, SPLIT_KEPT, line=draft.fts.line, file=draft.fts.file, lines=len(known.lines)
            )
        versions = {"known": known.values["fts_version"] or "–", "found": draft.flow["fts_version"] or "–"}
        self._row(Outcome.UPDATED, draft, UPDATED, changes=_names(change), **versions)
        return change

    def _fill(self, change: _Change) -> _Change | None:
        """Keep of the change only what fills something empty; tell what differs otherwise."""
        stored_line = change.known.lines[0] if change.known.lines else {}
        flow = _fillable(change.flow, change.known.values, change.draft.flow)
        line = _fillable(change.line, stored_line, change.draft.line)
        kept = _Change(change.draft, change.known, (change.flow - flow) - _NEVER_FILLED, change.line - line)
        if kept.flow or kept.line:
            text = {"changes": _names(kept)}
            self._report.note(
                change.draft.fts.subject, DIFFERS, line=change.draft.fts.line, file=change.draft.fts.file, **text
            )
        if not flow and not line:
            self._report.row(Outcome.UNCHANGED, change.draft.fts.subject)
            return None
        for name in change.flow - flow:
            change.draft.flow[name] = change.known.values[name]
        for name in change.line - line:
            change.draft.line[name] = stored_line[name]
        filled = _Change(change.draft, change.known, flow, line)
        self._row(Outcome.UPDATED, change.draft, COMPLETED, changes=_names(filled))
        return filled

    def _row(self, outcome: str, draft: Draft, text: str, **values: Any) -> None:
        self._report.row(outcome, draft.fts.subject, text, line=draft.fts.line, file=draft.fts.file, **values)

    def _create(self, drafts: list[Draft]) -> None:
        ids = new_ids(Flow, len(drafts))
        copy(Flow, [{"id": pk, **draft.flow} for pk, draft in zip(ids, drafts, strict=True)])
        copy(FlowLine, [{"flow_id": pk, **draft.line} for pk, draft in zip(ids, drafts, strict=True)])
        for draft in drafts:
            self._report.row(Outcome.CREATED, draft.fts.subject)

    def _update(self, changes: list[_Change]) -> None:
        """Write changed flows and lines in an order in which the lines never add up to more than their flow."""
        if not changes:
            return
        shrinking = [change for change in changes if _shrinks(change)]
        others = [change for change in changes if not _shrinks(change)]
        turned = [c.known.lines[0]["pk"] for c in others if "amount_usd" in c.line and _turns(c)]
        if turned:
            FlowLine.objects.filter(pk__in=turned).update(amount_usd=0)
        self._write_lines(shrinking)
        changed = [Flow(**change.draft.flow) for change in changes if change.flow]
        fields = [Flow._meta.get_field(name).name for name in FLOW_FIELDS if name != "fts_id"]
        Flow.objects.bulk_create(changed, update_conflicts=True, unique_fields=["fts_id"], update_fields=fields)
        self._write_lines(others)

    def _write_lines(self, changes: list[_Change]) -> None:
        lines = [
            FlowLine(pk=change.known.lines[0]["pk"], flow_id=change.known.values["pk"], **change.draft.line)
            for change in changes
            if change.line
        ]
        fields = [FlowLine._meta.get_field(name).name for name in LINE_FIELDS]
        FlowLine.objects.bulk_create(lines, update_conflicts=True, unique_fields=["id"], update_fields=fields)


def _age(found: dict[str, Any], known: dict[str, Any]) -> int:
    """1 when the file is newer than what is known, 0 when it is the same version, -1 when it is older."""
    if found["fts_version"] is not None:
        version = known["fts_version"]
        return 1 if version is None else (found["fts_version"] > version) - (found["fts_version"] < version)
    if known["channel"] != Flow.Channel.FTS:
        return 1
    first: datetime | None = found["source_updated_at"]
    second: datetime | None = known["source_updated_at"]
    return (first > second) - (first < second) if first and second else 0


def _fillable(names: set[str], stored: dict[str, Any], found: dict[str, Any]) -> set[str]:
    """Of the fields that differ, those where nothing stood; fields that belong together are filled together."""
    filled = set()
    for name in names - _NEVER_FILLED:
        group = next((group for group in _TOGETHER if name in group), (name,))
        if all(stored[part] in _EMPTY for part in group[:2]) and any(found[part] not in _EMPTY for part in group):
            filled |= names & set(group)
    return filled


def _names(change: _Change) -> str:
    """The changed fields by the names that people read."""
    changed: list[tuple[type[Model], str]] = [
        (Flow, name) for name in FLOW_FIELDS if name in change.flow - _NEVER_FILLED
    ]
    changed += [(FlowLine, name) for name in LINE_FIELDS if name in change.line]
    names = [str(getattr(model._meta.get_field(name), "verbose_name", name)) for model, name in changed]
    return ", ".join(dict.fromkeys(names)) or "–"


def _shrinks(change: _Change) -> bool:
    old, new = change.known.values["amount_usd"], change.draft.flow["amount_usd"]
    return abs(new) <= abs(old) and not _turns(change)


def _turns(change: _Change) -> bool:
    return change.known.values["amount_usd"] * change.draft.flow["amount_usd"] < 0
