"""Fetching from the public FTS API."""

from rrp_portal.jobs.models import Job
from rrp_portal.jobs.services import Progress


def fetch(job: Job, progress: Progress) -> None:
    """Fetch."""
