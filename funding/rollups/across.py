"""Figures across plans: what each country, partner or donor has in all refugee plans of a year together."""

from django.db.models import F, QuerySet, Sum

from funding.models import Figure, PlanYear
from planning.models import Plan

_KEYS = {"country": "country_id", "partner": "partner_id", "donor": "donor_id"}


def across(level: str, plans: QuerySet[Plan], year: int) -> QuerySet:
    """One dict per country, partner or donor: its primary key as `key`, and its measures in US dollars, summed over the plans of the year.

    Each plan stands once; plans shown for reference are left out, and so is what names nobody (BR-03, BR-04). `level` is "country",
    "partner" or "donor"; raises KeyError for another. Unordered: order it, slice it, count it.
    """
    key = _KEYS[level]
    of_year = plans.exclude(type__in=Plan.REFERENCE_ONLY).filter(
        pk__in=PlanYear.objects.filter(year=year).values("plan")
    )
    figures = Figure.objects.filter(level=level, year=year, plan__in=of_year.values("pk"), **{f"{key}__isnull": False})
    sums = {measure: Sum(measure) for measure in ("required", "funded", "paid", "committed", "pledged")}
    return figures.order_by().values(key=F(key)).annotate(**sums)
