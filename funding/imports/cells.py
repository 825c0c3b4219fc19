"""Rows of requirements and published funding: reading them from CSV files and from grouped answers of FTS."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_noop

from funding.imports.mapping import Thing, day, money, whole, year_of
from funding.imports.report import RowRefused
from funding.imports.texts import text
from funding.models import Place, SectorSplit

NO_YEAR = gettext_noop("It names no year.")
NO_PERIOD = gettext_noop("It names no period of the plan, or one that ends before it starts.")
OUTSIDE_PLANS = gettext_noop("Money outside plans: it has no requirement, and its flows carry it.")
BY_GLOBAL_CLUSTER = gettext_noop(
    "Global clusters cut across the plan's own sectors; counting both would count money twice. Use the file by cluster."
)
NEGATIVE = gettext_noop("A requirement cannot be negative: %(found)s.")
UNKNOWN_GROUP = gettext_noop(
    "FTS did not group this answer by the clusters of the plan; the portal reads only the one that is."
)

NOT_SPECIFIED = "not specified"


class RowLeftOut(Exception):
    """A row that is rightly not taken; the message id says why."""


@dataclass(slots=True)
class Cell:
    """What one row says about one plan-year: a country or a sector of it, what it requires and what has come, USD."""

    plan_fts_id: int
    year: int
    dimension: str
    name: str = ""
    code: str = ""
    type_name: str = ""
    period: tuple[date, date] | None = None
    place: str = ""
    location: Thing | None = None
    split: str = ""
    cluster: Thing | None = None
    required: Decimal | None = None
    original: Decimal | None = None
    funded: Decimal | None = None
    line: int | None = None
    file: str = ""

    @property
    def subject(self) -> str:
        """How reports name the row."""
        part = self.cluster.name if self.cluster else self.location.name if self.location else self.split or self.place
        return " · ".join(filter(None, [self.name or f"FTS {self.plan_fts_id}", str(self.year), part]))


def read_cell(row: dict[str, Any], *, by_global_cluster: bool) -> Cell:
    """A row of a CSV with requirements; raises RowRefused when it cannot be taken, RowLeftOut when it should not be."""
    plan_fts_id, year = whole(row.get("id")), year_of(row.get("year"))
    if plan_fts_id is None:
        raise RowLeftOut(OUTSIDE_PLANS)
    if by_global_cluster:
        raise RowLeftOut(BY_GLOBAL_CLUSTER)
    if year is None:
        raise RowRefused(NO_YEAR)
    cell = Cell(
        plan_fts_id,
        year,
        "sector" if "cluster" in row else "country",
        name=text(row.get("name"))[:255],
        code=text(row.get("code"))[:50],
        type_name=text(row.get("typeName"))[:100],
        period=_period(row),
        required=_required(row.get("requirements")),
        funded=money(row.get("funding")),
    )
    cell.place, cell.location = _place(text(row.get("countryCode")))
    if cell.dimension == "sector":
        cell.split, cell.cluster = _split(row, plan_fts_id)
    return cell


def _period(row: dict[str, Any]) -> tuple[date, date] | None:
    starts_on, ends_on = day(row.get("startDate")), day(row.get("endDate"))
    if starts_on is None or ends_on is None:
        return None
    if ends_on < starts_on:
        raise RowRefused(NO_PERIOD)
    return starts_on, ends_on


def _required(value: Any) -> Decimal | None:
    amount = money(value)
    if amount is not None and amount < 0:
        raise RowRefused(NEGATIVE, found=amount)
    return amount


def _place(code: str) -> tuple[str, Thing | None]:
    if not code or code.casefold() == NOT_SPECIFIED:
        return Place.NOT_SPECIFIED, None
    if "shared" in code.casefold() or "multiple" in code.casefold():
        return Place.SHARED, None
    return Place.COUNTRY, Thing(None, code, code=code)


def _split(row: dict[str, Any], plan_fts_id: int) -> tuple[str, Thing | None]:
    """The sector of a row. A plan without clusters stands in the file as a cluster with the plan's own id."""
    name, cluster_id = text(row.get("cluster")), whole(row.get("clusterCode"))
    if cluster_id is None and "shared" in name.casefold():
        return SectorSplit.SHARED, None
    if cluster_id == plan_fts_id or not name or name.casefold() == NOT_SPECIFIED:
        return SectorSplit.NOT_SPECIFIED, None
    return SectorSplit.SINGLE, Thing(cluster_id, name)


def are_global(cluster_ids: Iterable[int | None], known: Iterable[int]) -> bool:
    """Whether these clusters are the global ones: FTS gives them numbers that no plan's cluster has."""
    found = {cluster_id for cluster_id in cluster_ids if cluster_id}
    return bool(found) and found <= set(known)


def grouped_cells(data: dict[str, Any], plan_fts_id: int, year: int) -> Iterator[tuple[str, Cell | str]]:
    """The objects of an answer grouped by cluster, each as (how reports name it, its cell or why it is left out)."""
    requirements = data.get("requirements") or {}
    for entry in _entries(requirements.get("objects")):
        name = text(entry.get("name"))
        cell = Cell(plan_fts_id, year, "sector", split=SectorSplit.SINGLE, cluster=Thing(whole(entry.get("id")), name))
        cell.required, cell.original = (
            _required(entry.get("revisedRequirements")),
            _required(entry.get("origRequirements")),
        )
        yield name, cell if entry.get("objectType") == "Cluster" else _why_not(entry.get("objectType"))
    totals = (data.get("report3") or {}).get("fundingTotals") or {}
    for group in _entries(totals.get("objects")):
        for entry in _entries(group.get("singleFundingObjects")):
            name = text(entry.get("name"))
            cluster = Thing(whole(entry.get("id")), name) if entry.get("id") else None
            split = SectorSplit.SINGLE if cluster else SectorSplit.NOT_SPECIFIED
            cell = Cell(
                plan_fts_id, year, "sector", split=split, cluster=cluster, funded=money(entry.get("totalFunding"))
            )
            yield name, cell if group.get("type") == "Cluster" else _why_not(group.get("type"))
        for entry in _entries(group.get("sharedFundingObjects")):
            name = ", ".join(map(text, entry.get("name") or []))
            cell = Cell(plan_fts_id, year, "sector", split=SectorSplit.SHARED, funded=money(entry.get("totalFunding")))
            yield name, cell if group.get("type") == "Cluster" else _why_not(group.get("type"))


def _entries(value: Any) -> list[dict[str, Any]]:
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def _why_not(kind: Any) -> str:
    return BY_GLOBAL_CLUSTER if kind == "GlobalCluster" else UNKNOWN_GROUP
