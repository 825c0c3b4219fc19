"""Tables of figures as pages and files show them: names attached, in order, special rows in words, totals by `rollups.identity`.

Nothing is added up here; see `funding.rollups`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from funding import rollups
from funding.rollups import FigureRow, Identity
from planning.models import Plan, PlanSector
from rrp_portal.reference.models import Country, Organisation


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
SPECIAL = {
    ("place", "not_specified"): (_("Not specified"), _("Given to the plan without naming a country.")),
    ("place", "shared"): (_("Shared"), _("Given to several countries together; how it splits is not known.")),
    ("place", "region"): (_("Regional"), _("For the region as a whole, not for one country.")),
    ("sector", "not_specified"): (_("Not specified"), _("Given to the plan without naming a sector.")),
    ("sector", "shared"): (_("Shared"), _("Given to several sectors together; how it splits is not known.")),
    ("partner", "none"): (_("No partner named"), _("Required or received without the name of a partner.")),
    ("donor", "none"): (_("No donor named"), _("The donor is not known, or wishes to stay anonymous.")),
}
NO_REQUIREMENT = _("Money has come here although the plan requires nothing.")
PERCENT = frozenset({"coverage", "share"})
NOT_EXPLAINED = frozenset({"share"})


class Name(NamedTuple):
    """What a row is called, which page it has, its stable code for files, and the sentence that explains it when it is special."""

    text: str
    href: str = ""
    code: str = ""
    note: str = ""
    is_demonstration: bool = False


class Names:
    """The names of what rows stand for, fetched for all rows at once: at most three queries."""

    def __init__(self, rows: Iterable[FigureRow]) -> None:
        rows = list(rows)
        self._countries = _in_bulk(Country.objects, {row.country_id for row in rows})
        self._sectors = _in_bulk(PlanSector.objects.select_related("sector"), {row.sector_id for row in rows})
        organisations = {row.partner_id for row in rows} | {row.donor_id for row in rows}
        self._organisations = _in_bulk(Organisation.objects.only("name", "acronym", "is_demonstration"), organisations)

    def of(self, row: FigureRow, part: str) -> Name:
        """The name of the row's place, sector, partner or donor."""
        return getattr(self, part)(row)

    def place(self, row: FigureRow) -> Name:
        """The row's country, or in words that it is regional, shared or not specified."""
        country = self._countries.get(row.country_id)
        if country is None:
            return _special("place", row.place or "not_specified")
        return Name(country.local_name, reverse("country-detail", args=[country.pk]), country.pk)

    def sector(self, row: FigureRow) -> Name:
        """The row's sector as the plan calls it, or in words that it is shared or not specified."""
        sector = self._sectors.get(row.sector_id)
        return (
            _special("sector", row.split or "not_specified")
            if sector is None
            else Name(sector_name(sector), code=sector.sector.code)
        )

    def partner(self, row: FigureRow) -> Name:
        """The row's partner, or in words that none is named."""
        return self._organisation("partner", row.partner_id, "organisation-detail")

    def donor(self, row: FigureRow) -> Name:
        """The row's donor, or in words that none is named."""
        return self._organisation("donor", row.donor_id, "donor-detail")

    def _organisation(self, part: str, pk: int | None, page: str) -> Name:
        organisation = self._organisations.get(pk)
        if organisation is None:
            return _special(part, "none")
        href = reverse(page, args=[organisation.pk])
        return Name(organisation.name, href, str(organisation.pk), is_demonstration=organisation.is_demonstration)


def _in_bulk(queryset, keys: set) -> dict:
    keys.discard(None)
    return queryset.in_bulk(keys) if keys else {}


def _special(part: str, kind: str) -> Name:
    text, note = SPECIAL[part, kind]
    return Name(str(text), code="" if kind == "none" else kind, note=str(note))


def sector_name(sector: PlanSector) -> str:
    """The plan's own name of a sector; in the reader's language where the plan kept the common name."""
    return sector.sector.local_name if sector.name == sector.sector.name else sector.name


def cell_of(row: FigureRow) -> dict[str, object]:
    """What narrows the explanation of a figure to the row: the keys of an explain address."""
    cell: dict[str, object] = {}
    if row.place:
        cell |= {"country": row.country_id} if row.country_id else {"place": row.place}
    if row.split:
        cell |= {"sector": row.sector_id} if row.sector_id else {"split": row.split}
    if row.level in {"partner", "country_partner", "cell"}:
        cell["partner"] = row.partner_id or "none"
    if row.level in {"donor", "country_donor"}:
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
        return bool(self.figure.without_requirement) and self.figure.level != "donor"


def is_special(row: FigureRow) -> bool:
    """Whether the row is shown after the others: shared, not specified, or of nobody named."""
    unnamed = {"partner": row.partner_id, "donor": row.donor_id}.get(row.level, 1) is None
    return bool(row.special) or unnamed


@dataclass(frozen=True, slots=True)
class Table:
    """One table of a plan-year: the rows that are shown, how many there are, and the sums of all."""

    slug: str
    kind: Kind
    rows: list[Row]
    identity: Identity
    count: int
    measures: tuple[str, ...]
    sums: tuple[Cell, ...] = field(default=())

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
    if measure in {"required", "original", "unmet", "over"} and row.required <= 0 and row.original <= 0:
        return None
    if measure == "coverage" and is_special(row):
        return None
    return getattr(row, measure)


class Explainer:
    """Writes the address of the rows behind each figure of one plan-year."""

    def __init__(self, plan: Plan, query: dict[str, object]) -> None:
        self.page = reverse("plan-explain", args=[plan.code])
        self.query = query

    def address(self, cell: dict[str, object], measure: str = "") -> str:
        """The explain address of a cell; without a measure, ready for one to be written behind it."""
        return f"{self.page}?{urlencode(self.query | cell)}&measure={measure}"


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
    measures = measures_of(slug, identity)
    return Table(
        slug=slug,
        kind=kind,
        rows=[_row(row, kind, measures, names, explainer, identity.funded) for row in shown],
        identity=identity,
        count=len(rows),
        measures=measures,
        sums=_sums(identity, measures, rows, explainer),
    )


def _row(
    row: FigureRow, kind: Kind, measures: tuple[str, ...], names: Names, explainer: Explainer, total: Decimal
) -> Row:
    address = explainer.address(cell_of(row))
    cells = tuple(
        Cell(
            value_of(row, measure, total),
            "" if measure in NOT_EXPLAINED else address + measure,
            "percent" if measure in PERCENT else "usd",
        )
        for measure in measures
    )
    return Row(row, tuple(names.of(row, part) for part in kind.names), cells)


def _sums(
    identity: Identity, measures: tuple[str, ...], rows: Sequence[FigureRow], explainer: Explainer
) -> tuple[Cell, ...]:
    added = rollups.add(rows)

    def cell(measure: str) -> Cell:
        if measure == "share":
            return Cell(rollups.coverage(identity.funded, identity.funded), "", "percent")
        if measure in {"unmet", "over"}:
            return Cell(getattr(identity, measure), "", "usd")
        return Cell(
            getattr(added, measure), explainer.address({}, measure), "percent" if measure == "coverage" else "usd"
        )

    return tuple(cell(measure) for measure in measures)
