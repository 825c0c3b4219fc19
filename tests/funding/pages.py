"""Reading pages and files as a reader does: the cells of tables, the rows of files."""

import csv
import io
from html.parser import HTMLParser


class _Tables(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tables, self._row, self._cell, self._table, self._small = {}, None, None, None, 0

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag == "table":
            self._table = []
        elif tag == "caption":
            self.tables[attributes.get("id", "")] = self._table
        elif tag == "tr":
            self._row = []
            self._table.append(self._row)
        elif tag in {"td", "th"} and self._row is not None:
            self._cell = ""
        elif tag == "small" or "tag" in (attributes.get("class") or "").split() or self._small:
            self._small += 1

    def handle_endtag(self, tag):
        if self._small:
            self._small -= 1
        elif tag in {"td", "th"} and self._cell is not None:
            self._row.append(" ".join(self._cell.split()))
            self._cell = None

    def handle_data(self, data):
        if self._cell is not None and not self._small:
            self._cell += data


def tables_of(response) -> dict[str, list[list[str]]]:
    """The tables of a page by the id of their caption: rows of cells, without small print and tags."""
    parser = _Tables()
    parser.feed(response.content.decode())
    return parser.tables


def rows_of(response, table) -> dict[str, list[str]]:
    """The rows of one table by their first cell."""
    return {row[0]: row[1:] for row in tables_of(response)[table]}


def csv_of(response) -> list[dict[str, str]]:
    """The rows of a CSV file."""
    content = b"".join(response.streaming_content) if response.streaming else response.content
    return list(csv.DictReader(io.StringIO(content.decode())))


def addresses(kivara) -> list[str]:
    """The public pages of the portal, those of plans for the worked one."""
    plan = "/plans/RTST26/"
    return [
        "/",
        plan,
        *(f"{plan}{table}/" for table in ("countries", "sectors", "partners", "donors", "matrix", "lines")),
        f"{plan}explain/?year=2026&measure=funded",
        f"{plan}explain/?year=2026&measure=coverage&country=XAA",
        "/countries/",
        "/countries/XAA/",
        "/organisations/",
        f"/organisations/{kivara.who['UN-A'].pk}/",
        "/donors/",
        f"/donors/{kivara.who['Gov X'].pk}/",
        "/methodology/",
        "/data/",
    ]
