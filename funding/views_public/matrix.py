"""The country × sector matrix: coverage where something is required, the amount where it is not."""

from collections.abc import Sequence
from dataclasses import dataclass

from funding import rollups
from funding.names import Name, Names
from funding.rollups import FigureRow
from funding.tables import Explainer, cell_of


@dataclass(frozen=True, slots=True)
class MatrixCell:
    """One cell: empty, a coverage, or an amount without requirement."""

    figure: FigureRow | None = None
    href: str = ""

    @property
    def percent(self) -> int | None:
        """Coverage as it is displayed, where something is required."""
        if self.figure is None or self.figure.special:
            return None
        return rollups.whole_percent(self.figure.coverage)

    @property
    def amount(self):
        """The money, where there is no coverage to show."""
        return self.figure.funded if self.figure is not None and self.percent is None and self.figure.funded else None


@dataclass(frozen=True, slots=True)
class Matrix:
    """Heads of the columns, and rows of a name and its cells."""

    heads: list[Name]
    rows: list[tuple[Name, list[MatrixCell]]]


def make_matrix(
    rows: Sequence[FigureRow], sides: tuple[Sequence[FigureRow], Sequence[FigureRow]], names: Names, why: Explainer
) -> Matrix | None:
    """The matrix of the rows of level country_sector; `sides` are the rows by country and by sector, in the order to show.

    None where it would say no more than the other tables: one country, or one sector.
    """
    countries, sectors = sides
    if len(countries) < 2 or len(sectors) < 2:
        return None
    cells = {(row.place, row.country_id, row.split, row.sector_id): row for row in rows}

    def cell(country: FigureRow, sector: FigureRow) -> MatrixCell:
        row = cells.get((country.place, country.country_id, sector.split, sector.sector_id))
        return MatrixCell() if row is None else MatrixCell(row, why.address(cell_of(row), "funded"))

    return Matrix(
        heads=[names.sector(sector) for sector in sectors],
        rows=[(names.place(country), [cell(country, sector) for sector in sectors]) for country in countries],
    )
