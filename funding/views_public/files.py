"""CSV answers: a header row, text that a spreadsheet cannot take for a formula, amounts as plain decimals."""

import csv
from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal

from django.http import HttpResponse, StreamingHttpResponse

from funding import rollups
from funding.rollups import FigureRow

MEASURES = ("required", "original", "funded", "paid", "committed", "pledged", "in_kind", "carry_over", "new_money", "flexible",
            "incoming", "received", "passed_on")  # fmt: skip
FIGURE_COLUMNS = (
    *(f"{measure}_usd" for measure in MEASURES),
    "coverage_percent",
    "net_gap_usd",
    "unmet_usd",
    "over_funding_usd",
    "without_requirement_usd",
)


def cell(value) -> str:
    """A value as a file holds it: no text begins like a formula, a missing value is empty."""
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return f"{value:.2f}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, date | datetime):
        return value.isoformat()
    text = str(value)
    return f"'{text}" if text.lstrip().startswith(("=", "+", "-", "@")) or text.startswith(("\t", "\r")) else text


def figure_cells(row: FigureRow) -> list:
    """The figures of a row in the order of `FIGURE_COLUMNS`: US dollars, and coverage with two decimals (BR-20)."""
    amounts = [getattr(row, measure) for measure in MEASURES]
    coverage = None if row.special else rollups.percent_2dp(row.coverage)
    return [*amounts, coverage, row.net_gap, row.unmet, row.over, row.without_requirement]


class _Echo:
    """A file that gives back what is written to it, so that rows are sent as they are made."""

    def write(self, text: str) -> str:
        return text


def csv_answer(
    name: str, head: Iterable[str], rows: Iterable[Iterable], *, stream: bool = False
) -> HttpResponse | StreamingHttpResponse:
    """A CSV file to download; `stream` sends it while it is made, for files of unknown length."""
    writer = csv.writer(_Echo())
    lines = (
        (writer.writerow([cell(value) for value in row]) for row in (head, *rows))
        if not stream
        else _lines(writer, head, rows)
    )
    answer: HttpResponse | StreamingHttpResponse
    answer = StreamingHttpResponse(lines) if stream else HttpResponse("".join(lines))
    answer["Content-Type"] = "text/csv; charset=utf-8"
    answer["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return answer


def _lines(writer, head: Iterable[str], rows: Iterable[Iterable]):
    yield writer.writerow(head)
    for row in rows:
        yield writer.writerow([cell(value) for value in row])


def refusal(problems: list[str]) -> HttpResponse:
    """What a file's address answers when it asks for something that does not exist: the sentences, and no file."""
    return HttpResponse("\n".join(problems) + "\n", content_type="text/plain; charset=utf-8", status=422)
