"""Lists as CSV: flat columns, text that a spreadsheet cannot run, and rows written while they are read."""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from rest_framework.renderers import BaseRenderer

NUMBER = re.compile(r"[-+]?\d+(\.\d+)?\Z")
STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
MAX_ROWS = 100_000


class _Line:
    """A file that returns what is written to it, one line at a time."""

    def write(self, text: str) -> str:
        return text


def cell(value: Any) -> str:
    """The value as a cell: lists joined by semicolons, text that looks like a formula preceded by an apostrophe."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        value = "; ".join(
            ", ".join(map(str, item.values())) if isinstance(item, Mapping) else str(item) for item in value
        )
    text = str(value)
    return f"'{text}" if text.startswith(STARTS_A_FORMULA) and not NUMBER.match(text) else text


def flat(row: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """The row with objects inside it spread over columns: {"lead": {"id": 1}} becomes {"lead_id": 1}."""
    columns: dict[str, Any] = {}
    for name, value in row.items():
        if isinstance(value, Mapping):
            columns |= flat(value, f"{prefix}{name}_")
        else:
            columns[prefix + name] = value
    return columns


def lines(rows: Iterable[Mapping[str, Any]], columns: Iterable[str] | None = None) -> Iterator[str]:
    """The rows as lines of CSV under a line of column names: those given, or those of the first row."""
    writer = csv.writer(_Line())
    names = list(columns) if columns else None
    if names:
        yield writer.writerow(names)
    for row in map(flat, rows):
        if names is None:
            names = list(row)
            yield writer.writerow(names)
        yield writer.writerow([cell(row.get(name)) for name in names])


def portions(written: Iterator[str], size: int = 500) -> Iterator[str]:
    """The lines in portions: each is sent, and compressed, at once."""
    while portion := "".join(islice(written, size)):
        yield portion


class CSVRenderer(BaseRenderer):
    """One object, one page or one refusal as CSV; whole lists are written by `resources.Listed`."""

    media_type = "text/csv"
    format = "csv"
    charset = "utf-8"

    def render(self, data, accepted_media_type=None, renderer_context=None) -> bytes:
        """The bytes of the file."""
        if not data:
            return b""
        columns = None
        if isinstance(data, Mapping) and "results" in data:
            view = (renderer_context or {}).get("view")
            columns = view.csv_columns() if hasattr(view, "csv_columns") else None
            rows = data["results"]
        elif isinstance(data, Mapping) and "errors" in data and "type" in data:
            rows = [{"type": data["type"]} | error for error in data["errors"]]
        else:
            rows = [data] if isinstance(data, Mapping) else data
        return "".join(lines(rows, columns)).encode()
