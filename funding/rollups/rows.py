"""Rows of figures and what follows from them: coverage, net gap, unmet and over-funding, and the identity of BR-21."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

ZERO = Decimal(0)
HUNDRED = Decimal(100)


def coverage(funded: Decimal, required: Decimal) -> Decimal | None:
    """Funded as a percentage of required, unrounded; None when nothing is required (BR-19), never 0, 100 or infinity."""
    return funded * HUNDRED / required if required > 0 else None


def whole_percent(value: Decimal | None) -> int | None:
    """The percentage as it is displayed: whole, half rounds up (BR-20)."""
    return None if value is None else int(value.quantize(Decimal(1), ROUND_HALF_UP))


def percent_2dp(value: Decimal | None) -> Decimal | None:
    """The percentage as the API gives it: two decimals, half rounds up (BR-20)."""
    return None if value is None else value.quantize(Decimal("0.01"), ROUND_HALF_UP)


@dataclass(frozen=True, slots=True)
class FigureRow:
    """One cell of one table of one plan-year, in US dollars. Amounts are net of money passed on inside the plan (BR-08)."""

    plan_id: int
    year: int
    level: str
    place: str = ""
    country_id: str | None = None
    split: str = ""
    sector_id: int | None = None
    partner_id: int | None = None
    donor_id: int | None = None
    required: Decimal = ZERO
    original: Decimal = ZERO
    funded: Decimal = ZERO
    paid: Decimal = ZERO
    committed: Decimal = ZERO
    pledged: Decimal = ZERO
    in_kind: Decimal = ZERO
    carry_over: Decimal = ZERO
    new_money: Decimal = ZERO
    flexible: Decimal = ZERO
    incoming: Decimal = ZERO
    received: Decimal = ZERO
    passed_on: Decimal = ZERO

    @property
    def special(self) -> str:
        """'not_specified' or 'shared' for money without an exact place or sector (BR-10), else an empty string."""
        for kind in (self.place, self.split):
            if kind in {"not_specified", "shared"}:
                return kind
        return ""

    @property
    def coverage(self) -> Decimal | None:
        """Funded as a percentage of required, or None where nothing is required."""
        return coverage(self.funded, self.required)

    @property
    def coverage_of_original(self) -> Decimal | None:
        """Funded as a percentage of the original requirement, or None where nothing was required (BR-23)."""
        return coverage(self.funded, self.original)

    @property
    def flexible_share(self) -> Decimal | None:
        """Unearmarked and softly earmarked money as a percentage of funded, or None where nothing has come."""
        return coverage(self.flexible, self.funded)

    @property
    def net_gap(self) -> Decimal:
        """Required less funded; negative when over-funded."""
        return self.required - self.funded

    @property
    def unmet(self) -> Decimal:
        """What this cell still needs; zero where nothing is required."""
        return max(ZERO, self.net_gap) if self.required > 0 else ZERO

    @property
    def over(self) -> Decimal:
        """What this cell has beyond its requirement; zero where nothing is required (BR-18)."""
        return max(ZERO, -self.net_gap) if self.required > 0 else ZERO

    @property
    def without_requirement(self) -> Decimal:
        """Money in an exactly named cell that requires nothing (BR-19)."""
        return self.funded if self.required <= 0 and not self.special else ZERO

    @property
    def has_money(self) -> bool:
        """Whether anything is in the cell at all."""
        return any((self.required, self.original, self.funded, self.pledged, self.received, self.passed_on))


FIELDS = tuple(field.name for field in fields(FigureRow))


@dataclass(frozen=True, slots=True)
class Identity:
    """The sums under a table (BR-21): net_gap == unmet - over - without_requirement - not_specified - shared."""

    required: Decimal
    original: Decimal
    funded: Decimal
    paid: Decimal
    committed: Decimal
    pledged: Decimal
    unmet: Decimal
    over: Decimal
    without_requirement: Decimal
    not_specified: Decimal
    shared: Decimal

    @property
    def net_gap(self) -> Decimal:
        """Required less funded, in US dollars."""
        return self.required - self.funded

    @property
    def coverage(self) -> Decimal | None:
        """Funded as a percentage of required, or None where nothing is required."""
        return coverage(self.funded, self.required)

    @property
    def holds(self) -> bool:
        """Whether the identity is true of this table, as it must be."""
        return self.net_gap == self.unmet - self.over - self.without_requirement - self.not_specified - self.shared


def identity(rows: Iterable[FigureRow]) -> Identity:
    """The sums of one table (all rows of one level of one plan-year, or of one country in it), in US dollars."""
    rows = list(rows)

    def total(pick: Callable[[FigureRow], Decimal]) -> Decimal:
        return sum((pick(row) for row in rows), ZERO)

    def unassigned(kind: str) -> Decimal:
        return total(lambda row: row.funded if row.special == kind and row.required <= 0 else ZERO)

    return Identity(
        required=total(lambda row: row.required),
        original=total(lambda row: row.original),
        funded=total(lambda row: row.funded),
        paid=total(lambda row: row.paid),
        committed=total(lambda row: row.committed),
        pledged=total(lambda row: row.pledged),
        unmet=total(lambda row: row.unmet),
        over=total(lambda row: row.over),
        without_requirement=total(lambda row: row.without_requirement),
        not_specified=unassigned("not_specified"),
        shared=unassigned("shared"),
    )


def add(rows: Iterable[FigureRow], **keys: Any) -> FigureRow:
    """One row with the sums of all, under the given keys: for totals over plans, where each plan stands once (BR-03)."""
    rows = list(rows)
    measures = FIELDS[FIELDS.index("required") :]
    sums = {name: sum((getattr(row, name) for row in rows), ZERO) for name in measures}
    columns: dict[str, Any] = {"plan_id": 0, "year": 0, "level": "total"} | keys | sums
    return FigureRow(**columns)
