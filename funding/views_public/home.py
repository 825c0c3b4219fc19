"""The first page: every plan of a year with what it requires and what has come, and the figures of all of them."""

from datetime import date

from django.contrib.auth.decorators import login_not_required
from django.db.models import Exists, F, FilteredRelation, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import NullIf
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from funding import findings, rollups
from funding.models import Figure
from funding.paging import Counted
from funding.rollups import FigureRow
from funding.tables import Cell, Explainer, is_split, value_of
from funding.views_public.asked import default_year, read_year, years_with_figures
from funding.views_public.files import FIGURE_COLUMNS, csv_answer, figure_cells, refusal
from funding.views_public.forms import PlanPageFilter
from planning.models import Plan, PlanVersion
from rrp_portal.formats import usd_short

PAGE_SIZE = 50
DEFAULT_SORT = "-required"
SORTS = {
    "name": F("name"),
    "required": F("total__required"),
    "funded": F("total__funded"),
    "coverage": F("total__funded") / NullIf(F("total__required"), 0),
    "gap": F("total__required") - F("total__funded"),
    "people": F("people"),
}


@login_not_required
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """All plans of a year, filtered and sorted by the address; with ?format=csv the same as a file."""
    visible = Plan.objects.visible_to(request.user)
    years = years_with_figures(visible)
    year, problems = read_year(request, years, default_year(years))
    form = PlanPageFilter(request.GET, queryset=visible, request=request)
    plans = _of_year(form.qs, year)
    ordered = _sorted(_with_figures(plans, year), request.GET.get("sort", ""))
    if request.GET.get("format") == "csv":
        refused = problems + [error for errors in form.form.errors.values() for error in errors]
        return refusal(refused) if refused else _file(ordered, year)
    pages = Counted(ordered, plans.count(), PAGE_SIZE).get_page(request.GET.get("page"))
    world, others = rollups.world_by_need(form.qs, year)
    context = {
        "form": form,
        "years": years[::-1],
        "year": year,
        "problems": problems,
        "pages": pages,
        "rows": _rows(list(pages.object_list), year),
        "world": world,
        "others": others,
        "together": rollups.together(form.qs, year) if form.form["reference"].value() else None,
        "is_split": is_split(world),
        "finding": _finding(world),
        "key_figures": _key_figures(world, pages.paginator.count),
        "default_sort": DEFAULT_SORT,
        "is_filtered": any(value for key, value in request.GET.items() if key not in {"year", "sort", "page"}),
    }
    return render(request, "funding/home.html", context, status=422 if problems or form.form.errors else 200)


def _of_year(plans: QuerySet[Plan], year: int) -> QuerySet[Plan]:
    """The plans that have figures for the year, or whose period touches it."""
    has_figures = Exists(Figure.objects.filter(plan=OuterRef("pk"), level="total", year=year))
    return plans.filter(Q(starts_on__lte=date(year, 12, 31), ends_on__gte=date(year, 1, 1)) | has_figures)


def _with_figures(plans: QuerySet[Plan], year: int) -> QuerySet[Plan]:
    """The plans joined to their one row of totals of the year."""
    people = (
        PlanVersion.objects.filter(plan=OuterRef("pk"))
        .in_force()
        .order_by("-major", "-minor")
        .values("people_targeted")
    )
    return plans.annotate(
        total=FilteredRelation("figures", condition=Q(figures__level="total", figures__year=year)),
        plan_year=FilteredRelation("plan_years", condition=Q(plan_years__year=year)),
        people=Subquery(people[:1]),
        computed_at=F("plan_year__computed_at"),
    )


def _sorted(plans: QuerySet[Plan], sort: str) -> QuerySet[Plan]:
    sort = sort if sort.removeprefix("-") in SORTS else DEFAULT_SORT
    column = SORTS[sort.removeprefix("-")]
    return plans.order_by(
        column.desc(nulls_last=True) if sort.startswith("-") else column.asc(nulls_last=True), "name", "pk"
    )


def _figures(plans: list[Plan], year: int) -> dict[int, FigureRow]:
    """The totals of each plan's year; zeros where nothing is known."""
    figures = Figure.objects.filter(level="total", year=year, plan__in=[plan.pk for plan in plans])
    known = {row.plan_id: row for row in rollups.rows_of(figures)}
    return {plan.pk: known.get(plan.pk) or FigureRow(plan.pk, year, "total") for plan in plans}


def _rows(plans: list[Plan], year: int) -> list[dict]:
    versions, figures = _versions(plans), _figures(plans, year)
    return [_row(plan, versions.get(plan.pk), figures[plan.pk]) for plan in plans]


def _row(plan: Plan, version: PlanVersion | None, figure: FigureRow) -> dict:
    why = Explainer(plan, {"year": figure.year})

    def cell(measure: str, kind: str = "usd") -> Cell:
        value = value_of(figure, measure) if figure.has_money else None
        return Cell(value, why.address({}, measure), kind)

    return {
        "plan": plan,
        "figure": figure,
        "version": version,
        "money": [cell("required"), cell("funded")],
        "gaps": [cell("coverage", "percent"), cell("net_gap")],
    }


def _versions(plans: list[Plan]) -> dict[int, PlanVersion]:
    """The version in force of each plan."""
    versions = PlanVersion.objects.filter(plan__in=[plan.pk for plan in plans]).in_force().distinct("plan_id")
    return {version.plan_id: version for version in versions}


def _finding(world: FigureRow) -> str:
    return findings.share_that_has_come(world) if world.has_money else ""


def _key_figures(world: FigureRow, plans: int) -> list[dict]:
    paid = _("%(amount)s of it paid") % {"amount": usd_short(world.paid)} if is_split(world) else ""
    return [
        {"value": plans, "kind": "number", "label": _("plans in this list")},
        {"value": world.required, "label": _("USD required")},
        {"value": world.funded, "label": _("USD funded"), "note": paid},
        {"value": world.coverage, "kind": "percent", "label": _("covered")},
        {"value": world.net_gap, "label": _("USD net gap")},
        {"value": world.pledged, "label": _("USD pledged, not counted")},
    ]


def _file(plans: QuerySet[Plan], year: int) -> HttpResponse:
    head = [
        "plan_code",
        "plan",
        "type",
        "for_reference",
        "demonstration",
        "year",
        "version",
        "as_of",
        "people_targeted",
        *FIGURE_COLUMNS,
    ]
    plans_read = list(plans)
    versions, figures = _versions(plans_read), _figures(plans_read, year)

    def lines():
        for plan in plans_read:
            version = versions.get(plan.pk)
            about = [plan.code, plan.local_name, plan.type, plan.is_reference_only, plan.is_demonstration, year]
            dates = [version.label if version else None, plan.computed_at, plan.people]
            yield [*about, *dates, *figure_cells(figures[plan.pk])]

    return csv_answer(f"plans-{year}", head, lines())
