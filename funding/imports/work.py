"""The work of an import job: its files one after the other, every row with an outcome, all of it in the job's one transaction."""

from collections.abc import Callable
from contextlib import ExitStack
from datetime import date
from typing import Any

from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from funding.imports import reading
from funding.imports.cells import RowLeftOut, are_global, grouped_cells, read_cell
from funding.imports.drafts import Drafting
from funding.imports.files import check_size, refuse
from funding.imports.hdx import read_csv_flow
from funding.imports.mapping import FtsFlow, read_flow, whole
from funding.imports.published import Published, settle_basis
from funding.imports.reading import FLOW_KINDS, Kind, Row, Source
from funding.imports.report import Outcome, Report, RowRefused
from funding.imports.writing import Writer
from rrp_portal.jobs.models import Job
from rrp_portal.jobs.services import Progress
from rrp_portal.reference.models import GlobalCluster

ONE_AT_A_TIME = 7_026_001  # the number of the advisory lock that lets imports wait for each other
MOST_REQUIREMENT_ROWS = 100_000

UNREADABLE_FLOW = gettext_noop("A flow")
UNREADABLE_ROW = gettext_noop("A row")


def import_files(job: Job, progress: Progress) -> dict[str, Any]:
    """Import the files of a job; returns the account of every row. Raises Refusal for a file that cannot be read whole."""
    with ExitStack() as stack:
        sources = [_open(kept, stack) for kept in job.files.order_by("pk")]
        progress(0, None, _("waiting for another import to end"))
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [ONE_AT_A_TIME])
        return Import(job, progress).run(reading.in_reading_order(sources))


def _open(kept: Any, stack: ExitStack) -> Source:
    check_size(kept.name, kept.file.size)
    return reading.recognise(stack.enter_context(kept.file.open("rb")), kept.name)


class Import:
    """One import: what its files share."""

    def __init__(self, job: Job, progress: Progress) -> None:
        arguments = job.arguments
        self._progress = progress
        self._plan_fts_id: int | None = arguments.get("plan")
        self._year: int | None = arguments.get("year")
        self._is_complete: bool = bool(arguments.get("complete"))
        as_of = arguments.get("as_of")
        self._report = Report(job)
        self._drafting = Drafting(self._report)
        self._writer = Writer(self._report, self._drafting)
        self._published = Published(
            self._report, self._drafting, date.fromisoformat(as_of) if as_of else timezone.localdate()
        )
        self._done = 0
        self._total = 0

    def run(self, sources: list[Source]) -> dict[str, Any]:
        """Read the sources in order; returns the job's result."""
        self._total = sum(_size(source) for source in sources)
        published: set[tuple[int, int]] = set()
        for source in sources:
            self._report.file = source.name
            if source.kind in FLOW_KINDS:
                self._read_flows(source)
            else:
                self._read_published(source)
                published |= self._published.write()
            self._done += _size(source)
        self._writer.finish()
        self._report.file = ""
        if self._is_complete:
            self._writer.tell_vanished(self._plan_fts_id, self._year)
        settle_basis(published | self._writer.plan_years)
        self._progress(self._total, self._total, _("writing the report"))
        return self._report.close()

    def _read_flows(self, source: Source) -> None:
        read: Callable[[dict[str, Any]], FtsFlow] = read_flow
        if source.kind is Kind.CSV_FLOWS:
            names = self._drafting.sectors.global_names

            def read(row: dict[str, Any]) -> FtsFlow:
                return read_csv_flow(row, names)

        step = _("reading %(file)s") % {"file": source.name}
        for row in reading.read_flows(source):
            self._flow(row, read, source)
            if self._report.read % 100 == 0:
                self._progress(self._done + source.file.tell(), self._total, step)
        self._writer.flush()

    def _flow(self, row: Row, read: Callable[[dict[str, Any]], FtsFlow], source: Source) -> None:
        line, values = row
        self._report.read += 1
        try:
            flow = read(values)
        except RowRefused as refusal:
            subject = f"FTS {values['id']}" if values.get("id") else UNREADABLE_FLOW
            self._report.row(Outcome.REFUSED, subject, refusal.text, line=line, **refusal.values)
            return
        flow.line, flow.file = line, source.name
        self._writer.add(flow)

    def _read_published(self, source: Source) -> None:
        self._progress(self._done, self._total, _("reading %(file)s") % {"file": source.name})
        if source.kind is Kind.GROUPED:
            self._read_grouped(source)
            return
        rows = []
        for row in reading.read_requirements(source):
            rows.append(row)
            if len(rows) > MOST_REQUIREMENT_ROWS:
                reason = _("The portal reads at most %(most)s rows of requirements at once. Split the file.")
                raise refuse(source.name, reason % {"most": MOST_REQUIREMENT_ROWS}, row[0])
        by_global_cluster = source.is_by_global_cluster or are_global(
            (_cluster_id(values) for _line, values in rows), GlobalCluster.objects.values_list("fts_id", flat=True)
        )
        for line, values in rows:
            self._cell(line, values, source, by_global_cluster)

    def _cell(self, line: int | None, values: dict[str, Any], source: Source, by_global_cluster: bool) -> None:
        self._report.read += 1
        subject = (
            " · ".join(filter(None, [values.get("name"), values.get("year"), values.get("cluster")])) or UNREADABLE_ROW
        )
        try:
            cell = read_cell(values, by_global_cluster=by_global_cluster)
        except RowLeftOut as reason:
            self._report.row(Outcome.IGNORED, subject, str(reason), line=line)
        except RowRefused as refusal:
            self._report.row(Outcome.REFUSED, subject, refusal.text, line=line, **refusal.values)
        else:
            cell.line, cell.file = line, source.name
            self._published.add(cell)

    def _read_grouped(self, source: Source) -> None:
        data = reading.read_grouped(source)
        fts_id = source.plan_fts_id or self._plan_fts_id
        if fts_id is None:
            reason = _(
                "The answer does not say which plan it is for. Put the FTS plan id into the file's name: planid-929.json."
            )
            raise refuse(source.name, reason)
        plan = self._drafting.plans.known(fts_id)
        if plan is None:
            reason = _(
                "The FTS plan %(plan)s is not known here. Import its flows or its requirements by country as well."
            )
            raise refuse(source.name, reason % {"plan": fts_id})
        year = self._year if self._year in plan.years else plan.starts_on.year
        try:
            for subject, found in grouped_cells(data, fts_id, year or plan.starts_on.year):
                self._report.read += 1
                if isinstance(found, str):
                    self._report.row(Outcome.IGNORED, subject, found)
                else:
                    found.name, found.file = plan.name, source.name
                    self._published.add(found)
        except RowRefused as refusal:
            raise refuse(source.name, _(refusal.text) % refusal.values) from None


def _cluster_id(values: dict[str, Any]) -> int | None:
    try:
        return whole(values.get("clusterCode"))
    except RowRefused:
        return None


def _size(source: Source) -> int:
    return int(source.file.seek(0, 2))
