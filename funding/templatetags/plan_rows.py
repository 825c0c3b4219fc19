"""Rows of plans and of plan-years written at once: a page has fifty, and each template tag costs more than the figure in it."""

from collections.abc import Iterable, Sequence
from html import escape

from django import template
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from funding.rollups import FigureRow
from funding.tables import Cell
from planning.models import Plan
from rrp_portal.addresses import address
from rrp_portal.formats import NO_VALUE, day, style
from rrp_portal.templatetags.portal import bar, written

register = template.Library()

RECEIVED = ("incoming", "received", "passed_on", "funded")
GIVEN = ("funded", "paid", "committed", "pledged")


class Writer:
    """Writes the rows of one table: how the reader writes figures, and the words that rows repeat, are looked up once."""

    def __init__(self) -> None:
        self.style = style()
        self.words = {
            "demo": _tag(_("demonstration"), "demo"),
            "unpublished": _tag(_("not published"), "warn"),
            "reference": _tag(_("for reference")),
            "over": _tag(_("over-funded"), "over"),
            "no_version": escape(_("no approved version")),
        }
        self.types = {kind.value: escape(kind.label) for kind in Plan.Type}

    def tags(self, plan: Plan) -> str:
        """What has to be known about a plan beside its name."""
        demo = self.words["demo"] if plan.is_demonstration else ""
        unpublished = "" if plan.published_on else self.words["unpublished"]
        return demo + unpublished + (self.words["reference"] if plan.is_reference_only else "")

    def name(self, plan: Plan, row: FigureRow, *, shows_over: bool = True) -> str:
        """The plan's name, linked to its page of the row's year, and its tags."""
        over = self.words["over"] if shows_over and row.over else ""
        href = f"{address('plan-detail', plan.code)}?year={row.year}"
        return f'<a href="{escape(href)}">{escape(plan.local_name)}</a>{self.tags(plan)}{over}'

    def figure(self, value, href: str, kind: str = "usd") -> str:
        """The cell of a figure with its link."""
        return f'<td class="num">{written(self.style, value, href, kind)}</td>'

    def needed(self, row: FigureRow, measure: str, why: str) -> str:
        """The cell of a figure that says something only where money is required."""
        if row.required:
            return self.figure(getattr(row, measure), why + measure)
        return f'<td class="num">{NO_VALUE}</td>'

    def cells(self, cells: Iterable[Cell]) -> str:
        """The cells of figures."""
        return "".join(self.figure(*cell) for cell in cells)


def _tag(words: str, kind: str = "") -> str:
    return f' <span class="tag{" " + kind if kind else ""}">{escape(words)}</span>'


def _bar(row: FigureRow) -> str:
    if not row.required:
        return "<td></td>"
    amounts = {name: getattr(row, name) for name in ("funded", "paid", "committed", "pledged", "required")}
    return f"<td>{bar(**amounts, thin=True)}</td>"


@register.simple_tag
def rows_of_plans(rows: Sequence[dict]) -> SafeString:
    """The plans of a year: names and versions, figures, bars, people targeted, and the day of the figures."""
    write = Writer()
    return mark_safe("".join(_plan(write, **row) for row in rows))  # noqa: S308  every text is escaped


def _plan(write: Writer, plan, figure: FigureRow, version, money, gaps) -> str:
    look = ' class="over"' if figure.over else ' class="out"' if plan.is_reference_only else ""
    label = escape(version.label) if version else write.words["no_version"]
    about = f"<small>{escape(plan.code)} · {write.types.get(plan.type, escape(plan.type))} · {label}</small>"
    return (
        f'\n<tr{look}><th scope="row">{write.name(plan, figure)}{about}</th>{write.cells(money)}{_bar(figure)}{write.cells(gaps)}'
        f'<td class="num">{write.style.number(plan.people)}</td><td class="num"><small>{day(plan.computed_at)}</small></td></tr>'
    )


@register.simple_tag
def rows_of_plan_years(rows: Iterable[dict]) -> SafeString:
    """A country's part of plans by year: what is required, what has come, the bar, and what is missing."""
    write = Writer()
    return mark_safe("".join(_plan_year(write, **row) for row in rows))  # noqa: S308  every text is escaped


def _plan_year(write: Writer, plan: Plan, figure: FigureRow, why: str) -> str:
    return (
        f"{_head(write, plan, figure)}{write.needed(figure, 'required', why)}{write.figure(figure.funded, why + 'funded')}"
        f"{_bar(figure)}{write.figure(figure.coverage, why + 'coverage', 'percent')}{write.needed(figure, 'net_gap', why)}</tr>"
    )


@register.simple_tag
def rows_of_partner(rows: Iterable[dict]) -> SafeString:
    """An organisation as a partner of plans, by year: what it requires, received and passed on."""
    write = Writer()
    return mark_safe("".join(_partner(write, **row) for row in rows))  # noqa: S308  every text is escaped


def _partner(write: Writer, plan: Plan, figure: FigureRow, why: str) -> str:
    money = "".join(write.figure(getattr(figure, measure), why + measure) for measure in RECEIVED)
    covered = write.figure(figure.coverage, why + "coverage", "percent")
    return f"{_head(write, plan, figure)}{write.needed(figure, 'required', why)}{money}{covered}</tr>"


@register.simple_tag
def rows_of_donor(rows: Iterable[dict]) -> SafeString:
    """What an organisation gave to plans, by year."""
    write = Writer()
    return mark_safe("".join(_donor(write, **row) for row in rows))  # noqa: S308  every text is escaped


def _donor(write: Writer, plan: Plan, figure: FigureRow, why: str) -> str:
    money = "".join(write.figure(getattr(figure, measure), why + measure) for measure in GIVEN)
    name = write.name(plan, figure, shows_over=False)
    return f'<tr><th scope="row">{name}</th><td>{figure.year}</td>{money}</tr>'


def _head(write: Writer, plan: Plan, figure: FigureRow) -> str:
    look = ' class="over"' if figure.over else ""
    return f'<tr{look}><th scope="row">{write.name(plan, figure)}</th><td>{figure.year}</td>'
