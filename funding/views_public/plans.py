"""The funding page of a plan, its tables in full, and the same as files."""

from django.contrib.auth.decorators import login_not_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import conditional_page, require_safe

from funding import findings, rollups
from funding.models import PublishedTotal
from funding.rollups import FigureRow
from funding.tables import KINDS, Names, Table, in_order, make_table
from funding.views_public.files import FIGURE_COLUMNS, csv_answer, figure_cells, refusal
from funding.views_public.matrix import make_matrix
from funding.views_public.plan_year import PlanPage, open_plan
from rrp_portal.formats import number, percent, usd_short
from rrp_portal.reference.models import Organisation, OrganisationType

SHOWN = {"partners": 10, "donors": 10}  # the plan page shows the largest; the rest stand on the table's own page
PAGE_SIZE = 50
ON_THE_PAGE = ("sectors", "countries", "partners", "donors")
OPENED = ("total", "country", "sector", "partner", "donor", "country_sector")


@login_not_required
@require_safe
def plan_detail(request: HttpRequest, code: str) -> HttpResponse:
    """What a plan requires in a year and what has come, by country, sector, partner and donor."""
    page = open_plan(request, code)
    levels = rollups.read(page.plan.pk, page.asked.year, OPENED, page.asked.as_of)
    total = levels["total"][0] if levels["total"] else FigureRow(page.plan.pk, page.asked.year, "total")
    shown = {slug: in_order(slug, levels[KINDS[slug].level])[: SHOWN.get(slug)] for slug in ON_THE_PAGE}
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
        "key_figures": _key_figures(page, total, levels["partner"]),
        "identities": [
            (KINDS[slug].title, rollups.identity(levels[KINDS[slug].level]))
            for slug in ("countries", "sectors", "matrix")
        ],
        "parts": _parts(page, total),
        "published": _published(page, total),
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


def _key_figures(page: PlanPage, total: FigureRow, partners: list[FigureRow]) -> list[dict]:
    why, version = page.explainer, page.version
    appealing = [row.partner_id for row in partners if row.required > 0 and row.partner_id]
    original = _("%(amount)s in the first version") % {"amount": usd_short(total.original)}
    keys = [
        {
            "value": total.required,
            "label": _("USD required"),
            "href": why.address({}, "required"),
            "note": original if total.original != total.required else "",
        },
        {
            "value": total.funded,
            "label": _("USD funded"),
            "href": why.address({}, "funded"),
            "note": _("%(amount)s of it paid") % {"amount": usd_short(total.paid)},
        },
        {"value": total.coverage, "kind": "percent", "label": _("covered"), "href": why.address({}, "coverage")},
        {"value": total.net_gap, "label": _("USD net gap"), "href": why.address({}, "net_gap")},
    ]
    if version is not None and version.people_targeted is not None:
        in_need = {"number": number(version.people_in_need)}
        note = _("of %(number)s in need") % in_need if version.people_in_need else ""
        keys.append({"value": version.people_targeted, "kind": "number", "label": _("people targeted"), "note": note})
    if appealing:
        local = Organisation.objects.filter(
            pk__in=appealing, type__localisation=OrganisationType.Localisation.LOCAL
        ).count()
        note = _("%(count)s of them local or refugee-led") % {"count": local} if local else ""
        keys.append({"value": len(appealing), "kind": "number", "label": _("partners that appeal"), "note": note})
    return keys


def _parts(page: PlanPage, total: FigureRow) -> list[dict]:
    """What the funding is made of, each part with the address of its rows and a sentence."""
    flexible = _("Unearmarked or softly earmarked; %(percent)s of the funding.") % {
        "percent": percent(total.flexible_share, 2)
    }
    parts = [
        ("paid", _("Paid"), ""),
        ("committed", _("Committed, not yet paid"), ""),
        ("pledged", _("Pledged"), _("Not counted until it is committed or paid.")),
        ("new_money", _("New money"), _("Without carry-over and allocations from pooled or unearmarked income.")),
        (
            "carry_over",
            _("Carried over"),
            _("Left from an earlier year; counted in this year, and once over all years."),
        ),
        ("in_kind", _("In kind"), _("At the value the giver declared.")),
        ("flexible", _("Flexible"), flexible),
    ]
    why = page.explainer
    return [
        {"value": getattr(total, measure), "href": why.address({}, measure), "label": label, "note": note}
        for measure, label, note in parts
        if measure in {"paid", "committed", "pledged"} or getattr(total, measure)
    ]


def _published(page: PlanPage, total: FigureRow) -> dict | None:
    """What OCHA published for the plan-year, beside what the portal counts; only for today's figures."""
    if page.asked.as_of or not page.plan.fts_id:
        return None
    row = (
        PublishedTotal.objects.filter(plan=page.plan, year=page.asked.year, dimension="total")
        .order_by("-as_of")
        .first()
    )
    if row is None:
        return None
    pairs = (("funded", total.funded, row.funded_usd), ("required", total.required, row.required_usd))
    return {"row": row} | {f"{name}_difference": ours - theirs for name, ours, theirs in pairs if theirs is not None}


def _kind_of(table: str) -> str:
    if table not in KINDS:
        raise Http404
    return table


@login_not_required
@require_safe
def plan_rows(request: HttpRequest, code: str, table: str) -> HttpResponse:
    """One table of a plan in full: sorted by any column, in pages."""
    page, slug = open_plan(request, code), _kind_of(table)
    level = KINDS[slug].level
    rows = rollups.read(page.plan.pk, page.asked.year, [level], page.asked.as_of)[level]
    sort = request.GET.get("sort", "")
    by_name = sort.removeprefix("-") in KINDS[slug].names
    ordered = in_order(slug, rows, sort, Names(rows) if by_name else None)
    pages = Paginator(ordered, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "table": make_table(slug, rows, page.explainer, shown=list(pages.object_list)),
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
    level = KINDS[slug].level
    rows = in_order(slug, rollups.read(page.plan.pk, page.asked.year, [level], page.asked.as_of)[level])
    names = Names(rows)
    parts = KINDS[slug].names
    head = ["plan_code", "year", "version", "as_of", "kind"]
    head += [column for part in parts for column in (f"{part}_code", part)] + list(FIGURE_COLUMNS)
    about = [page.plan.code, page.asked.year, page.version.label if page.version else None, page.as_of]

    def lines():
        for row in rows:
            named = [names.of(row, part) for part in parts]
            words = [value for name in named for value in (name.code, name.text)]
            yield [*about, row.special or "row", *words, *figure_cells(row)]
        total = rollups.total(page.plan.pk, page.asked.year, page.asked.as_of)
        identity = rollups.identity(rows)
        cells = figure_cells(total)[:-3] + [identity.unmet, identity.over, identity.without_requirement]
        yield [*about, "total", *([None, None] * len(parts)), *cells]

    return csv_answer(f"{page.plan.code}-{page.asked.year}-{slug}", head, lines())
