"""The page behind every figure: the rows that make it, and the rows that do not, each with its reason."""

from dataclasses import dataclass, field
from decimal import Decimal
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_not_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy, pgettext
from django.views.decorators.http import require_safe

from funding import rollups
from funding.models import Place, SectorSplit
from funding.names import Name, Names
from funding.rollups import Explanation, FigureRow
from funding.views_public.behind import Behind
from funding.views_public.files import csv_answer, refusal
from funding.views_public.plan_year import PlanPage, open_plan

PAGE_SIZE = 50
WHOLE = 1_000_000  # more rows than a plan-year has: a file holds them all

# What a figure is, in one sentence.
MEASURES = {
    "required": (
        gettext_lazy("Required"),
        gettext_lazy("The requirement lines of the version in force, net of what another partner’s budget covers."),
    ),
    "original": (
        gettext_lazy("Originally required"),
        gettext_lazy("The requirement lines of the first approved version."),
    ),
    "funded": (
        gettext_lazy("Funded"),
        gettext_lazy("Money from outside the plan that is committed or paid, less what was passed on."),
    ),
    "paid": (
        gettext_lazy("Paid"),
        gettext_lazy("The part of the funding that has been paid."),
    ),
    "committed": (
        gettext_lazy("Committed"),
        gettext_lazy("The part of the funding that is committed and not yet paid."),
    ),
    "pledged": (
        gettext_lazy("Pledged"),
        gettext_lazy("Announced and not yet committed. It is shown and does not count."),
    ),
    "in_kind": (
        gettext_lazy("In kind"),
        gettext_lazy("Goods and services, at the value that was declared."),
    ),
    "carry_over": (
        gettext_lazy("Carried over"),
        gettext_lazy("Money left from an earlier year. It counts in this year, and once over all years."),
    ),
    "new_money": (
        gettext_lazy("New money"),
        gettext_lazy("The part of the funding that is new: without carry-over and allocations from other income."),
    ),
    "flexible": (
        gettext_lazy("Flexible"),
        gettext_lazy("The part of the funding that is unearmarked or softly earmarked."),
    ),
    "incoming": (
        gettext_lazy("From outside the plan"),
        gettext_lazy("Money that came from outside the plan, before anything was passed on."),
    ),
    "received": (
        gettext_lazy("From partners"),
        gettext_lazy("Money received from other partners of the plan. It changes who holds it, not the plan’s total."),
    ),
    "passed_on": (
        gettext_lazy("Passed on"),
        gettext_lazy("Money passed on to other partners, or out of the plan."),
    ),
}
# Figures that follow from two others.
DERIVED = {
    "net_gap": (
        gettext_lazy("Net gap"),
        gettext_lazy("Required less funded. It is negative where more has come than is required."),
    ),
    "unmet": (
        gettext_lazy("Unmet"),
        gettext_lazy("What is still needed where something is required; never less than zero."),
    ),
    "over": (
        gettext_lazy("Over-funding"),
        gettext_lazy("What has come beyond the requirement."),
    ),
    "coverage": (
        gettext_lazy("Funded, percent"),
        gettext_lazy("Funded as a percentage of required. Where nothing is required there is none."),
    ),
}


@dataclass(frozen=True, slots=True)
class Cell:
    """The cell of a table that is explained: what narrows it, as the ledger knows it, and its names."""

    keys: dict[str, object] = field(default_factory=dict)
    query: dict[str, str] = field(default_factory=dict)
    names: list[Name] = field(default_factory=list)

    @property
    def words(self) -> str:
        """The cell by its names, or that it is the whole plan."""
        return ", ".join(name.text for name in self.names) or pgettext("a cell of a table", "the whole plan")


# What a cell may be narrowed by: by the id of a thing, or by the words for what has none.
PARTS = {"place": "country", "sector": "sector", "partner": "partner", "donor": "donor"}
NAMED_WITHOUT_ID = {"place": ("place",), "sector": ("split",), "partner": ("partner_none",), "donor": ("donor_none",)}


def read_cell(request: HttpRequest, page: PlanPage) -> Cell:
    """The cell that the address names. Raises Http404 where it names what the plan cannot have."""
    given = {
        key: request.GET[key]
        for key in ("place", "country", "split", "sector", "partner", "donor")
        if request.GET.get(key)
    }
    keys: dict[str, object] = {}
    for key, value in given.items():
        if key in {"partner", "donor"} and value == "none":
            keys[f"{key}_none"] = True
        elif key in {"sector", "partner", "donor"}:
            keys[key] = _number(value)
        elif key == "country" or value in (Place.values if key == "place" else SectorSplit.values):
            keys[key] = value
        else:
            raise Http404
    row = FigureRow(
        page.plan.pk, page.asked.year, "cell", str(keys.get("place", "")), keys.get("country"), str(keys.get("split", "")),
        keys.get("sector"), keys.get("partner"), keys.get("donor"),
    )  # fmt: skip
    names, found = Names([row]), []
    for part, by_id in PARTS.items():
        if keys.keys() & {by_id, *NAMED_WITHOUT_ID[part]}:
            found.append(names.of(row, part))
            if by_id in keys and found[-1].note:  # an id that stands for nothing
                raise Http404
    return Cell(keys, given, found)


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 19):
        raise Http404
    return int(text)


