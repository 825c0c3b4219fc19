"""Jobs of the funding room: each loads by id and makes one call."""

import logging

from celery import shared_task
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from funding import rollups
from funding.imports import IMPORT, fetch, import_files
from funding.models import StaleMark
from rrp_portal.jobs.services import register

logger = logging.getLogger(__name__)


@shared_task(name="funding.tasks.recompute_stale")
def recompute_stale() -> None:
    """Recompute every stale plan-year; beat sweeps, so that a lost wake-up costs seconds and never a figure."""
    if done := rollups.recompute_stale():
        logger.info("recomputed %s plan-years", done)


def wake_rollups() -> None:
    """Ask a worker to recompute, if anything is stale. A broker that is away is no error: beat will sweep."""
    if not StaleMark.objects.exists():
        return
    try:
        recompute_stale.apply_async(retry=False, expires=60)
    except (OperationalError, RedisError, OSError):
        logger.warning("The message broker does not answer; the figures will be recomputed by the next sweep.")


register(IMPORT, prepare=fetch, after=wake_rollups)(import_files)
