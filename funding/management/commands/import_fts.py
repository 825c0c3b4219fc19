"""Imports FTS answers and HDX files, or fetches an FTS plan or year, and prints what became of it."""

from argparse import ArgumentParser
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from django.core.files import File
from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

import funding.tasks  # noqa: F401  registers the job
from funding import rollups
from funding.imports import start_import
from funding.models import StaleMark
from planning.models import Plan
from rrp_portal import formats
from rrp_portal.jobs import services as jobs
from rrp_portal.jobs.models import Job, JobRow

MOST_ROWS = 40
OUTCOMES = ("created", "updated", "unchanged", "ignored", "refused")


class Command(BaseCommand):
    """`manage.py import_fts FILE...`, or `--plan ID` and `--year YEAR` to fetch. The same job as on the page."""

    help = (
        "Imports FTS flows and requirements from files, or fetches a plan (--plan) or a year (--year) from the FTS API."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Files, or what to fetch."""
        parser.add_argument(
            "files", nargs="*", type=Path, metavar="FILE", help="JSON, JSON lines or CSV, also compressed with gzip"
        )
        parser.add_argument("--plan", type=int, help="FTS plan id: fetch it, or say which plan a grouped answer is for")
        parser.add_argument("--year", type=int, help="usage year: fetch its flows")
        parser.add_argument(
            "--complete",
            action="store_true",
            help="the files hold every flow of their plans: report those that are gone",
        )
        parser.add_argument("--resume", type=int, metavar="JOB", help="go on with a fetch that stopped")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the job here and now, recompute the figures, and print both."""
        job = self._job(options)
        jobs.run(job.pk, watch=self._watch if options["verbosity"] > 1 else None)
        job.refresh_from_db()
        if job.state == Job.State.FAILED:
            again = _(" Go on with: manage.py import_fts --resume %(job)s") % {"job": job.pk} if job.may_retry else ""
            raise CommandError(job.error + again)
        if job.state != Job.State.DONE:
            raise CommandError(_("A worker has taken job %(job)s. Its page shows the result.") % {"job": job.pk})
        stale = set(StaleMark.objects.values_list("plan", "year").distinct())
        rollups.recompute_stale()
        self._tell(job)
        self._tell_figures(stale)

    def _job(self, options: dict[str, Any]) -> Job:
        if options["resume"]:
            job = Job.objects.filter(pk=options["resume"]).first()
            if job is None:
                raise CommandError(_("There is no job %(job)s.") % {"job": options["resume"]})
            try:
                return jobs.retry(job, wake=False)
            except jobs.Refusal as refusal:
                raise CommandError(str(refusal)) from None
        if not options["files"] and not options["plan"] and not options["year"]:
            raise CommandError(_("Name the files to import, or what to fetch: --plan ID or --year YEAR."))
        with ExitStack() as stack:
            files = []
            for path in options["files"]:
                try:
                    files.append(File(stack.enter_context(path.open("rb")), name=path.name))
                except OSError as error:
                    raise CommandError(f"{path}: {error.strerror}") from None
            return start_import(
                None,
                files,
                plan=options["plan"],
                year=options["year"],
                is_complete=options["complete"],
                wake=False,
            )

    def _watch(self, done: int, total: int | None = None, step: str = "") -> None:
        self.stderr.write(f"{step} {done}{f' / {total}' if total else ''}")

    def _tell(self, job: Job) -> None:
        result = job.result or {}
        counts = ", ".join(
            f"{result['counts'][outcome]} {outcome}" for outcome in OUTCOMES if result["counts"][outcome]
        )
        self.stdout.write(f"{job.title}: {result['read']} rows read: {counts or 'nothing'}")
        for fact in result["facts"]:
            self.stdout.write("  " + _(fact["text"]) % fact["values"])
        rows = job.rows.order_by("pk")
        told = [
            *rows.filter(outcome=JobRow.Outcome.REFUSED)[:MOST_ROWS],
            *rows.exclude(outcome=JobRow.Outcome.REFUSED)[:MOST_ROWS],
        ]
        for row in told:
            place = f" ({row.file}{f', {row.line}' if row.line else ''})" if row.file else ""
            self.stdout.write(f"  {row.get_outcome_display()}: {row.subject}{place}: {row.sentence}")
        if (count := rows.count()) > len(told):
            more = _("  … and %(count)s more: they stand on the page of job %(job)s.")
            self.stdout.write(more % {"count": count - len(told), "job": job.pk})

    def _tell_figures(self, plan_years: set[tuple[int, int]]) -> None:
        plans = Plan.objects.in_bulk({plan_id for plan_id, _year in plan_years})
        for plan_id, year in sorted(plan_years, key=lambda key: (key[1], key[0])):
            if plan_id not in plans:
                continue
            row = rollups.total(plan_id, year)
            coverage = formats.percent(rollups.percent_2dp(row.coverage), 2)
            self.stdout.write(
                f"{plans[plan_id].name} {year}: {row.funded:,.0f} of {row.required:,.0f} USD, {coverage}, gap {row.net_gap:,.0f}"
            )
