"""Explaining a figure: the rows that count, and the rows that do not, each with its reason."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import connection
from django.utils.translation import gettext_lazy as _

from funding.rollups.ledger import with_ledger
from funding.rollups.read import _SCOPE_PLAN_YEAR

REASONS = {
    "requirement": _("A requirement line of the approved version."),
    "incoming": _("Money from outside the plan, committed or paid: it counts."),
    "internal": _(
        "Received from another partner of the plan: it counts for the recipient, and not again for the plan."
    ),
    "passed_on": _("Passed on to another partner of the plan: it leaves this partner and this cell."),
    "outgoing": _("Money that left the plan for another plan or year."),
    "published": _("A total published by OCHA FTS; its single flows have not been imported."),
    "pledge": _("A pledge: it is shown, and counts once it is committed or paid."),
    "internal_pledge": _("A pledge between partners of the plan: it does not count."),
    "cancelled": _("Cancelled: it does not count."),
    "to_outside": _("Given to an organisation that this plan counts as outside; its allocations count instead."),
    "published_basis": _("This plan-year shows published totals, so that its flows are not counted as well."),
    "other_year": _("It belongs to another year of the plan."),
    "years_shared": _("It is given for several years without a split, so that no year can count it yet."),
    "reversed_line": _("A line that was returned or withdrawn."),
}

# A measure of a table -> the ledger's column that it adds up.
EXPLAINED = ("required", "original", "funded", "paid", "committed", "pledged", "in_kind", "carry_over", "new_money", "flexible",
             "incoming", "received", "passed_on")  # fmt: skip

CELL_KEYS = {
    "place": "place = %(place)s",
    "country": "country_id = %(country)s",
    "split": "split = %(split)s",
    "sector": "sector_id = %(sector)s",
    "partner": "partner_id = %(partner)s",
    "donor": "(has_donor AND donor_id = %(donor)s)",
    "partner_none": "partner_id IS NULL",
    "donor_none": "(has_donor AND donor_id IS NULL)",
}


@dataclass(frozen=True, slots=True)
class Part:
    """One row behind a figure: what it is, where it came from, how much of the figure it makes (USD), and why."""

    kind: str
    source_id: int
    line_id: int | None
    amount: Decimal
    counts: bool

    @property
    def reason(self) -> str:
        """Why it counts, or why it does not, in one sentence."""
        return str(REASONS[self.kind])


@dataclass(frozen=True, slots=True)
class Explanation:
    """One page of the rows behind a figure; `total` is the figure itself, added up from all pages (USD)."""

    parts: list[Part]
    total: Decimal
    counted_rows: int
    left_out: list[Part]
    left_out_rows: int


def _where(cell: Mapping[str, object]) -> str:
    return " AND ".join([CELL_KEYS[key] for key in cell if key in CELL_KEYS]) or "true"


_NOT_COUNTED = """
    , aside AS (
        SELECT class AS kind, flow_id AS source_id, line_id, amount_usd, place::text, country_id::text, split::text, sector_id,
               recipient_id AS partner_id, true AS has_donor, CASE WHEN NOT is_donor_anonymous THEN donor_id END AS donor_id
          FROM movement WHERE class NOT IN ('incoming', 'internal'{pledge})
        UNION ALL
        SELECT CASE WHEN l.year IS NULL THEN 'years_shared' ELSE 'other_year' END, l.flow_id, l.id, l.amount_usd, l.place, l.country_id,
               l.split, l.sector_id, f.recipient_id, true, CASE WHEN NOT f.is_donor_anonymous THEN f.donor_id END
          FROM {line} l JOIN {flow} f ON f.id = l.flow_id
         WHERE l.plan_id = %(plan)s AND (l.year IS NULL OR l.year <> %(year)s)
    )
"""


def explain(
    plan_id: int,
    year: int,
    measure: str,
    cell: Mapping[str, object],
    *,
    as_of: date | None = None,
    limit: int = 100,
    offset: int = 0,
) -> Explanation:
    """The rows that make the figure `measure` of a cell, largest first, and those left out with their reasons.

    `cell` holds any of place, country, split, sector, partner, donor (or partner_none, donor_none) and narrows as a table's row does.
    Raises KeyError for an unknown measure. Sums are USD and equal the figure, whatever the page.
    """
    if measure not in EXPLAINED:
        raise KeyError(measure)
    where = _where(cell)
    ledger = with_ledger(_SCOPE_PLAN_YEAR, as_of)
    parameters: dict[str, Any] = {
        "plan": plan_id,
        "year": year,
        "as_of": as_of,
        "limit": limit,
        "offset": offset,
        **cell,
    }
    counted = _fetch(
        f"""{ledger} SELECT kind, source_id, line_id, {measure}, count(*) OVER (), sum({measure}) OVER ()
              FROM entry WHERE {measure} <> 0 AND {where}
             ORDER BY abs({measure}) DESC, kind, source_id, line_id LIMIT %(limit)s OFFSET %(offset)s""",
        parameters,
    )
    left_out = []
    if measure not in {"required", "original"}:
        left_out = _fetch(
            f"""{ledger} {_aside(measure, as_of)} SELECT kind, source_id, line_id, amount_usd, count(*) OVER () FROM aside WHERE {where}
                 ORDER BY abs(amount_usd) DESC, source_id, line_id LIMIT %(limit)s OFFSET %(offset)s""",
            parameters,
        )
    return Explanation(
        parts=[_part(row, counts=True) for row in counted],
        total=counted[0][5] if counted else Decimal(0),
        counted_rows=counted[0][4] if counted else 0,
        left_out=[_part(row, counts=False) for row in left_out],
        left_out_rows=left_out[0][4] if left_out else 0,
    )


def _fetch(statement: str, parameters: dict[str, Any]) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchall()


def _aside(measure: str, as_of: date | None) -> str:
    flow, line = ("flow", "line") if as_of else ("funding_flow", "funding_flowline")
    return _NOT_COUNTED.format(flow=flow, line=line, pledge=", 'pledge'" if measure == "pledged" else "")


def _part(row: tuple, *, counts: bool) -> Part:
    return Part(kind=row[0], source_id=row[1], line_id=row[2], amount=row[3], counts=counts)
