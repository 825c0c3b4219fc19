"""The account that an import gives: what became of every row read, and everything that was not known before."""

from collections import Counter
from typing import Any

from funding.imports.texts import text
from rrp_portal.jobs.models import Job, JobRow

Outcome = JobRow.Outcome
BATCH = 2000
LONGEST = 500  # of what is quoted from a file


class Unaccounted(RuntimeError):
    """The outcomes do not add up to the rows read: a mistake in the import itself, which must not be kept."""


class RowRefused(Exception):
    """One row cannot be taken; the message id and its values say why. The rest of the file is."""

    def __init__(self, text: str, **values: Any) -> None:
        super().__init__(text)
        self.text, self.values = text, values


class Report:
    """Counts outcomes and writes the rows worth reading, in batches, beside the data they are about."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._rows: list[JobRow] = []
        self._counts: Counter[str] = Counter()
        self._noted: set[tuple[str, str, str]] = set()
        self._facts: list[dict[str, Any]] = []
        self.read = 0
        self.file = ""

    def row(
        self, outcome: str, subject: str, sentence: str = "", *, line: int | None = None, file: str = "", **values: Any
    ) -> None:
        """Count one input row; it stands in the report where there is something to say about it."""
        self._counts[outcome] += 1
        if sentence:
            self._add(outcome, subject, sentence, line, file, values)

    def note(self, subject: str, sentence: str, *, line: int | None = None, file: str = "", **values: Any) -> None:
        """Something to check that is not an input row of its own: said once, however often it comes up."""
        key = (subject, sentence, repr(sorted(values.items())))
        if key not in self._noted:
            self._noted.add(key)
            self._add(Outcome.NOTED, subject, sentence, line, file, values)

    def fact(self, text: str, **values: Any) -> None:
        """One sentence about the import as a whole."""
        self._facts.append({"text": text, "values": values})

    def _add(
        self, outcome: str, subject: str, sentence: str, line: int | None, file: str, values: dict[str, Any]
    ) -> None:
        values = {name: value if isinstance(value, int) else text(value)[:LONGEST] for name, value in values.items()}
        file = file or self.file
        self._rows.append(
            JobRow(
                job=self._job,
                outcome=outcome,
                file=file,
                line=line,
                subject=text(subject)[:255],
                text=sentence,
                values=values,
            )
        )
        if len(self._rows) >= BATCH:
            self._flush()

    def _flush(self) -> None:
        JobRow.objects.bulk_create(self._rows)
        self._rows = []

    @property
    def done(self) -> int:
        """How many rows have an outcome so far."""
        return sum(self._counts.values())

    def close(self) -> dict[str, Any]:
        """Write what is left; returns the job's result. Raises Unaccounted when a row was lost on the way."""
        self._flush()
        if self.done != self.read:
            raise Unaccounted(f"{self.read} rows were read and {self.done} accounted for")
        counts = {outcome: self._counts[outcome] for outcome in Outcome.values if outcome != Outcome.NOTED}
        return {"read": self.read, "counts": counts, "noted": len(self._noted), "facts": self._facts}
