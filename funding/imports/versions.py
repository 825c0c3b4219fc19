"""Requirements of FTS as approved versions of a plan: nothing new, a revision, or the same in more detail (BR-22, BR-23)."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from django.utils import timezone
from django.utils.translation import gettext_noop

from funding.imports.plans import SOURCE
from funding.imports.report import Report
from planning.models import Chapter, Plan, PlanVersion, Requirement
from planning.services import approve_version

OWN_LINES = gettext_noop(
    "The plan's requirements are written here, so that those of FTS did not replace them. They are kept as published totals."
)
COARSER = gettext_noop(
    "FTS gives %(found)s USD for %(place)s in %(year)s without sectors; the sectors here add up to %(known)s, and stay."
)
CROSSED = gettext_noop(
    "FTS breaks the requirement of %(year)s down by sector over several countries; the lines by country stay."
)
ORIGINAL_KEPT = gettext_noop(
    "FTS says that %(found)s USD were required originally; the first version here is another one, and cannot change."
)
MADE = gettext_noop("%(label)s was made from FTS: %(total)s USD required.")

# (country or None, year) -> the lines there: sector or None -> USD
Sectors = dict[int | None, Decimal]
Lines = dict[tuple[str | None, int], Sectors]


def _lines() -> Lines:
    return defaultdict(dict)


@dataclass
class Wanted:
    """The requirement lines that FTS gives for a plan: as they are now, and as they were at first where it says so."""

    revised: Lines = field(default_factory=_lines)
    original: Lines = field(default_factory=_lines)


def revise(plan: Plan, wanted: Wanted, report: Report, *, as_of: date) -> bool:
    """Bring the plan's requirements to what FTS gives; returns whether a version was made.

    The first version counts from the plan's start, because FTS does not say when it was approved; a revision from the day it was seen.
    """
    if not wanted.revised and not wanted.original:
        return False
    versions = list(PlanVersion.objects.filter(plan=plan).order_by("-major", "-minor"))
    if any(not version.source.startswith(SOURCE) for version in versions):
        report.note(plan.name, OWN_LINES)
        return False
    current = _in_force(versions)
    merged = _merge(plan, current, wanted.revised, report)
    first = total(wanted.original)
    if not versions and wanted.original and first != total(merged):
        _make(plan, wanted.original, (1, 0), PlanVersion.Scope.ORIGINAL, _start(plan), report)
        _make(plan, merged, (2, 0), PlanVersion.Scope.REVISION, as_of, report)
        return True
    if versions and wanted.original and first != total(_in_force(versions[-1:])):
        report.note(plan.name, ORIGINAL_KEPT, found=first)
    if merged == current:
        return False
    if not versions:
        _make(plan, merged, (1, 0), PlanVersion.Scope.ORIGINAL, _start(plan), report)
    elif _sums(merged) == _sums(current):
        number = (versions[0].major, versions[0].minor + 1)
        _make(plan, merged, number, PlanVersion.Scope.CORRECTION, as_of, report)
    else:
        _make(plan, merged, (versions[0].major + 1, 0), PlanVersion.Scope.REVISION, as_of, report)
    return True


def total(lines: Lines) -> Decimal:
    """What the lines require together, USD."""
    return sum((amount for sectors in lines.values() for amount in sectors.values()), Decimal(0))


def _sums(lines: Lines) -> dict[tuple[str | None, int], Decimal]:
    return {key: sum(sectors.values(), Decimal(0)) for key, sectors in lines.items()}


def _start(plan: Plan) -> date:
    return min(plan.starts_on, timezone.localdate())


def _in_force(versions: list[PlanVersion]) -> Lines:
    lines = _lines()
    if versions:
        rows = Requirement.objects.filter(version=versions[0])
        for country, year, sector, amount in rows.values_list("chapter__country", "year", "sector", "amount_usd"):
            lines[(country, year)][sector] = amount
    return lines


def _merge(plan: Plan, current: Lines, found: Lines, report: Report) -> Lines:
    """The lines after the update: what FTS names replaces what stood there, unless it says less; the rest is carried over."""
    merged = _lines()
    merged.update({key: dict(sectors) for key, sectors in current.items()})
    for (country, year), sectors in found.items():
        known = current.get((country, year))
        elsewhere = [key for key in current if key[1] == year and key[0] != country]
        if known is None and _crosses(country, sectors, elsewhere, current):
            report.note(plan.name, CROSSED, year=year)
        elif (settled := _settle(known or {}, sectors)) is None:
            here, there = sum((known or {}).values()), sum(sectors.values())
            report.note(plan.name, COARSER, place=country or plan.name, year=year, found=there, known=here)
        else:
            merged[(country, year)] = settled
    return merged


def _settle(known: Sectors, found: Sectors) -> Sectors | None:
    """The sectors of one country and year after the update; None when the sectors here add up to more than the new total.

    A total leaves the sectors and changes only the rest that is not broken down; sectors that add up to less than a total that
    is known leave a rest, so that the plan's requirement stays the one FTS published.
    """
    by_sector: Sectors = {sector: amount for sector, amount in known.items() if sector is not None}
    if set(found) == {None}:
        rest = found[None] - sum(by_sector.values())
        if rest < 0:
            return None
        return by_sector | {None: rest} if rest or not by_sector else by_sector
    if by_sector == found:
        return dict(known)
    rest = known[None] - sum(found.values()) if set(known) == {None} else Decimal(0)
    return found | {None: rest} if rest > 0 else dict(found)


def _crosses(
    country: str | None, sectors: dict[int | None, Decimal], elsewhere: list[tuple[str | None, int]], current: Lines
) -> bool:
    """Whether the lines are another breakdown of money that stands here already: by sector over countries, or the reverse."""
    by_sector = set(sectors) != {None}
    if country is None:
        return by_sector and bool(elsewhere)
    return any(key[0] is None and set(current[key]) != {None} for key in elsewhere)


def _make(
    plan: Plan, lines: Lines, number: tuple[int, int], scope: str, approved_on: date, report: Report
) -> PlanVersion:
    version = PlanVersion.objects.create(
        plan=plan,
        major=number[0],
        minor=number[1],
        scope=scope,
        reason="" if number == (1, 0) else "FTS update",
        source=f"{SOURCE}; it does not say when the requirement was approved"[:200],
    )
    chapters = _chapters(plan)
    Requirement.objects.bulk_create(
        Requirement(
            version=version,
            chapter=chapters(country),
            sector_id=sector_id,
            year=year,
            gross_usd=amount,
            source=Requirement.Source.FTS,
            status=Requirement.Status.ACCEPTED,
        )
        for (country, year), sectors in lines.items()
        for sector_id, amount in sectors.items()
    )
    version = approve_version(version, approved_on=approved_on)
    report.note(plan.name, MADE, label=version.label, total=f"{total(lines):,.0f}")
    return version


def _chapters(plan: Plan) -> Callable[[str | None], Chapter]:
    known = {chapter.country_id: chapter for chapter in plan.chapters.all()}

    def chapter(country_id: str | None) -> Chapter:
        if country_id not in known:
            known[country_id] = Chapter.objects.create(plan=plan, country_id=country_id, position=len(known))
        return known[country_id]

    return chapter
