"""Tables of figures as pages and files show them: names attached, in order, special rows in words, totals by `rollups.identity`.

Nothing is added up here; see `funding.rollups`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple
from urllib.parse import urlencode

from django.utils.translation import gettext_lazy as _

from funding import rollups
from funding.names import Name, Names
from funding.rollups import FigureRow, Identity
from planning.models import Plan
from rrp_portal.addresses import address
from rrp_portal.formats import usd


class Kind(NamedTuple):
    """One kind of table of a plan: its level of figures, what its rows name, its title, and how its rows are found to matter."""

    level: str
    names: tuple[str, ...]
    title: object
    measures: tuple[str, ...]


NEED = ("required", "funded", "coverage", "unmet")
KINDS = {
    "countries": Kind("country", ("place",), _("By country"), NEED),
    "sectors": Kind("sector", ("sector",), _("By sector"), NEED),
    "partners": Kind(
        "partner",
        ("partner",),
        _("By partner"),
        ("required", "incoming", "received", "passed_on", "funded", "coverage"),
    ),
    "donors": Kind("donor", ("donor",), _("By donor"), ("funded", "share", "paid", "committed", "pledged")),
    "matrix": Kind("country_sector", ("place", "sector"), _("Country by sector"), NEED),
    "lines": Kind("cell", ("place", "sector", "partner"), _("Country by sector by partner"), NEED),
}
HEADS = {
    "place": _("Country"),
    "sector": _("Sector"),
    "partner": _("Partner"),
    "donor": _("Donor"),
    "required": _("Required"),
    "original": _("Originally required"),
    "funded": _("Funded"),
    "coverage": _("Funded, percent"),
    "unmet": _("Unmet"),
    "over": _("Over-funded by"),
    "incoming": _("From outside the plan"),
    "received": _("From partners"),
    "passed_on": _("Passed on"),
    "net": _("Net funded"),
    "share": _("Share of the funding"),
    "paid": _("Paid"),
    "committed": _("Committed"),
    "pledged": _("Pledged, not counted"),
}
NO_REQUIREMENT = _("Money has come here although the plan requires nothing.")
UNDIVIDED = {
    "place": _(
        "%(amount)s USD of the requirement is not broken down by country. Coverage is given only where the requirement is known."
    ),
    "sector": _(
        "%(amount)s USD of the requirement is not broken down by sector. Coverage is given only where the requirement is known."
    ),
    "partner": _(
        "%(amount)s USD of the requirement is not broken down by partner. Coverage is given only where the requirement is known."
    ),
}
BY_PARTNER = frozenset({"partner", "country_partner", "cell"})
BY_DONOR = frozenset({"donor", "country_donor"})
PERCENT = frozenset({"coverage", "share"})
NOT_EXPLAINED = frozenset({"share"})


def cell_of(row: FigureRow) -> dict[str, object]:
    """What narrows the explanation of a figure to the row: the keys of an explain address."""
    cell: dict[str, object] = {}
    if row.place:
        cell |= {"country": row.country_id} if row.country_id else {"place": row.place}
    if row.split:
        cell |= {"sector": row.sector_id} if row.sector_id else {"split": row.split}
    if row.level in BY_PARTNER:
        cell["partner"] = row.partner_id or "none"
    if row.level in BY_DONOR:
        cell["donor"] = row.donor_id or "none"
    return cell


class Cell(NamedTuple):
    """One figure of a row: its value (None where there is none), the address of its rows, and how it is written."""

    value: Decimal | None
    href: str
    kind: str


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table, ready to be shown."""

    figure: FigureRow
    names: tuple[Name, ...]
    cells: tuple[Cell, ...]
    is_divided: bool = True

    @property
    def name(self) -> Name:
        """What the row is called first."""
        return self.names[0]

    @property
    def notes(self) -> list[str]:
        """The sentences that explain the row, where it is not simply one country, sector, partner or donor."""
        notes = [name.note for name in self.names if name.note]
        return notes + ([str(NO_REQUIREMENT)] if self.lacks_requirement else [])

    @property
    def is_special(self) -> bool:
        """Whether it stands for money without an exact place, sector, partner or donor."""
        return is_special(self.figure)

    @property
    def lacks_requirement(self) -> bool:
        """Whether money came to a place and sector that require nothing."""
        return self.is_divided and bool(self.figure.without_requirement) and self.figure.level not in BY_DONOR


def is_special(row: FigureRow) -> bool:
    """Whether the row is shown after the others: shared, not specified, or of nobody named."""
    if row.level in BY_PARTNER and row.partner_id is None:
        return row.level != "cell"
    return bool(row.special) or (row.level in BY_DONOR and row.donor_id is None)


def is_split(row: FigureRow) -> bool:
    """Whether it is known what of the funding is paid and what committed: published totals do not say."""
    return row.paid + row.committed == row.funded


@dataclass(frozen=True, slots=True)
class Table:
    """One table of a plan-year: the rows that are shown, how many there are, and the sums of all."""

    slug: str
    kind: Kind
    rows: list[Row]
    identity: Identity
    count: int
    measures: tuple[str, ...]
    sums: tuple[Cell, ...]
    note: str = ""

    @property
    def title(self) -> str:
        """What the table is broken down by."""
        return str(self.kind.title)

    @property
    def name_heads(self) -> list[tuple[str, str]]:
        """The key and the words of each column of names."""
        return [(key, str(HEADS[key])) for key in self.kind.names]

    @property
    def heads(self) -> list[tuple[str, str]]:
        """The key and the words of each column of figures."""
        is_net = "passed_on" in self.measures
        return [(key, str(HEADS["net" if key == "funded" and is_net else key])) for key in self.measures]

    @property
    def is_cut(self) -> bool:
        """Whether there are more rows than are shown."""
        return self.count > len(self.rows)

    @property
    def has_bar(self) -> bool:
        """Whether a coverage bar says something here."""
        return "coverage" in self.measures


