"""Figures of a past day: computed from history for one plan-year, and dressed like those of the table."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from django import forms
from django.db.models import CharField, JSONField, Value
from django.db.models.functions import Cast
from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError

from funding.api.stamps import Stamp, stamps_of
from funding.models import Figure, PlanYear
from funding.rollups import FigureRow, read
from funding.rollups.rows import FIELDS
from planning.models import Plan, PlanSector
from rrp_portal.reference.models import Country, Organisation, Sector


def day_of(request) -> date | None:
    """The day of ?as_of=, or None for today. Raises ValidationError for what is no day."""
    given = request.query_params.get("as_of")
    if not given:
        return None
    try:
        return forms.DateField(input_formats=["%Y-%m-%d"]).clean(given)
    except forms.ValidationError as error:
        sentence = _("Write the day as year-month-day, for example 2026-06-15.")
        raise ValidationError({"as_of": [sentence]}, code="as_of") from error


def stamp_of(plan: Plan, year: int, day: date | None) -> Stamp:
    """The stamp of a plan-year on a day; one query."""
    return stamps_of(PlanYear.objects.filter(plan=plan, year=year), day).get((plan.pk, year), Stamp(as_of=day))


def _names(rows: Iterable[FigureRow]) -> dict[str, dict[Any, Any]]:
    """The countries, sectors and organisations that the rows name, by key, in one query."""
    rows = list(rows)
    countries = {row.country_id for row in rows} - {None}
    sectors = {row.sector_id for row in rows} - {None}
    organisations = ({row.partner_id for row in rows} | {row.donor_id for row in rows}) - {None}

    def told(queryset, kind, key, code, names):
        return queryset.order_by().values_list(
            Value(kind, CharField()), Cast(key, CharField()), Cast(code, CharField()), Cast("name", CharField()), names
        )

    none = Value({}, JSONField())
    found = told(Country.objects.filter(pk__in=countries), "country", "pk", "pk", Cast("names", JSONField())).union(
        told(PlanSector.objects.filter(pk__in=sectors), "sector", "pk", "sector__code", none),
        told(Organisation.objects.filter(pk__in=organisations), "organisation", "pk", "pk", none),
        all=True,
    )
    named: dict[str, dict[Any, Any]] = {"country": {}, "sector": {}, "organisation": {}}
    for kind, key, code, name, names in found if rows else ():
        if kind == "country":
            named[kind][key] = Country(iso3=key, name=name, names=names)
        elif kind == "sector":
            named[kind][int(key)] = PlanSector(id=int(key), name=name, sector=Sector(code=code))
        else:
            named[kind][int(key)] = Organisation(id=int(key), name=name)
    return named


def _matches(row: FigureRow, sector_code: str | None, wanted: dict[str, Any]) -> bool:
    keys = {
        "country": row.country_id,
        "place": row.place,
        "sector": sector_code,
        "split": row.split,
        "partner": row.partner_id,
        "donor": row.donor_id,
    }
    return all(keys[name] == value for name, value in wanted.items())


def figures_of(plan: Plan, year: int, day: date, wanted: dict[str, Any]) -> list[Figure]:
    """The figures of the plan-year as they stood on the day, narrowed as the filters narrow the table. Three queries.

    `wanted` holds any of level, country (ISO3), place, sector (code), split, partner and donor (numbers).
    """
    wanted = dict(wanted)
    level = wanted.pop("level", None)
    by_level = read(plan.pk, year, [level] if level else Figure.Level.values, day)
    rows = [row for rows in by_level.values() for row in rows]
    named = _names(rows)
    stamp = stamp_of(plan, year, day)
    figures = []
    for row in sorted(rows, key=_place_in_order):
        sector = named["sector"].get(row.sector_id)
        if not _matches(row, sector.sector.code if sector else None, wanted):
            continue
        figure = Figure(**{name: getattr(row, name) for name in FIELDS})
        figure.plan = plan
        figure.country = named["country"].get(row.country_id)
        figure.sector = sector
        figure.partner = named["organisation"].get(row.partner_id)
        figure.donor = named["organisation"].get(row.donor_id)
        figure.row, figure.stamp = row, stamp
        figures.append(figure)
    return figures


def _place_in_order(row: FigureRow) -> tuple:
    keys = (row.sector_id, row.partner_id, row.donor_id)
    return (row.level, row.place, row.country_id or "", row.split, *[key or 0 for key in keys])
