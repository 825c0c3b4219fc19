"""Running jobs, and the workers' sign of life: each task makes one call."""

import logging

from celery import shared_task
from django.core.management import call_command
from django.utils import timezone

from rrp_portal.jobs import services
from rrp_portal.jobs.models import Heartbeat

logger = logging.getLogger(__name__)


@shared_task(name="rrp_portal.jobs.tasks.run_job")
def run_job(*, job_id: int) -> None:
    """Run one waiting job; does nothing when another worker has it."""
    if job := services.run(job_id):
        logger.info("job %s (%s) is %s", job.pk, job.kind, job.state)


@shared_task(name="rrp_portal.jobs.tasks.restart_orphans")
def restart_orphans() -> None:
    """Restart jobs whose worker died, and wake those that nobody took."""
    restarted, lost, woken = services.sweep()
    if restarted or lost:
        logger.warning("restarted %s jobs whose worker died, gave up %s, woke %s", restarted, lost, woken)


@shared_task(name="rrp_portal.jobs.tasks.beat_heart")
def beat_heart() -> None:
    """Beat asks, a worker answers: both live."""
    Heartbeat.objects.update_or_create(name="worker", defaults={"beaten_at": timezone.now()})


@shared_task(name="rrp_portal.jobs.tasks.clear_sessions")
def clear_sessions() -> None:
    """Remove expired sessions."""
    call_command("clearsessions")