@dataclass(frozen=True, slots=True)
class Section:
    """One figure with its rows."""

    measure: str
    explanation: Explanation
    behind: Behind

    @property
    def title(self) -> str:
        """What the figure is called."""
        return str(MEASURES[self.measure][0])

    @property
    def meaning(self) -> str:
        """What the figure is, in one sentence."""
        return str(MEASURES[self.measure][1])

    @property
    def is_requirement(self) -> bool:
        """Whether its rows are requirement lines, which have no donor and no date."""
        return self.measure in {"required", "original"}

    @property
    def rows(self) -> list:
        """The rows that make the figure."""
        return self.behind.rows(self.explanation.parts)

    @property
    def left_out(self) -> list:
        """The rows that do not count."""
        return self.behind.rows(self.explanation.left_out)


@login_not_required
@require_safe
def plan_explain(request: HttpRequest, code: str) -> HttpResponse:
    """The rows behind one figure of a plan, in pages; with ?format=csv all of them as a file."""
    page = open_plan(request, code)
    measure = request.GET.get("measure") or "funded"
    if measure not in MEASURES and measure not in DERIVED:
        raise Http404
    cell = read_cell(request, page)
    measures = [measure] if measure in MEASURES else ["required", "funded"]
    if request.GET.get("format") == "csv":
        return refusal(page.asked.problems) if page.asked.problems else _file(request, page, cell, measures)
    offset = (_page_number(request) - 1) * PAGE_SIZE
    explanations = {name: _explain(page, cell, name, PAGE_SIZE, offset) for name in measures}
    behind = Behind(explanations.values(), request.user)
    value, kind = _value(page, measure, explanations)
    rows = max(max(each.counted_rows, each.left_out_rows) for each in explanations.values())
    context = {
        "page": page,
        "cell": cell,
        "measure": measure,
        "title": str((MEASURES | DERIVED)[measure][0]),
        "meaning": str((MEASURES | DERIVED)[measure][1]),
        "value": value,
        "kind": kind,
        "sections": [Section(name, explanation, behind) for name, explanation in explanations.items()],
        "is_derived": measure in DERIVED,
        "pages": Paginator(range(rows), PAGE_SIZE).get_page(request.GET.get("page")),
        "others": _others(page, cell, measure),
        "hidden": cell.query | {"measure": measure},
    }
    return render(request, "funding/explain.html", context, status=page.asked.status)


def _page_number(request: HttpRequest) -> int:
    text = request.GET.get("page", "1")
    return max(1, int(text)) if text.isascii() and text.isdecimal() and len(text) < 7 else 1


def _explain(page: PlanPage, cell: Cell, measure: str, limit: int, offset: int = 0) -> Explanation:
    return rollups.explain(
        page.plan.pk, page.asked.year, measure, cell.keys, as_of=page.asked.as_of, limit=limit, offset=offset
    )


def _value(page: PlanPage, measure: str, explanations: dict[str, Explanation]) -> tuple[Decimal | None, str]:
    """The figure itself, as it follows from the sums of its rows."""
    if measure in MEASURES:
        return explanations[measure].total, "usd"
    row = FigureRow(
        page.plan.pk,
        page.asked.year,
        "total",
        required=explanations["required"].total,
        funded=explanations["funded"].total,
    )
    return getattr(row, measure), "percent2" if measure == "coverage" else "usd"


def _others(page: PlanPage, cell: Cell, measure: str) -> list[tuple[str, str]]:
    """The other figures of the same cell."""
    names = ["required", "funded", "paid", "committed", "pledged"]
    query = page.asked.query | cell.query
    return [(str(MEASURES[name][0]), f"?{urlencode(query | {'measure': name})}") for name in names if name != measure]


def _file(request: HttpRequest, page: PlanPage, cell: Cell, measures: list[str]) -> HttpResponse:
    explanations = {name: _explain(page, cell, name, WHOLE) for name in measures}
    behind = Behind(explanations.values(), request.user)
    head = ["plan_code", "year", "version", "as_of", "measure", "counts", "kind", "reason", "id", "reference", "date", "donor",
            "recipient_or_partner", "place", "sector", "amount_usd"]  # fmt: skip
    about = [page.plan.code, page.asked.year, page.version.label if page.version else None, page.as_of]

    def lines():
        for name, explanation in explanations.items():
            for row in behind.rows([*explanation.parts, *explanation.left_out]):
                where = [row.donor, row.recipient, row.place, row.sector]
                yield [*about, name, row.part.counts, row.part.kind, row.part.reason, row.part.source_id, row.reference, row.day, *where,
                       row.part.amount]  # fmt: skip

    return csv_answer(f"{page.plan.code}-{page.asked.year}-rows", head, lines(), stream=True)
