"""Telling the kinds of files apart by what stands in them, and reading their rows one by one."""

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any, BinaryIO

import ijson
from django.utils.translation import gettext as _

from funding.imports.files import lines_of, opened, refuse
from rrp_portal.jobs.services import Refusal

Row = tuple[int | None, dict[str, Any]]

FLOW_COLUMNS = frozenset({"id", "amountUSD", "status", "flowType", "destPlanId", "srcOrganization", "boundary"})
REQUIREMENT_COLUMNS = frozenset({"countryCode", "id", "name", "year", "requirements", "funding"})
SECTOR_COLUMNS = REQUIREMENT_COLUMNS | {"clusterCode", "cluster"}
EXACT_PLACE_UP_TO = 32 * 1024 * 1024
LARGEST_GROUPED = 8 * 1024 * 1024


class Kind(StrEnum):
    """What a file holds; in the order in which several files of one import are read."""

    FLOWS = "flows"
    FLOW_LINES = "flow_lines"
    CSV_FLOWS = "csv_flows"
    GROUPED = "grouped"
    COUNTRY_REQUIREMENTS = "country_requirements"
    SECTOR_REQUIREMENTS = "sector_requirements"


FLOW_KINDS = (Kind.FLOWS, Kind.FLOW_LINES, Kind.CSV_FLOWS)


@dataclass(frozen=True, slots=True)
class Source:
    """One file of an import: what it holds, and what its name says about the question FTS was asked."""

    file: BinaryIO
    name: str
    kind: Kind
    prefix: str = ""

    @property
    def plan_fts_id(self) -> int | None:
        """The plan that the file's name states, as in `planid-929`: a grouped answer does not say it inside."""
        found = re.search(r"plan[-_]?id[-_=]?(\d+)", self.name, re.IGNORECASE)
        return int(found[1]) if found else None

    @property
    def is_by_global_cluster(self) -> bool:
        """Whether the name says that rows are by global cluster, which cut across the plan's own sectors."""
        return "globalcluster" in self.name.lower()


def recognise(file: BinaryIO, name: str) -> Source:
    """What the file holds, read from its first bytes; raises Refusal with the line and the reason."""
    with opened(file, name) as stream:
        start = stream.peek(64)[:64].lstrip()
        if start[:1] in {b"{", b"["}:
            return _json_source(stream, file, name)
        header = next(csv.reader([next((text for _number, text in lines_of(stream, name)), "")]), [])
    columns = frozenset(header)
    for wanted, kind in (
        (FLOW_COLUMNS, Kind.CSV_FLOWS),
        (SECTOR_COLUMNS, Kind.SECTOR_REQUIREMENTS),
        (REQUIREMENT_COLUMNS, Kind.COUNTRY_REQUIREMENTS),
    ):
        if wanted <= columns:
            return Source(file, name, kind)
    reason = _(
        "This is none of the files the portal knows: FTS answers (JSON), one flow a line (JSON lines), or the CSV files "
        "of the Humanitarian Data Exchange with flows or requirements. Its first line reads “%(start)s”."
    )
    raise refuse(name, reason % {"start": ", ".join(header)[:100]}, 1)


def _json_source(stream: io.BufferedReader, file: BinaryIO, name: str) -> Source:
    try:
        for prefix, event, value in ijson.parse(stream, multiple_values=True):
            if event == "map_key" and prefix in {"", "item"} and value in {"sourceObjects", "amountUSD"}:
                return Source(file, name, Kind.FLOWS, "item") if prefix else Source(file, name, Kind.FLOW_LINES)
            if event == "start_array" and prefix in {"data.flows", "flows"}:
                return Source(file, name, Kind.FLOWS, f"{prefix}.item")
            if event == "start_map" and prefix in {"data.requirements", "data.report3"}:
                return Source(file, name, Kind.GROUPED)
            if event == "string" and (prefix, value) == ("status", "error"):
                raise refuse(name, _("FTS answered with an error instead of data. Ask it again."))
    except ijson.JSONError:
        raise _broken(file, name, 0) from None
    raise refuse(name, _("The JSON holds neither flows nor requirements as FTS answers them."))


