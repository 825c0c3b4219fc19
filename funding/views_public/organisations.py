"""Organisations and donors: what each requires, has received and has given, by plan and year."""

from django.contrib.auth.decorators import login_not_required
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_safe

from funding import rollups
from funding.models import Figure, Flow
from funding.views_public.asked import default_year, read_year, years_with_figures
from funding.views_public.files import FIGURE_COLUMNS, csv_answer, figure_cells, refusal
from funding.views_public.forms import OrganisationPageFilter
from funding.views_public.plan_years import plan_rows
from planning.models import Plan
from rrp_portal.reference.models import Organisation

PAGE_SIZE = 50
RECENT = 20
SHOWN = ("flow_on", "status", "type", "description", "amount_usd", "is_donor_anonymous")
DONOR_SORTS = {"name": "name", "funded": "funded", "paid": "paid", "pledged": "pledged"}


@login_not_required
@require_safe
def organisation_list(request: HttpRequest) -> HttpResponse:
    """Organisations by name, type and words; those merged into another are left out."""
    organisations = Organisation.objects.standing().select_related("type", "country").order_by("name", "pk")
    form = OrganisationPageFilter(request.GET, queryset=organisations, request=request)
    if request.GET.get("format") == "csv":
        refused = [error for errors in form.form.errors.values() for error in errors]
        return refusal(refused) if refused else _list_file(form.qs)
    pages = Paginator(form.qs, PAGE_SIZE).get_page(request.GET.get("page"))
    is_filtered = any(request.GET.get(name) for name in form.SHOWN)
    context = {"form": form, "pages": pages, "is_filtered": is_filtered}
    return render(request, "funding/organisation_list.html", context, status=422 if form.form.errors else 200)


def _list_file(organisations: QuerySet[Organisation]) -> HttpResponse:
    head = [
        "id",
        "name",
        "acronym",
        "type",
        "country_iso3",
        "verified",
        "refugee_led",
        "women_led",
        "fts_id",
        "iati_id",
        "demonstration",
    ]
    lines = (
        [each.pk, each.name, each.acronym, each.type_id, each.country_id, each.is_verified, each.is_refugee_led, each.is_women_led,
         each.fts_id, each.iati_id, each.is_demonstration]
        for each in organisations.iterator(2000)
    )  # fmt: skip
    return csv_answer("organisations", head, lines, stream=True)


def _kept(pk: int) -> Organisation:
    return get_object_or_404(Organisation.objects.select_related("type", "country", "parent", "merged_into"), pk=pk)


def _figures(request: HttpRequest, organisation: Organisation, role: str) -> QuerySet[Figure]:
    plans = Plan.objects.visible_to(request.user).values("pk")
    figures = Figure.objects.filter(**{role: organisation}, level=role, plan__in=plans)
    return figures.order_by("-year", "-required", "-funded", "plan__name")


@login_not_required
@require_safe
def organisation_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One organisation as a partner of plans, by plan and year, and the money it received last."""
    organisation = _kept(pk)
    if organisation.merged_into_id:
        return redirect("organisation-detail", organisation.merged_into_id)
    figures = _figures(request, organisation, "partner")
    if request.GET.get("format") == "csv":
        return _file(organisation, plan_rows(rollups.rows_of(figures)), "partner")
    pages = Paginator(figures, PAGE_SIZE).get_page(request.GET.get("page"))
    visible = Flow.objects.visible_to(request.user)
    received = visible.filter(recipient=organisation).select_related("donor").only(*SHOWN, "donor__name")
    context = {
        "organisation": organisation,
        "pages": pages,
        "rows": plan_rows(rollups.rows_of(pages.object_list)),
        "flows": received.order_by("-flow_on", "-pk")[:RECENT],
        "gives": visible.filter(donor=organisation, is_donor_anonymous=False).exists(),
    }
    return render(request, "funding/organisation_detail.html", context)


@login_not_required
@require_safe
def donor_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One organisation as a donor: what it gave to each plan by year, and the money it gave last."""
    organisation = _kept(pk)
    if organisation.merged_into_id:
        return redirect("donor-detail", organisation.merged_into_id)
    figures = _figures(request, organisation, "donor")
    if request.GET.get("format") == "csv":
        return _file(organisation, plan_rows(rollups.rows_of(figures)), "donor")
    pages = Paginator(figures, PAGE_SIZE).get_page(request.GET.get("page"))
    given = (
        Flow.objects.visible_to(request.user)
        .filter(donor=organisation, is_donor_anonymous=False)
        .select_related("recipient")
        .only(*SHOWN, "recipient__name")
    )
    context = {
        "organisation": organisation,
        "pages": pages,
        "rows": plan_rows(rollups.rows_of(pages.object_list)),
        "flows": given.order_by("-flow_on", "-pk")[:RECENT],
    }
    return render(request, "funding/donor_detail.html", context)


def _file(organisation: Organisation, rows: list[dict], role: str) -> HttpResponse:
    head = [f"{role}_id", role, "plan_code", "plan", "for_reference", "year", *FIGURE_COLUMNS]
    lines = (
        [organisation.pk, organisation.name, row["plan"].code, row["plan"].local_name, row["plan"].is_reference_only,
         row["figure"].year, *figure_cells(row["figure"])]
        for row in rows
    )  # fmt: skip
    return csv_answer(f"{role}-{organisation.pk}", head, lines)


@login_not_required
@require_safe
def donor_list(request: HttpRequest) -> HttpResponse:
    """Who gave to refugee plans in a year, largest first."""
    plans = Plan.objects.visible_to(request.user)
    years = years_with_figures(plans)
    year, problems = read_year(request, years, default_year(years))
    sort = request.GET.get("sort", "")
    key = DONOR_SORTS.get(sort.removeprefix("-"), "funded")
    donors = rollups.across("donor", plans, year).order_by(
        *(["donor__name"] if key == "name" else [key, "donor__name"])
    )
    donors = donors if sort and not sort.startswith("-") else donors.reverse()
    if request.GET.get("format") == "csv":
        return refusal(problems) if problems else _donors_file(list(donors), year)
    pages = Paginator(donors, PAGE_SIZE).get_page(request.GET.get("page"))
    names = Organisation.objects.select_related("type").in_bulk([row["key"] for row in pages.object_list])
    context = {
        "years": years[::-1],
        "year": year,
        "problems": problems,
        "pages": pages,
        "rows": [(names.get(row["key"]), row) for row in pages.object_list],
        "default_sort": "-funded",
    }
    return render(request, "funding/donor_list.html", context, status=422 if problems else 200)


def _donors_file(donors: list[dict], year: int) -> HttpResponse:
    names = Organisation.objects.in_bulk([row["key"] for row in donors])
    head = ["donor_id", "donor", "type", "year", "funded_usd", "paid_usd", "committed_usd", "pledged_usd"]
    lines = (
        [
            row["key"],
            names[row["key"]].name,
            names[row["key"]].type_id,
            year,
            row["funded"],
            row["paid"],
            row["committed"],
            row["pledged"],
        ]
        for row in donors
        if row["key"] in names
    )
    return csv_answer(f"donors-{year}", head, lines)
