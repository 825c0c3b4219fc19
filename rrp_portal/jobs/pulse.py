"""The pulse of a running job: progress and signs of life, written beside the transaction in which the work is done.

The work is one transaction, so nobody else sees what it writes until it ends. A thread with a connection of its own
writes the progress at most twice a second and a sign of life every ten seconds, also while one long statement runs.
"""

import logging
import threading
from collections.abc import Callable
from types import TracebackType

from django.db import DEFAULT_DB_ALIAS, Error, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from rrp_portal.jobs.models import Job

logger = logging.getLogger(__name__)

EVERY = 0.5
SIGN_OF_LIFE = 10.0

# The work's own transaction holds the row while it commits; then there is nothing left to tell.
_WRITE = """
    UPDATE jobs_job SET done = %s, total = %s, step = %s, heartbeat_at = now()
     WHERE id = (SELECT id FROM jobs_job WHERE id = %s AND state = 'running' AND attempts = %s FOR UPDATE SKIP LOCKED)
"""


class Pulse:
    """While entered, writes what `report` was told last."""

    def __init__(self, job: Job, watch: Callable[..., None] | None = None) -> None:
        self._job, self._watch = job, watch
        self._told: tuple[int, int | None, str] = (0, None, "")
        self._changed = False
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._beat, name=f"pulse-of-job-{job.pk}", daemon=True)

    def report(self, done: int, total: int | None = None, step: str = "") -> None:
        """Say how much is done, of how much, and what happens now; costs nothing."""
        self._told, self._changed = (done, total, str(step)[:200]), True
        if self._watch:
            self._watch(done, total, step)

    def __enter__(self) -> "Pulse":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()

    def _beat(self) -> None:
        connection = connections.create_connection(DEFAULT_DB_ALIAS)
        quiet = 0.0
        try:
            while not self._ended.wait(EVERY):
                quiet += EVERY
                if self._changed or quiet >= SIGN_OF_LIFE:
                    self._changed, quiet = False, 0.0
                    self._write(connection)
        finally:
            connection.close()

    def _write(self, connection: BaseDatabaseWrapper) -> None:
        try:
            with connection.cursor() as cursor:
                cursor.execute(_WRITE, [*self._told, self._job.pk, self._job.attempts])
        except Error:
            logger.warning("the progress of job %s could not be written", self._job.pk, exc_info=True)
            connection.close()
