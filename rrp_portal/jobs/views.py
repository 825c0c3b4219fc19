"""Pages of jobs: what I started, how far it is, and what became of every row."""

import csv
from collections.abc import Iterator

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from rrp_portal.jobs import services
from rrp_portal.jobs.models import Job, JobRow

JOBS_PER_PAGE = 25
ROWS_PER_PAGE = 50
FILES_SHOWN = 100
_O = JobRow.Outcome
OUTCOMES = (_O.CREATED, _O.UPDATED, _O.UNCHANGED, _O.IGNORED, _O.REFUSED)  # what an input row can come to
TOLD = (_O.REFUSED, _O.NOTED, _O.IGNORED, _O.UPDATED, _O.CREATED, _O.UNCHANGED)  # what to read first


@require_safe
def job_list(request: HttpRequest) -> HttpResponse:
    """The reader's own jobs, newest first; an administrator sees everybody's."""
    jobs = (
        Job.objects.visible_to(request.user)
        .defer("result", "arguments")
        .select_related("owner")
        .order_by("-created_at", "-pk")
    )
    page = Paginator(jobs, JOBS_PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "jobs/job_list.html", {"page": page, "running": any(not job.is_finished for job in page)})


@require_safe
@never_cache
def job_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One job: its progress, the counts of its result, and its report row by row."""
    job = get_object_or_404(Job.objects.visible_to(request.user).select_related("owner"), pk=pk)
    told = dict(job.rows.values_list("outcome").annotate(Count("pk")).order_by())
    outcome = request.GET.get("outcome", "")
    outcome = outcome if outcome in told else ""
    rows = job.rows.filter(outcome=outcome) if outcome else job.rows.all()
    page = Paginator(rows.order_by("pk"), ROWS_PER_PAGE).get_page(request.GET.get("page"))
    counts = (job.result or {}).get("counts", {})
    context = {
        "job": job,
        "page": page,
        "outcome": outcome,
        "counts": [{"label": value.label, "count": counts.get(value, 0)} for value in OUTCOMES] if counts else [],
        "refused": counts.get(JobRow.Outcome.REFUSED, 0),
        "told": [{"value": value, "label": value.label, "count": told[value]} for value in TOLD if value in told],
        "facts": sentences(job),
        "files": job.files.order_by("pk")[:FILES_SHOWN],
    }
    return render(request, "jobs/job_detail.html", context)


def sentences(job: Job) -> list[str]:
    """The facts of a job's result as sentences in the reader's language."""
    return [_(fact["text"]) % fact.get("values", {}) for fact in (job.result or {}).get("facts", [])]


@require_safe
@never_cache
def job_progress(request: HttpRequest, pk: int) -> HttpResponse:
    """The bar alone, which the page fetches while the job runs; when it has ended, the whole page is fetched again."""
    job = get_object_or_404(Job.objects.visible_to(request.user).defer("result", "arguments"), pk=pk)
    response = render(request, "jobs/_job_progress.html", {"job": job})
    if job.is_finished and request.headers.get("HX-Request"):
        response["HX-Refresh"] = "true"
    return response


@require_POST
def job_retry(request: HttpRequest, pk: int) -> HttpResponse:
    """Let a job go on that could not get ready."""
    job = get_object_or_404(Job.objects.visible_to(request.user), pk=pk)
    try:
        services.retry(job)
    except services.Refusal as refusal:
        messages.error(request, str(refusal))
    return redirect("jobs:detail", pk)


class _Echo:
    """A file that hands every written line back, so that a report of any length is streamed."""

    def write(self, line: str) -> str:
        return line


@require_safe
def job_report(request: HttpRequest, pk: int) -> StreamingHttpResponse:
    """The whole report as CSV."""
    job = get_object_or_404(Job.objects.visible_to(request.user), pk=pk)
    writer = csv.writer(_Echo())
    head = [_("Outcome"), _("File"), _("Line"), _("What it is about"), _("What was done")]

    def lines() -> Iterator[str]:
        yield "\ufeff"
        yield writer.writerow(head)
        for row in job.rows.order_by("pk").iterator(chunk_size=2000):
            cells = (row.get_outcome_display(), row.file, row.line or "", row.subject, row.sentence)
            yield writer.writerow([_harmless(str(cell)) for cell in cells])

    name = f"{slugify(job.title)[:60] or 'job'}-{job.pk}.csv"
    return StreamingHttpResponse(
        lines(),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _harmless(cell: str) -> str:
    """Text that a spreadsheet program will not run as a formula."""
    return f"'{cell}" if cell[:1] in {"=", "+", "-", "@", "\t", "\r"} else cell
