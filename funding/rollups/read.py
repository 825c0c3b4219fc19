"""Reading figures: from the table for today, from history for a past day."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import Q, QuerySet, Sum

from funding.models import Figure
from funding.rollups.ledger import grouped
from funding.rollups.rows import FIELDS, ZERO, FigureRow
from planning.models import Plan

_SCOPE_PLAN_YEAR = """
    SELECT p.id AS plan_id, %(year)s::int AS year, COALESCE(y.basis, 'flows') AS basis
      FROM planning_plan p LEFT JOIN funding_planyear y ON y.plan_id = p.id AND y.year = %(year)s WHERE p.id = %(plan)s
"""


def rows_of(figures: QuerySet[Figure]) -> list[FigureRow]:
    """The figures of a queryset of `Figure` as rows, in one query."""
    return [FigureRow(*values) for values in figures.values_list(*FIELDS)]


def read(plan_id: int, year: int, levels: Iterable[str], as_of: date | None = None) -> dict[str, list[FigureRow]]:
    """The rows of a plan-year by level, USD; for a past day computed from history (BR-22). Empty lists where nothing is known."""
    levels = list(levels)
    if as_of is None:
        rows = rows_of(Figure.objects.filter(plan_id=plan_id, year=year, level__in=levels))
    else:
        with connection.cursor() as cursor:
            cursor.execute(grouped(_SCOPE_PLAN_YEAR, as_of), {"plan": plan_id, "year": year, "as_of": as_of})
            rows = [FigureRow(*row) for row in cursor.fetchall()]
    by_level: dict[str, list[FigureRow]] = {level: [] for level in levels}
    for row in rows:
        if row.level in by_level:
            by_level[row.level].append(row)
    return by_level


def total(plan_id: int, year: int, as_of: date | None = None) -> FigureRow:
    """The one row of a plan-year's totals, USD; zeros where nothing is known."""
    rows = read(plan_id, year, ["total"], as_of)["total"]
    return rows[0] if rows else FigureRow(plan_id=plan_id, year=year, level="total")


def world(plans: QuerySet[Plan], year: int | None = None) -> FigureRow:
    """The sum over refugee plans of the queryset, each plan once, plans shown for reference left out (BR-03, BR-04)."""
    return _row(_totals(plans, year).aggregate(**_SUMS))


def world_by_need(plans: QuerySet[Plan], year: int) -> tuple[FigureRow, FigureRow]:
    """The same sum apart for the plans that require something in the year, and for those whose requirement is not known."""
    totals = _totals(plans, year).annotate(needs=Q(required__gt=0)).order_by().values("needs").annotate(**_SUMS)
    sums: dict[bool, dict[str, Any]] = {row["needs"]: dict(row) for row in totals}
    return _row(sums.get(True, {})), _row(sums.get(False, {}))


_SUMS = {name: Sum(name) for name in FIELDS[FIELDS.index("required") :]}


def _totals(plans: QuerySet[Plan], year: int | None) -> QuerySet[Figure]:
    figures = Figure.objects.filter(level="total", plan__in=plans.exclude(type__in=Plan.REFERENCE_ONLY).values("pk"))
    return figures if year is None else figures.filter(year=year)


def _row(sums: dict[str, Any]) -> FigureRow:
    known = {name: sums[name] for name in _SUMS if sums.get(name) is not None}
    return FigureRow(0, 0, "total", **known)


# The lines are read apart: joined at once, PostgreSQL starts parallel workers, which costs more than the reading.
_COUNTRY_YEAR = """
    WITH line AS MATERIALIZED (
        SELECT flow_id, amount_usd, plan_id, country_id, year, true AS single
          FROM funding_flowline WHERE country_id = %(country)s AND year = %(year)s
        UNION ALL
        SELECT flow_id, amount_usd, plan_id, country_id, year, false
          FROM funding_flowline
         WHERE (cardinality(named_years) > 0 OR cardinality(named_countries) > 0)
           AND (country_id = %(country)s OR %(country)s = ANY (named_countries))
           AND (year = %(year)s OR %(year)s = ANY (named_years))
           AND (country_id = %(country)s AND year = %(year)s) IS NOT TRUE)
    SELECT COALESCE(sum(l.amount_usd) FILTER (WHERE single AND counts AND NOT internal), 0),
           COALESCE(sum(l.amount_usd) FILTER (WHERE single AND counts AND NOT internal AND plan_id IS NOT NULL), 0),
           COALESCE(sum(l.amount_usd) FILTER (WHERE single AND counts AND internal), 0),
           COALESCE(sum(l.amount_usd) FILTER (WHERE NOT single AND counts), 0),
           COALESCE(sum(l.amount_usd) FILTER (WHERE single AND status = 'pledge' AND NOT internal), 0),
           count(*) FILTER (WHERE single AND counts AND NOT internal), count(*) FILTER (WHERE NOT single AND counts)
      FROM (SELECT l.amount_usd, l.plan_id, f.status, f.status IN ('commitment', 'paid') AS counts, l.single,
                   COALESCE(CASE WHEN f.source_plan_id = l.plan_id AND f.source_place = '' THEN l.country_id
                                 ELSE f.source_country_id END = %(country)s
                            AND COALESCE(f.source_year, CASE WHEN f.source_plan_id = l.plan_id THEN l.year END) = %(year)s, false)
                   AND NOT f.is_new_money AS internal
              FROM line l JOIN funding_flow f ON f.id = l.flow_id
             WHERE {visible}) l
"""


def country_year(country_id: str, year: int) -> dict[str, Decimal | int]:
    """All money recorded for a country in a year, inside and outside plans, USD: what FTS calls the country total.

    Keys: `funded` (incoming to the country, exactly its own), `in_plans` (of which to a plan), `internal` (moved inside the country, not
    counted), `shared` (given to several countries or years together, left out and never divided), `pledged`, `flows`, `shared_flows`.
    """
    statement = _COUNTRY_YEAR.format(
        visible="l.plan_id IS NULL OR l.plan_id IN (SELECT id FROM planning_plan WHERE published_on IS NOT NULL)"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, {"country": country_id, "year": year})
        values = cursor.fetchone() or (ZERO, ZERO, ZERO, ZERO, ZERO, 0, 0)
    return dict(
        zip(("funded", "in_plans", "internal", "shared", "pledged", "flows", "shared_flows"), values, strict=True)
    )
