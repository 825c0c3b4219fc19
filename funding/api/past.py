"""Figures of a past day: computed from history for one plan-year, narrowed and shown like those of the table."""

from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError

from funding.api.stamps import Shown, Stamp, names_of, stamps_of
from funding.models import Figure, PlanYear
from funding.rollups import FigureRow, read
from planning.models import Plan


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
    found = stamps_of(PlanYear.objects.filter(plan=plan, year=year), day)
    return found.get((plan.pk, year), Stamp(plan, as_of=day))


def figures_of(plan: Plan, year: int, day: date, wanted: dict[str, Any]) -> list[Shown]:
    """The figures of the plan-year as they stood on the day, narrowed as the filters narrow the table. Three queries.

    `wanted` holds any of level, country (ISO3), place, sector (code), split, partner and donor (numbers).
    """
    wanted = dict(wanted)
    level = wanted.pop("level", None)
    by_level = read(plan.pk, year, [level] if level else Figure.Level.values, day)
    rows = [row for rows in by_level.values() for row in rows]
    names, stamp = names_of(rows), stamp_of(plan, year, day)

    def matches(row: FigureRow) -> bool:
        keys = {
            "country": row.country_id,
            "place": row.place,
            "sector": names.sectors.get(row.sector_id, (None,))[0],
            "split": row.split,
            "partner": row.partner_id,
            "donor": row.donor_id,
        }
        return all(keys[name] == value for name, value in wanted.items())

    return [Shown(row, stamp, names) for row in sorted(rows, key=_in_order) if matches(row)]


def _in_order(row: FigureRow) -> tuple:
    keys = (row.sector_id, row.partner_id, row.donor_id)
    return (row.level, row.place, row.country_id or "", row.split, *[key or 0 for key in keys])
