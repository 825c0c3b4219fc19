"""Reading a CSV file whole or not at all: every problem is told with its file, line and reason."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from django.utils.translation import gettext as _

MAX_BYTES = 200 * 1024 * 1024
MAX_PROBLEMS = 50


@dataclass(frozen=True, slots=True)
class Problem:
    """One reason why a file cannot be taken, and the line it stands in (None: the file as a whole)."""

    file: str
    line: int | None
    reason: str

    def __str__(self) -> str:
        if self.line is None:
            return f"{self.file}: {self.reason}"
        return _("%(file)s, line %(line)s: %(reason)s") % {"file": self.file, "line": self.line, "reason": self.reason}


class FileRefused(Exception):
    """The file was not taken and nothing was changed; `problems` says why, line by line."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = list(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class Problems:
    """The problems of one file as they are found; gives up after fifty."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.found: list[Problem] = []

    def add(self, line: int | None, reason: str) -> None:
        """Note a problem; raises FileRefused with all so far when there are too many to be useful."""
        self.found.append(Problem(self.file, line, str(reason)))
        if len(self.found) >= MAX_PROBLEMS:
            self.found.append(Problem(self.file, None, _("There may be more; reading stopped here.")))
            raise FileRefused(self.found)

    def refuse_if_any(self) -> None:
        """Raise FileRefused when anything was noted."""
        if self.found:
            raise FileRefused(self.found)


def _text(path: Path, name: str) -> str:
    """The file as text, without its byte-order mark; raises FileRefused."""
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            reason = _("The file is larger than %(limit)s MB. Split it and import the parts.") % {
                "limit": MAX_BYTES // 1024**2
            }
            raise FileRefused([Problem(name, None, reason)])
        raw = path.read_bytes()
    except OSError as error:
        reason = _("The file cannot be read: %(reason)s.") % {"reason": error.strerror or error}
        raise FileRefused([Problem(name, None, reason)]) from error
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        reason = _("The file is not encoded in UTF-8. Save it as “CSV UTF-8” and try again.")
        raise FileRefused([Problem(name, raw.count(b"\n", 0, error.start) + 1, reason)]) from error
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise FileRefused([Problem(name, line, _("This is not a text file. Export it as CSV and try again."))])
    return text


def read_rows(path: Path, columns: Sequence[str]) -> list[tuple[int, dict[str, str]]]:
    """The rows of a CSV file with their line numbers, cells trimmed, a row of HXL tags left out.

    Every name in `columns` must stand in the header, whatever its capitals; keys are the names as asked for, other columns are ignored.
    Raises FileRefused when the file is unreadable, not UTF-8, not CSV, empty, or has rows longer or shorter than its header.
    """
    name = path.name
    reader = csv.reader(io.StringIO(_text(path, name), newline=""), strict=True)
    rows: list[tuple[int, dict[str, str]]] = []
    problems = Problems(name)
    try:
        header = [cell.strip().casefold() for cell in next(reader, [])]
        missing = [column for column in columns if column.casefold() not in header]
        if missing:
            problems.add(1, _("The header lacks: %(columns)s.") % {"columns": ", ".join(missing)})
        problems.refuse_if_any()
        places = {column: header.index(column.casefold()) for column in columns}
        begins = reader.line_num + 1
        for cells in reader:
            line, begins = begins, reader.line_num + 1
            if not any(cell.strip() for cell in cells):
                continue
            if not rows and all(cell.startswith("#") for cell in cells if cell):
                continue
            if len(cells) != len(header):
                reason = _("The row has %(cells)s cells and the header %(columns)s; the file may be cut off here.")
                problems.add(line, reason % {"cells": len(cells), "columns": len(header)})
                continue
            rows.append((line, {column: cells[place].strip() for column, place in places.items()}))
    except csv.Error as error:
        problems.add(reader.line_num, _("This line is not valid CSV: %(reason)s.") % {"reason": error})
    problems.refuse_if_any()
    if not rows:
        raise FileRefused([Problem(name, None, _("The file has no rows."))])
    return rows
