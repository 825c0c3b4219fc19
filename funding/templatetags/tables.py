"""Rows of figures written at once: a table has hundreds of cells, and each template tag costs more than the figure in it."""

from collections.abc import Iterable

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from funding.tables import Cell
from funding.views_public.matrix import MatrixCell
from rrp_portal.templatetags.portal import figure, shade

register = template.Library()


@register.simple_tag
def figure_cells(cells: Iterable[Cell]) -> SafeString:
    """The figures of a row, each in its cell with a dotted link to the rows it is made of."""
    return mark_safe("".join(f'<td class="num">{figure(*cell)}</td>' for cell in cells))  # noqa: S308  figure() escapes


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
