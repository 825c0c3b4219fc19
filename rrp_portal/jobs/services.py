"""Starting and running jobs: a row first, then a worker; a row that no worker took is found by the next sweep."""

import logging
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

import pghistory
from celery import current_app
from django.conf import settings
from django.core.files import File
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from rrp_portal.jobs.models import Job, JobFile
from rrp_portal.jobs.pulse import Pulse

logger = logging.getLogger(__name__)

Progress = Callable[..., None]
Work = Callable[[Job, Progress], dict[str, Any] | None]

SILENT_AFTER = timedelta(minutes=2)  # a running job gives a sign of life every ten seconds
WAITING_AFTER = timedelta(seconds=30)
MOST_ATTEMPTS = 3


class Refusal(Exception):
    """The job cannot do what was asked; the message is a translated sentence that says why and what to do."""


class Unprepared(Refusal):
    """The job could not get ready; what it has fetched so far is kept, and trying again goes on from there."""


class Superseded(Exception):
    """Another run of the same job took over; what this run did is rolled back."""


@dataclass(frozen=True)
class Kind:
    """What a job of one kind does: `prepare` outside the transaction, `work` inside it, `after` its commit."""

    work: Work
    prepare: Callable[[Job, Progress], None] | None = None
    after: Callable[[], None] | None = None


_kinds: dict[str, Kind] = {}


def register(
    name: str, *, prepare: Callable[[Job, Progress], None] | None = None, after: Callable[[], None] | None = None
) -> Callable[[Work], Work]:
    """Register the decorated function as the work of jobs of this kind; it gets the job and `progress`.

    `progress(done, total, step)` may be called as often as one likes. The function's return value is kept as the job's
    result, and everything it writes is one transaction with the job's end: done or nothing.
    """

    def decorate(work: Work) -> Work:
        _kinds[name] = Kind(work, prepare, after)
        return work

    return decorate


@transaction.atomic
def start(
    kind: str,
    title: str,
    owner: Any,
    *,
    arguments: dict[str, Any] | None = None,
    files: Iterable[File] = (),
    wake: bool = True,
) -> Job:
    """Record a job with copies of its files and wake a worker after commit; returns the waiting job.

    A broker that is away is no error: the next sweep finds the row.
    """
    job = Job.objects.create(kind=kind, title=title[:200], owner=owner, arguments=arguments or {})
    for file in files:
        name = (file.name or "").rsplit("/", 1)[-1]
        JobFile.objects.create(job=job, name=name[-255:], file=File(file, name=name[-100:]), size=file.size)
    if wake:
        transaction.on_commit(partial(wake_worker, job.pk))
    return job


def wake_worker(job_id: int) -> None:
    """Ask a worker to run the job; silently nothing when the broker is away."""
    try:
        current_app.send_task("rrp_portal.jobs.tasks.run_job", kwargs={"job_id": job_id}, retry=False, expires=300)
    except (OperationalError, RedisError, OSError):
        logger.warning("The message broker does not answer; job %s waits for the next sweep.", job_id)


@transaction.atomic
def claim(job_id: int) -> Job | None:
    """Take a waiting job for this process, or None when somebody else has it or it is finished."""
    job = (
        Job.objects.select_for_update(skip_locked=True, of=("self",))
        .select_related("owner")
        .filter(pk=job_id, state=Job.State.WAITING)
        .first()
    )
    if job is None:
        return None
    now = timezone.now()
    job.state, job.attempts, job.error = Job.State.RUNNING, job.attempts + 1, ""
    job.started_at = job.heartbeat_at = now
    job.done, job.total, job.step = 0, None, ""
    job.save()
    return job