def _broken(file: BinaryIO, name: str, done: int) -> Refusal:
    """The refusal of JSON that cannot be read, with the line where it breaks unless the file is too large to look again."""
    reason = _("The JSON is broken or cut off after %(count)s flows. Get the file again.") % {"count": done}
    line = None
    with opened(file, name) as stream:
        text = stream.read(EXACT_PLACE_UP_TO + 1)
    if len(text) <= EXACT_PLACE_UP_TO:
        try:
            json.loads(text)
        except json.JSONDecodeError as error:
            line = error.lineno
        except (ValueError, RecursionError):
            pass
    return refuse(name, reason, line)


def read_flows(source: Source) -> Iterator[Row]:
    """The flows of a file as (line or None, object); raises Refusal when the file is broken."""
    with opened(source.file, source.name) as stream:
        if source.kind is Kind.CSV_FLOWS:
            yield from _csv_rows(stream, source.name)
        elif source.kind is Kind.FLOW_LINES:
            yield from _json_lines(stream, source.name)
        else:
            yield from _json_pages(stream, source)


def _json_lines(stream: io.BufferedReader, name: str) -> Iterator[Row]:
    for number, text in lines_of(stream, name):
        try:
            value = json.loads(text, parse_float=Decimal, parse_constant=_no_number)
        except (ValueError, RecursionError):
            reason = _("This line is not a whole JSON object. The file is broken or cut off; get it again.")
            raise refuse(name, reason, number) from None
        if not isinstance(value, dict):
            raise refuse(name, _("This line is not a flow."), number)
        yield number, value


def _no_number(text: str) -> None:
    raise ValueError(text)


def _json_pages(stream: io.BufferedReader, source: Source) -> Iterator[Row]:
    done = 0
    try:
        for value in ijson.items(stream, source.prefix, multiple_values=True):
            if not isinstance(value, dict):
                raise refuse(source.name, _("The list of flows holds something else than flows."))
            done += 1
            yield None, value
    except ijson.JSONError:
        raise _broken(source.file, source.name, done) from None


def _csv_rows(stream: io.BufferedReader, name: str) -> Iterator[Row]:
    reader = csv.reader(io.TextIOWrapper(stream, encoding="utf-8", newline=""), strict=True)
    header: list[str] = []
    try:
        for cells in reader:
            if not cells:
                continue
            if not header:
                header = cells
                continue
            if len(cells) != len(header):
                reason = _("This row has %(found)s columns instead of %(wanted)s. The file is damaged or cut off.")
                raise refuse(name, reason % {"found": len(cells), "wanted": len(header)}, reader.line_num)
            yield reader.line_num, dict(zip(header, (cell.strip() for cell in cells), strict=True))
    except csv.Error:
        raise refuse(name, _("The CSV is broken here: check the quotes."), reader.line_num) from None


def read_requirements(source: Source) -> Iterator[Row]:
    """The rows of a CSV with requirements."""
    with opened(source.file, source.name) as stream:
        yield from _csv_rows(stream, source.name)


def read_grouped(source: Source) -> dict[str, Any]:
    """A grouped answer of FTS, whole: it has a few hundred objects at most."""
    with opened(source.file, source.name) as stream:
        try:
            text = stream.read(LARGEST_GROUPED + 1)
            if len(text) > LARGEST_GROUPED:
                raise refuse(source.name, _("This is too large for an answer of FTS that is grouped by cluster."))
            answer = json.loads(text, parse_float=Decimal, parse_constant=_no_number)
        except json.JSONDecodeError as error:
            raise refuse(source.name, _("The JSON is broken or cut off. Get the file again."), error.lineno) from None
        except (ValueError, RecursionError):
            raise refuse(source.name, _("The JSON is broken. Get the file again.")) from None
    data = answer.get("data") if isinstance(answer, dict) else None
    if not isinstance(data, dict):
        raise refuse(source.name, _("The JSON holds neither flows nor requirements as FTS answers them."))
    return data


def in_reading_order(sources: Iterable[Source]) -> list[Source]:
    """Flows first, which name their plans; then original requirements; then the revised ones of the CSV files."""
    order = list(Kind)
    return sorted(sources, key=lambda source: (order.index(source.kind), source.name))
