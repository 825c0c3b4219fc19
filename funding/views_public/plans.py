"""The funding page of a plan, its tables in full, and the same as files."""

from django.contrib.auth.decorators import login_not_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import conditional_page, require_safe

from funding import findings, rollups
from funding.names import Names
from funding.rollups import FigureRow
from funding.tables import KINDS, Explainer, Table, in_order, largest, make_table
from funding.views_public.files import FIGURE_COLUMNS, csv_answer, figure_cells, refusal
from funding.views_public.matrix import make_matrix
from funding.views_public.plan_parts import key_figures, parts_of, published
from funding.views_public.plan_year import PlanPage, open_plan
from rrp_portal.reference.models import Country

SHOWN = {"partners": 10, "donors": 10}  # the plan page shows the largest; the rest stand on the table's own page
PAGE_SIZE = 50
ON_THE_PAGE = ("sectors", "countries", "partners", "donors")
IN_COUNTRY = {"sectors": "country_sector", "partners": "country_partner", "donors": "country_donor"}
OPENED = ("total", "country", "sector", "partner", "donor", "country_sector")


@login_not_required
@require_safe
def plan_detail(request: HttpRequest, code: str) -> HttpResponse:
    """What a plan requires in a year and what has come, by country, sector, partner and donor."""
    page = open_plan(request, code)
    levels = rollups.read(page.plan.pk, page.asked.year, OPENED, page.asked.as_of)
    total = levels["total"][0] if levels["total"] else FigureRow(page.plan.pk, page.asked.year, "total")
    shown = {slug: largest(in_order(slug, levels[KINDS[slug].level]), SHOWN.get(slug)) for slug in ON_THE_PAGE}
    names = Names([row for rows in shown.values() for row in rows])
    tables = {
        slug: make_table(slug, levels[KINDS[slug].level], page.explainer, shown=rows, names=names)
        for slug, rows in shown.items()
    }
    context = {
        "page": page,
        "total": total,
        "has_figures": total.has_money,
        "tables": _with_findings(tables, levels),
        "matrix": make_matrix(levels["country_sector"], (shown["countries"], shown["sectors"]), names, page.explainer),
        "matrix_finding": findings.of_matrix(levels["country_sector"]),
        "finding": findings.of_plan(total, levels["sector"], names),
        "key_figures": key_figures(page, total, levels["partner"]),
        "identities": [
            (KINDS[slug].title, rollups.identity(levels[KINDS[slug].level]))
            for slug in ("countries", "sectors", "matrix")
        ],
        "parts": parts_of(page, total),
        "published": published(page, total),
        "revision": total.required - total.original,
        "original_why": page.explainer.address({}, "original"),
        "required_why": page.explainer.address({}, "required"),
        "downloads": [(slug, kind.title) for slug, kind in KINDS.items()],
    }
    return render(request, "funding/plan_detail.html", context, status=page.asked.status)


def _with_findings(tables: dict[str, Table], levels: dict[str, list[FigureRow]]) -> list[tuple[str, Table]]:
    donors = sum(1 for row in levels["donor"] if row.funded > 0 and row.donor_id)
    headings = {
        "sectors": findings.of_sectors(tables["sectors"]),
        "countries": findings.of_countries(tables["countries"]),
        "partners": findings.of_partners(levels["partner"]),
        "donors": findings.of_donors(tables["donors"], donors),
    }
    return [(headings[slug] or tables[slug].title, tables[slug]) for slug in ON_THE_PAGE]


def _kind_of(table: str) -> str:
    if table not in KINDS:
        raise Http404
    return table


def _rows(request: HttpRequest, page: PlanPage, slug: str) -> tuple[list[FigureRow], Country | None]:
    """The rows of a table, or with ?country= those of the country alone."""
    iso3 = request.GET.get("country", "")
    if not iso3 or slug not in IN_COUNTRY:
        level = KINDS[slug].level
        return rollups.read(page.plan.pk, page.asked.year, [level], page.asked.as_of)[level], None
    country, level = get_object_or_404(Country, pk=iso3), IN_COUNTRY[slug]
    rows = rollups.read(page.plan.pk, page.asked.year, [level], page.asked.as_of)[level]
    return [row for row in rows if row.country_id == country.pk], country


@login_not_required
@require_safe
def plan_rows(request: HttpRequest, code: str, table: str) -> HttpResponse:
    """One table of a plan in full: sorted by any column, in pages."""
    page, slug = open_plan(request, code), _kind_of(table)
    rows, country = _rows(request, page, slug)
    sort = request.GET.get("sort", "")
    by_name = sort.removeprefix("-") in KINDS[slug].names
    ordered = in_order(slug, rows, sort, Names(rows) if by_name else None)
    pages = Paginator(ordered, PAGE_SIZE).get_page(request.GET.get("page"))
    why = Explainer(page.plan, page.asked.query | ({"country": country.pk} if country else {}))
    context = {
        "page": page,
        "country": country,
        "table": make_table(slug, rows, why, shown=list(pages.object_list)),
        "pages": pages,
        "default_sort": "-funded" if slug == "donors" else "-required",
        "identities": [(KINDS[slug].title, rollups.identity(rows))],
        "has_identity": slug not in {"donors", "partners"},
    }
    return render(request, "funding/plan_rows.html", context, status=page.asked.status)


@login_not_required
@require_safe
@conditional_page
def plan_table(request: HttpRequest, code: str, table: str) -> HttpResponse:
    """One table of a plan as a CSV file: every row, and the total as the last."""
    page, slug = open_plan(request, code), _kind_of(table)
    if page.asked.problems:
        return refusal(page.asked.problems)
    rows, country = _rows(request, page, slug)
    rows = in_order(slug, rows)
    names = Names(rows)
    parts = (*(["place"] if country else []), *KINDS[slug].names)
    head = ["plan_code", "year", "version", "as_of", "kind"]
    head += [column for part in parts for column in (f"{part}_code", part)] + list(FIGURE_COLUMNS)
    about = [page.plan.code, page.asked.year, page.version.label if page.version else None, page.as_of]

    def lines():
        for row in rows:
            named = [names.of(row, part) for part in parts]
            words = [value for name in named for value in (name.code, name.text)]
            yield [*about, row.special or "row", *words, *figure_cells(row)]
        identity = rollups.identity(rows)
        cells = figure_cells(rollups.add(rows))[:-3] + [identity.unmet, identity.over, identity.without_requirement]
        yield [*about, "total", *([None, None] * len(parts)), *cells]

    name = "-".join([page.plan.code, str(page.asked.year), *([country.pk] if country else []), slug])
    return csv_answer(name, head, lines())