def run(job_id: int, *, watch: Progress | None = None) -> Job | None:
    """Run a waiting job to its end; returns it, or None when it was not waiting. `watch` also hears the progress."""
    job = claim(job_id)
    if job is None:
        return None
    language = (job.owner.language if job.owner else "") or settings.LANGUAGE_CODE
    with translation.override(language), pghistory.context(job=job.pk, user=job.owner_id), Pulse(job, watch) as pulse:
        try:
            _work(job, pulse.report)
        except Superseded:
            logger.warning("job %s was taken over by another run", job.pk)
        except Refusal as refusal:
            fail(job, str(refusal), may_retry=isinstance(refusal, Unprepared))
        except Exception:
            reference = secrets.token_hex(4)
            logger.exception("job %s failed, reference %s", job.pk, reference)
            fail(
                job,
                _(
                    "Something unexpected went wrong, and nothing was changed. Tell the support team this reference: %(reference)s."
                )
                % {"reference": reference},
            )
    job.refresh_from_db()
    if job.is_finished and not job.may_retry:
        remove_files(job)
    return job


def _work(job: Job, progress: Progress) -> None:
    kind = _kinds.get(job.kind)
    if kind is None:
        raise Refusal(_("This version of the portal does not know jobs of the kind “%(kind)s”.") % {"kind": job.kind})
    if kind.prepare:
        try:
            kind.prepare(job, progress)
        except Refusal as refusal:
            raise Unprepared(str(refusal)) from refusal
    with transaction.atomic():
        result = kind.work(job, progress)
        finished = _mine(job).update(
            state=Job.State.DONE, result=result, step="", finished_at=timezone.now(), heartbeat_at=timezone.now()
        )
        if not finished:
            raise Superseded
    if kind.after:
        kind.after()


def _mine(job: Job) -> Any:
    """The job's row while this run is the one that counts: the number of the attempt is the fence."""
    return Job.objects.filter(pk=job.pk, state=Job.State.RUNNING, attempts=job.attempts)


def fail(job: Job, sentence: str, *, may_retry: bool = False) -> None:
    """End a running job with the sentence that its owner reads."""
    result = {"may_retry": True} if may_retry else None
    _mine(job).update(state=Job.State.FAILED, error=sentence, result=result, step="", finished_at=timezone.now())


@transaction.atomic
def retry(job: Job, *, wake: bool = True) -> Job:
    """Let a job that could not get ready go on from where it stopped; returns it waiting. Raises Refusal when it cannot."""
    job = Job.objects.select_for_update(of=("self",)).get(pk=job.pk)
    if not job.may_retry:
        raise Refusal(_("This job cannot go on. Start a new one."))
    job.state, job.error, job.result, job.attempts, job.finished_at = Job.State.WAITING, "", None, 0, None
    job.save()
    if wake:
        transaction.on_commit(partial(wake_worker, job.pk))
    return job


def remove_files(job: Job) -> None:
    """Delete the stored copies of a finished job's input; their names and sizes stay in its report."""
    for kept in job.files.exclude(file=""):
        kept.file.delete(save=True)


def sweep() -> tuple[int, int, int]:
    """Restart jobs whose worker died, give up after three attempts, wake those that nobody took.

    Returns how many were restarted, given up and woken.
    """
    now = timezone.now()
    silent = Job.objects.filter(state=Job.State.RUNNING).filter(
        Q(heartbeat_at=None) | Q(heartbeat_at__lt=now - SILENT_AFTER)
    )
    lost = 0
    for job in silent.filter(attempts__gte=MOST_ATTEMPTS).select_related("owner"):
        with translation.override((job.owner.language if job.owner else "") or settings.LANGUAGE_CODE):
            fail(
                job,
                _(
                    "The worker stopped three times while it ran this job. Nothing was changed. "
                    "Try again with a smaller file."
                ),
            )
        remove_files(job)
        lost += 1
    restarted = silent.filter(attempts__lt=MOST_ATTEMPTS).update(state=Job.State.WAITING, started_at=None)
    waiting = list(
        Job.objects.filter(state=Job.State.WAITING)
        .filter(Q(created_at__lt=now - WAITING_AFTER) | Q(attempts__gt=0))
        .order_by(F("id"))
        .values_list("pk", flat=True)[:100]
    )
    for pk in waiting:
        wake_worker(pk)
    return restarted, lost, len(waiting)
