"""Rows of figures written at once: a table has hundreds of cells, and each template tag costs more than the figure in it."""

from collections.abc import Iterable
from html import escape

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from funding.names import Name
from funding.tables import Cell, Row
from funding.views_public.matrix import MatrixCell
from rrp_portal.formats import style
from rrp_portal.templatetags.portal import figure, shade, written

register = template.Library()


@register.simple_tag
def figure_cells(cells: Iterable[Cell]) -> SafeString:
    """The figures of a row, each in its cell with a dotted link to the rows it is made of."""
    how = style()
    return mark_safe("".join(f'<td class="num">{written(how, *cell)}</td>' for cell in cells))  # noqa: S308  it escapes


@register.simple_tag
def row_head(row: Row) -> SafeString:
    """What a row is called: the first name as its head, with tags and explaining sentences; further names in cells."""
    first, *others = row.names
    over = f' <span class="tag over">{escape(_("over-funded"))}</span>' if row.figure.over else ""
    notes = "".join(f"<small>{escape(note)}</small>" for note in row.notes)
    cells = "".join(f"<td>{_named(name)}</td>" for name in others)
    return mark_safe(f'<th scope="row">{_named(first)}{over}{notes}</th>{cells}')  # noqa: S308  every text is escaped


def _named(name: Name) -> str:
    return f'<a href="{escape(name.href)}">{escape(name.text)}</a>' if name.href else escape(name.text)


@register.simple_tag
def matrix_cells(cells: Iterable[MatrixCell]) -> SafeString:
    """The cells of a row of the matrix: coverage on its ground, an amount where there is none, or nothing."""
    return mark_safe("".join(map(_matrix_cell, cells)))  # noqa: S308  its parts are escaped


def _matrix_cell(cell: MatrixCell) -> str:
    if cell.percent is not None:
        return format_html(
            '<td class="{}">{}</td>', shade(cell.figure.coverage), figure(cell.percent, cell.href, "number")
        )
    if cell.amount:
        return format_html('<td class="special">{}</td>', figure(cell.amount, cell.href, "short"))
    return "<td></td>"
