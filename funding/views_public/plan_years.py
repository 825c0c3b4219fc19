"""Plan-years as rows of a page: each figure with its plan and the address of what it is made of."""

from collections.abc import Iterable

from funding.rollups import FigureRow
from funding.tables import Explainer, cell_of
from planning.models import Plan


def plan_rows(figures: Iterable[FigureRow]) -> list[dict]:
    """One dict per row with its `plan`, `figure` and `why`, the beginning of its explain addresses; each plan is read once."""
    figures = list(figures)
    plans = Plan.objects.in_bulk({row.plan_id for row in figures})
    return [
        {"plan": plan, "figure": row, "why": Explainer(plan, {"year": row.year}).address(cell_of(row))}
        for row in figures
        if (plan := plans.get(row.plan_id))
    ]
