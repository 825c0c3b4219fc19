"""Countries: what each requires and has received in its own plans and in its part of regional plans."""

from django.contrib.auth.decorators import login_not_required
from django.core.paginator import Paginator
from django.db.models import Count, F
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import conditional_page, require_safe

from funding import rollups
from funding.models import Figure
from funding.names import Names
from funding.paging import Counted
from funding.rollups import FigureRow
from funding.tables import Explainer, Table, in_order, is_split, largest, make_table
from funding.views_public.asked import default_year, read_year, years_with_figures
from funding.views_public.files import FIGURE_COLUMNS, csv_answer, figure_cells, refusal
from funding.views_public.plan_years import plan_rows
from planning.models import Plan
from rrp_portal.formats import usd_short
from rrp_portal.reference.models import Country

PAGE_SIZE = 50
SHOWN = {"sectors": None, "partners": 10}  # the rest stands on the page of the plan's table
SORTS = ("name", "required", "funded", "coverage")


@login_not_required
@require_safe
@conditional_page
def country_list(request: HttpRequest) -> HttpResponse:
    """Every country with its part of all refugee plans of a year."""
    plans = Plan.objects.visible_to(request.user)
    years = years_with_figures(plans)
    year, problems = read_year(request, years, default_year(years))
    sums = {row["key"]: row for row in rollups.across("country", plans, year)}
    countries = Country.objects.in_bulk(sums)
    rows = [(countries[key], _summed(year, sums[key])) for key in sums if key in countries]
    rows = _in_order(rows, request.GET.get("sort", ""))
    if request.GET.get("format") == "csv":
        return refusal(problems) if problems else _list_file(rows, year)
    pages = Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {"years": years[::-1], "year": year, "problems": problems, "pages": pages, "default_sort": "-required"}
    return render(request, "funding/country_list.html", context, status=422 if problems else 200)


def _summed(year: int, sums: dict) -> FigureRow:
    measures = {key: sums[key] for key in ("required", "funded", "paid", "committed", "pledged")}
    return FigureRow(0, year, "country", "country", sums["key"], **measures)


def _in_order(rows: list[tuple[Country, FigureRow]], sort: str) -> list[tuple[Country, FigureRow]]:
    rows = sorted(rows, key=lambda row: row[0].local_order)
    key = sort.removeprefix("-") if sort.removeprefix("-") in SORTS else "required"
    if key == "name":
        return rows[::-1] if sort.startswith("-") else rows
    backwards = sort.startswith("-") or not sort
    return sorted(
        rows, key=lambda row: (getattr(row[1], key) is not None, getattr(row[1], key) or 0), reverse=backwards
    )


def _list_file(rows: list[tuple[Country, FigureRow]], year: int) -> HttpResponse:
    head = [
        "iso3",
        "country",
        "year",
        "required_usd",
        "funded_usd",
        "paid_usd",
        "committed_usd",
        "pledged_usd",
        "coverage_percent",
    ]
    lines = (
        [country.pk, country.local_name, year, row.required, row.funded, row.paid, row.committed, row.pledged,
         rollups.percent_2dp(row.coverage)]
        for country, row in rows
    )  # fmt: skip
    return csv_answer(f"countries-{year}", head, lines)


@login_not_required
@require_safe
def country_detail(request: HttpRequest, iso3: str) -> HttpResponse:
    """One country: its plans and its part of regional plans by year, and all money recorded for it in one year."""
    country = get_object_or_404(Country, pk=iso3)
    plans = Plan.objects.visible_to(request.user)
    figures = Figure.objects.filter(level="country", country=country, plan__in=plans.values("pk"))
    counts = dict(figures.order_by("year").values_list("year").annotate(plans=Count("pk")))
    years = list(counts)
    year, problems = read_year(request, years, default_year(years))
    figures = figures.order_by("-year", F("required").desc(), "plan__name")
    if request.GET.get("format") == "csv":
        return refusal(problems) if problems else _country_file(country, plan_rows(rollups.rows_of(figures)))
    pages = Counted(figures, sum(counts.values()), PAGE_SIZE).get_page(request.GET.get("page"))
    shown, of_year = rollups.rows_of(pages.object_list), rollups.rows_of(figures.filter(year=year))
    rows = plan_rows(shown + of_year)
    shown, of_year = rows[: len(shown)], rows[len(shown) :]
    refugee = rollups.add(row["figure"] for row in of_year if not row["plan"].is_reference_only)
    chosen = next(
        (row for row in of_year if row["plan"].code == request.GET.get("plan")), of_year[0] if of_year else None
    )
    context = {
        "country": country,
        "years": years[::-1],
        "year": year,
        "problems": problems,
        "pages": pages,
        "rows": shown,
        "of_year": of_year,
        "chosen": chosen,
        "tables": _tables(country, chosen) if chosen else [],
        "sum": refugee,
        "key_figures": _key_figures(refugee) if refugee.has_money else [],
        "all_money": rollups.country_year(country.pk, year),
    }
    return render(request, "funding/country_detail.html", context, status=422 if problems else 200)


def _tables(country: Country, chosen: dict) -> list[Table]:
    """The country's part of one plan, by sector and by partner."""
    plan, figure = chosen["plan"], chosen["figure"]
    levels = rollups.rows_of(
        Figure.objects.filter(
            plan=plan, year=figure.year, level__in=("country_sector", "country_partner"), country_id=figure.country_id
        )
    )
    why = Explainer(plan, {"year": figure.year, "country": figure.country_id})
    rows = {
        slug: in_order(slug, [row for row in levels if row.level == level])
        for slug, level in (("sectors", "country_sector"), ("partners", "country_partner"))
    }
    shown = {slug: largest(of_level, SHOWN[slug]) for slug, of_level in rows.items()}
    names = Names((row for of_level in shown.values() for row in of_level), [country])
    return [make_table(slug, rows[slug], why, shown=shown[slug], names=names) for slug in rows]


def _key_figures(row: FigureRow) -> list[dict]:
    paid = _("%(amount)s of it paid") % {"amount": usd_short(row.paid)} if is_split(row) else ""
    return [
        {"value": row.required, "label": _("USD required")},
        {"value": row.funded, "label": _("USD funded"), "note": paid},
        {"value": row.coverage, "kind": "percent", "label": _("covered")},
        {"value": row.net_gap, "label": _("USD net gap")},
    ]


def _country_file(country: Country, rows: list[dict]) -> HttpResponse:
    head = ["iso3", "country", "plan_code", "plan", "type", "for_reference", "year", *FIGURE_COLUMNS]
    lines = (
        [country.pk, country.local_name, row["plan"].code, row["plan"].local_name, row["plan"].type, row["plan"].is_reference_only,
         row["figure"].year, *figure_cells(row["figure"])]
        for row in rows
    )  # fmt: skip
    return csv_answer(f"{country.pk}-plans", head, lines)
