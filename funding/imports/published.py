"""What FTS published of plans: totals kept for reconciliation, and whether a plan-year shows them or its flows."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from django.utils.translation import gettext_noop

from funding.imports.cells import Cell
from funding.imports.drafts import Drafting
from funding.imports.plans import SOURCE
from funding.imports.report import Outcome, Report
from funding.imports.versions import Wanted, revise
from funding.models import FlowLine, Place, PlanYear, PublishedTotal, SectorSplit
from planning.models import Plan

EMPTY = gettext_noop("It gives neither a requirement nor funding.")
TWICE = gettext_noop("The file says this cell twice; the first row was taken.")
OUTSIDE_PERIOD = gettext_noop("The year %(year)s lies outside the plan's period.")

# A country's answer holds a part of a regional plan. Its flows stand for the plan only when they reach the countries that have
# nine tenths of the money FTS published for it.
ENOUGH = Decimal("0.9")

Key = tuple[int, int, str, str, str | None, str, int | None]


@dataclass
class _Total:
    """One published cell, put together from the rows that name it."""

    required: Decimal | None = None
    funded: Decimal | None = None
    cells: list[Cell] = field(default_factory=list)


class Published:
    """Takes cells of published figures and writes totals, versions of requirements, and what plan-years rest on."""

    def __init__(self, report: Report, drafting: Drafting, as_of: date) -> None:
        self._report, self._drafting, self._as_of = report, drafting, as_of
        self._totals: dict[Key, _Total] = {}
        self._plans: dict[int, Plan] = {}
        self._cells: list[Cell] = []

    def add(self, cell: Cell) -> None:
        """Take one cell."""
        self._cells.append(cell)

    def write(self) -> set[tuple[int, int]]:
        """Write everything taken so far; returns the plan-years that have published funding."""
        cells, self._cells, self._totals = self._cells, [], {}
        self._name_plans(cells)
        countries = self._countries(cells)
        wanted: dict[int, Wanted] = defaultdict(Wanted)
        for cell in cells:
            self._place(cell, countries, wanted)
        revised = {plan_id for plan_id, lines in wanted.items() if self._revise(plan_id, lines)}
        self._write_totals(revised)
        return {(key[0], key[1]) for key, total in self._totals.items() if total.funded is not None}

    def _name_plans(self, cells: list[Cell]) -> None:
        by_id: dict[int, list[Cell]] = defaultdict(list)
        for cell in cells:
            by_id[cell.plan_fts_id].append(cell)
        self._drafting.plans.load(set(by_id))
        for fts_id, own in by_id.items():
            said = next((cell for cell in own if cell.name), own[0])
            years = sorted({cell.year for cell in own})
            self._plans[fts_id] = self._drafting.plans.get(
                fts_id,
                said.name or f"FTS {fts_id}",
                years=years,
                code=said.code,
                type_name=said.type_name,
                period=said.period,
            )

    def _countries(self, cells: list[Cell]) -> dict[int, set[str]]:
        """The countries of each plan: those named in the file, those of its chapters, else those its flows go to."""
        countries: dict[int, set[str]] = {}
        for fts_id, plan in self._plans.items():
            named = {
                self._drafting.references.country(c.location) for c in cells if c.location and c.plan_fts_id == fts_id
            }
            found = {iso3 for iso3 in named if iso3} | set(
                plan.chapters.exclude(country=None).values_list("country_id", flat=True)
            )
            if not found:
                lines = FlowLine.objects.filter(plan=plan, country__isnull=False)
                found = {iso3 for iso3 in lines.values_list("country_id", flat=True).distinct() if iso3}
            countries[plan.pk] = found
        return countries

    def _place(self, cell: Cell, countries: dict[int, set[str]], wanted: dict[int, Wanted]) -> None:
        """Put a cell with its total and with the requirement lines it makes."""
        plan = self._plans[cell.plan_fts_id]
        if cell.required is None and cell.funded is None and cell.original is None:
            self._row(Outcome.IGNORED, cell, EMPTY)
            return
        if cell.year not in plan.years:
            self._row(Outcome.REFUSED, cell, OUTSIDE_PERIOD, year=cell.year)
            return
        own = countries[plan.pk]
        country_id = self._drafting.references.country(cell.location) if cell.location else None
        if cell.location and country_id is None:
            self._drafting.references.place([cell.location])
        if cell.dimension == "sector" and country_id is None and len(own) == 1:
            country_id = next(iter(own))
        place = Place.COUNTRY if country_id else (cell.place if cell.place != Place.COUNTRY else Place.NOT_SPECIFIED)
        sector_id = self._drafting.sectors.of_plan(plan, cell.cluster).pk if cell.cluster else None
        if cell.dimension == "sector" and len(own) != 1:
            country_id, place = None, ""
        key = (plan.pk, cell.year, cell.dimension, place, country_id, cell.split, sector_id)
        total = self._totals.setdefault(key, _Total())
        if not self._merge(total, cell):
            return
        lines = wanted[plan.pk]
        if cell.required is not None:
            there = lines.revised[(country_id, cell.year)]
            there[sector_id] = there.get(sector_id, Decimal(0)) + cell.required
        if cell.original is not None:
            lines.original[(country_id, cell.year)][sector_id] = cell.original

    def _merge(self, total: _Total, cell: Cell) -> bool:
        """Add the row to its cell: shared money comes in several rows, anything else only once."""
        adds_up = cell.split == SectorSplit.SHARED
        for name in ("required", "funded"):
            new, known = getattr(cell, name), getattr(total, name)
            if new is not None and known is not None and not adds_up:
                self._row(Outcome.IGNORED if new == known else Outcome.REFUSED, cell, TWICE)
                return False
        for name in ("required", "funded"):
            new, known = getattr(cell, name), getattr(total, name)
            if new is not None:
                setattr(total, name, new + (known or 0))
        total.cells.append(cell)
        return True

    def _revise(self, plan_id: int, wanted: Wanted) -> bool:
        plan = next(plan for plan in self._plans.values() if plan.pk == plan_id)
        return revise(plan, wanted, self._report, as_of=self._as_of)

    def _write_totals(self, revised: set[int]) -> None:
        plan_ids = {key[0] for key in self._totals}
        known = {
            (t.plan_id, t.year, t.dimension, t.place, t.country_id, t.split, t.sector_id): t
            for t in PublishedTotal.objects.filter(plan__in=plan_ids)
        }
        new = []
        for key, total in self._totals.items():
            stored = known.get(key)
            if stored is None:
                new.append(self._published(key, total))
                outcome: str = Outcome.CREATED
            else:
                outcome = self._change(stored, total)
            if outcome == Outcome.UNCHANGED and key[0] in revised:
                outcome = Outcome.UPDATED
            for cell in total.cells:
                self._row(outcome, cell)
        PublishedTotal.objects.bulk_create(new)

    def _published(self, key: Key, total: _Total) -> PublishedTotal:
        names = ("plan_id", "year", "dimension", "place", "country_id", "split", "sector_id")
        source = f"{SOURCE}, {total.cells[0].file}"[:200]
        figures = {"required_usd": total.required, "funded_usd": total.funded}
        return PublishedTotal(**dict(zip(names, key, strict=True)), **figures, source=source, as_of=self._as_of)

    def _change(self, stored: PublishedTotal, total: _Total) -> str:
        required = stored.required_usd if total.required is None else total.required
        funded = stored.funded_usd if total.funded is None else total.funded
        if (required, funded) == (stored.required_usd, stored.funded_usd):
            return Outcome.UNCHANGED
        stored.required_usd, stored.funded_usd, stored.as_of = required, funded, self._as_of
        stored.source = f"{SOURCE}, {total.cells[0].file}"[:200]
        stored.save()
        return Outcome.UPDATED

    def _row(self, outcome: str, cell: Cell, reason: str = "", **values: object) -> None:
        self._report.row(outcome, cell.subject, reason, line=cell.line, file=cell.file, **values)


def settle_basis(plan_years: set[tuple[int, int]]) -> None:
    """Say for each plan-year whether its figures rest on its flows or on what FTS published of it."""
    for plan_id, year in sorted(plan_years):
        published = PublishedTotal.objects.filter(plan=plan_id, year=year, funded_usd__isnull=False)
        known = PlanYear.objects.filter(plan=plan_id, year=year)
        basis = PlanYear.Basis.FLOWS
        if published.exists() and not _flows_stand_for(plan_id, year, published.filter(dimension="country")):
            basis = PlanYear.Basis.PUBLISHED
        if basis == PlanYear.Basis.PUBLISHED and not known.exists():
            PlanYear.objects.create(plan_id=plan_id, year=year, basis=basis)
        else:
            known.exclude(basis=basis).update(basis=basis)


def _flows_stand_for(plan_id: int, year: int, published: object) -> bool:
    """Whether the flows are the plan's own, or FTS's own and not only those of a part of its countries."""
    lines = FlowLine.objects.filter(plan=plan_id, year=year)
    if lines.exclude(flow__channel="fts").exists():
        return True
    from_api = lines.filter(flow__fts_version__isnull=False)
    if not from_api.exists():
        return False
    reached = set(from_api.exclude(country=None).values_list("country_id", flat=True).distinct())
    money = {total.country_id: total.funded_usd for total in published if total.country_id and total.funded_usd > 0}  # type: ignore[attr-defined]
    return sum(usd for iso3, usd in money.items() if iso3 in reached) >= ENOUGH * sum(money.values())
