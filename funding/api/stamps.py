"""What every published figure carries: the version it stands on, the day it is as of, and when it was computed."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import OuterRef, QuerySet, Subquery
from django.db.models.functions import JSONObject

from funding.models import Figure, PlanYear
from funding.rollups import FigureRow
from funding.rollups.rows import FIELDS
from planning.models import PlanVersion


@dataclass(frozen=True, slots=True)
class Stamp:
    """Where a figure of a plan-year comes from, and of which day it is."""

    basis: str = PlanYear.Basis.FLOWS
    version: str | None = None
    as_of: date | None = None
    computed_at: datetime | None = None


def stamps_of(plan_years: QuerySet[PlanYear], day: date | None = None) -> dict[tuple[int, int], Stamp]:
    """The stamp of each plan-year by (plan_id, year), in one query: for today, or as it stood on a day."""
    version = PlanVersion.objects.filter(plan=OuterRef("plan"), status=PlanVersion.Status.APPROVED)
    if day is not None:
        version = version.filter(approved_on__lte=day)
    newest = version.order_by("-major", "-minor").values(json=JSONObject(major="major", minor="minor"))[:1]
    return {
        (year.plan_id, year.year): Stamp(
            basis=year.basis,
            version=PlanVersion(**year.version).label if year.version else None,
            as_of=day or (year.computed_at.date() if year.computed_at else None),
            computed_at=year.computed_at if day is None else None,
        )
        for year in plan_years.annotate(version=Subquery(newest))
    }


def row_of(figure: Figure) -> FigureRow:
    """The figure as the row that knows its coverage, gaps and special kind."""
    return FigureRow(*[getattr(figure, name) for name in FIELDS])


def stamped(figures: Iterable[Figure]) -> list[Figure]:
    """The figures, each with its `row` and its `stamp`; one query."""
    figures = list(figures)
    keys = {(figure.plan_id, figure.year) for figure in figures}
    plan_years = PlanYear.objects.filter(plan__in={plan for plan, _ in keys}, year__in={year for _, year in keys})
    stamps = stamps_of(plan_years) if keys else {}
    for figure in figures:
        figure.row = row_of(figure)
        figure.stamp = stamps.get((figure.plan_id, figure.year), Stamp())
    return figures
