"""What every figure carries besides its amounts: names, the version it stands on, the day it is as of, when it was computed."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime

from django.db.models import CharField, JSONField, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Cast, JSONObject
from django.utils.translation import get_language

from funding.models import Figure, PlanYear
from funding.rollups import FigureRow
from funding.rollups.rows import FIELDS
from planning.models import Plan, PlanSector, PlanVersion
from rrp_portal.reference.models import Country, Organisation


@dataclass(frozen=True, slots=True)
class Stamp:
    """Where the figures of a plan-year come from, and of which day they are."""

    plan: Plan
    basis: str = PlanYear.Basis.FLOWS
    version: str | None = None
    as_of: date | None = None
    computed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Names:
    """Names by key: countries in the reader's language, sectors with their codes, organisations."""

    countries: dict[str, str] = field(default_factory=dict)
    sectors: dict[int, tuple[str, str]] = field(default_factory=dict)
    organisations: dict[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Shown:
    """One figure, ready to be written."""

    row: FigureRow
    stamp: Stamp
    names: Names


def stamps_of(plan_years: QuerySet[PlanYear], day: date | None = None) -> dict[tuple[int, int], Stamp]:
    """The stamp of each plan-year by (plan_id, year), in one query: for today, or as it stood on a day."""
    version = PlanVersion.objects.filter(plan=OuterRef("plan"), status=PlanVersion.Status.APPROVED)
    if day is not None:
        version = version.filter(approved_on__lte=day)
    newest = version.order_by("-major", "-minor").values(json=JSONObject(major="major", minor="minor"))[:1]
    return {
        (year.plan_id, year.year): Stamp(
            plan=year.plan,
            basis=year.basis,
            version=PlanVersion(**year.version).label if year.version else None,
            as_of=day or (year.computed_at.date() if year.computed_at else None),
            computed_at=year.computed_at if day is None else None,
        )
        for year in plan_years.select_related("plan").annotate(version=Subquery(newest))
    }


def names_of(rows: Iterable[FigureRow]) -> Names:
    """The names of all that the rows point to, in one query."""
    rows = list(rows)
    countries = {row.country_id for row in rows} - {None}
    sectors = {row.sector_id for row in rows} - {None}
    organisations = ({row.partner_id for row in rows} | {row.donor_id for row in rows}) - {None}

    def told(queryset, kind, code, names):
        return queryset.order_by().values_list(
            Value(kind, CharField()), Cast("pk", CharField()), Cast(code, CharField()), Cast("name", CharField()), names
        )

    none = Value({}, JSONField())
    found = told(Country.objects.filter(pk__in=countries), "country", "pk", Cast("names", JSONField())).union(
        told(PlanSector.objects.filter(pk__in=sectors), "sector", "sector__code", none),
        told(Organisation.objects.filter(pk__in=organisations), "organisation", "pk", none),
        all=True,
    )
    names, language = Names(), get_language() or "en"
    for kind, key, code, name, by_language in found if countries or sectors or organisations else ():
        if kind == "country":
            names.countries[key] = by_language.get(language) or name
        elif kind == "sector":
            names.sectors[int(key)] = (code, name)
        else:
            names.organisations[int(key)] = name
    return names


def shown(figures: Iterable[Figure]) -> list[Shown]:
    """The figures of the table, ready to be written; two queries, whatever their number."""
    rows = [FigureRow(*[getattr(figure, name) for name in FIELDS]) for figure in figures]
    if not rows:
        return []
    plan_years = PlanYear.objects.filter(plan__in={row.plan_id for row in rows}, year__in={row.year for row in rows})
    stamps, names = stamps_of(plan_years), names_of(rows)
    return [Shown(row, stamps[row.plan_id, row.year], names) for row in rows]