def value_of(row: FigureRow, measure: str, total: Decimal = Decimal(0)) -> Decimal | None:
    """The value of a column for a row; None where it says nothing: no requirement has no coverage and no unmet need (BR-19)."""
    if measure == "share":
        return rollups.coverage(row.funded, total)
    if measure in {"required", "original", "net_gap", "unmet", "over"} and row.required <= 0 and row.original <= 0:
        return None
    if measure == "coverage" and is_special(row):
        return None
    return getattr(row, measure)


class Explainer:
    """Writes the address of the rows behind each figure of one plan-year."""

    def __init__(self, plan: Plan, query: dict[str, object]) -> None:
        self._start = f"{address('plan-explain', plan.code)}?{urlencode(query)}"

    def address(self, cell: dict[str, object], measure: str = "") -> str:
        """The explain address of a cell; without a measure, ready for one to be written behind it."""
        narrowed = "".join(f"&{key}={value}" for key, value in cell.items())  # keys, numbers and words of our own
        return f"{self._start}{narrowed}&measure={measure}"


DEFAULT_SORT = "-required"
WEIGHT = {"donors": "-funded"}


def in_order(slug: str, rows: Sequence[FigureRow], sort: str = "", names: Names | None = None) -> list[FigureRow]:
    """The rows by a column, special rows last; an unknown column gives the table's own order, largest requirement first."""
    kind, measure = KINDS[slug], sort.removeprefix("-")
    ordered = sorted(rows, key=lambda row: (-row.required, -row.funded, -row.pledged, row.place, row.sector_id or 0))
    if measure in HEADS and measure in kind.names and names is not None:
        ordered.sort(key=lambda row: names.of(row, measure).text.casefold(), reverse=sort.startswith("-"))
    elif measure in kind.measures:
        ordered.sort(key=lambda row: _sort_key(row, measure), reverse=sort.startswith("-"))
    elif slug in WEIGHT:
        ordered.sort(key=lambda row: row.funded, reverse=True)
    return sorted(ordered, key=is_special)


def _sort_key(row: FigureRow, measure: str) -> Decimal:
    value = value_of(row, "funded" if measure == "share" else measure)
    return Decimal("-Infinity") if value is None else value


def measures_of(slug: str, identity: Identity) -> tuple[str, ...]:
    """The columns of a table: its own, with the original requirement and the over-funding where there is any."""
    measures = list(KINDS[slug].measures)
    if "required" in measures and identity.original != identity.required:
        measures.insert(measures.index("required"), "original")
    if "unmet" in measures and identity.over:
        measures.insert(measures.index("unmet") + 1, "over")
    return tuple(measures)


def undivided(slug: str, rows: Sequence[FigureRow]) -> str:
    """The sentence that says how much of the requirement is not broken down as the table is; empty where all of it is."""
    part = KINDS[slug].names[-1]
    amounts = [row.required for row in rows if row.required > 0 and _is_unnamed(row, part)]
    if not amounts or part not in UNDIVIDED:
        return ""
    return UNDIVIDED[part] % {"amount": usd(rollups.add(row for row in rows if _is_unnamed(row, part)).required)}


def _is_unnamed(row: FigureRow, part: str) -> bool:
    """Whether the row names no exact place, sector or partner."""
    if part == "place":
        return row.place in {"not_specified", "shared"}
    return (row.sector_id if part == "sector" else row.partner_id) is None


def largest(rows: Sequence[FigureRow], count: int | None) -> list[FigureRow]:
    """The first rows of an ordered table, and every special row, so that none of these is ever cut off."""
    ordinary = [row for row in rows if not is_special(row)]
    return ordinary[:count] + [row for row in rows if is_special(row)]


def make_table(
    slug: str,
    rows: Sequence[FigureRow],
    explainer: Explainer,
    *,
    shown: Sequence[FigureRow] | None = None,
    names: Names | None = None,
) -> Table:
    """A table of all the rows, of which `shown` are shown (all, in the table's order, when it is not given)."""
    kind, identity = KINDS[slug], rollups.identity(rows)
    shown = in_order(slug, rows) if shown is None else shown
    names = Names(shown) if names is None else names
    measures, note = measures_of(slug, identity), undivided(slug, rows)

    def made(row: FigureRow) -> Row:
        why = explainer.address(cell_of(row))
        cells = tuple(
            Cell(value_of(row, measure, identity.funded), _link(why, measure), _written_as(measure))
            for measure in measures
        )
        return Row(row, tuple(names.of(row, part) for part in kind.names), cells, is_divided=not note)

    return Table(
        slug=slug,
        kind=kind,
        rows=[made(row) for row in shown],
        identity=identity,
        count=len(rows),
        measures=measures,
        sums=_sums(identity, measures, rows, explainer),
        note=note,
    )


def _link(why: str, measure: str) -> str:
    return "" if measure in NOT_EXPLAINED else why + measure


def _written_as(measure: str) -> str:
    return "percent" if measure in PERCENT else "usd"


def _sums(
    identity: Identity, measures: tuple[str, ...], rows: Sequence[FigureRow], explainer: Explainer
) -> tuple[Cell, ...]:
    added = rollups.add(rows)

    def cell(measure: str) -> Cell:
        if measure == "share":
            return Cell(rollups.coverage(identity.funded, identity.funded), "", "percent")
        if measure in {"unmet", "over"}:
            return Cell(getattr(identity, measure), "", "usd")
        return Cell(getattr(added, measure), explainer.address({}, measure), _written_as(measure))

    return tuple(cell(measure) for measure in measures)
