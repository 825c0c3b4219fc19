"""Whether the process lives (/healthz), and whether the portal can do its work (/readyz)."""

import redis
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, connection
from django.db.models import Max
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from funding import rollups
from rrp_portal.jobs.models import Heartbeat

SILENT_AFTER = 60  # seconds without a sign of life from the workers, who give one every 15
LATE_AFTER = 300  # seconds a changed figure may wait; the sweep comes every 15


@login_not_required
@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers; asks nothing of the database or Redis."""
    return HttpResponse("ok", content_type="text/plain")


@login_not_required
@require_safe
@never_cache
def readyz(request: HttpRequest) -> JsonResponse:
    """Database, Redis, workers and the freshness of figures; 503 when one of them is not as it should be."""
    heartbeat, stale = _heartbeat_seconds(), _stale_seconds()
    checks = {
        "database": {"ok": stale is not None},
        "redis": {"ok": _redis_answers()},
        "worker": {"ok": heartbeat is not None and heartbeat < SILENT_AFTER, "last_heartbeat_seconds": heartbeat},
        "figures": {"ok": stale is not None and stale < LATE_AFTER, "oldest_stale_seconds": stale},
    }
    ready = all(check["ok"] for check in checks.values())
    return JsonResponse({"ready": ready, "checks": checks}, status=200 if ready else 503)


def _heartbeat_seconds() -> float | None:
    """Seconds since the workers' last sign of life; None when there never was one, or nobody can tell."""
    try:
        beaten_at = Heartbeat.objects.aggregate(last=Max("beaten_at"))["last"]
    except DatabaseError:
        return None
    return round((timezone.now() - beaten_at).total_seconds(), 1) if beaten_at else None


def _stale_seconds() -> float | None:
    """The age of the oldest figure still to be recomputed; None when the database does not answer."""
    try:
        connection.ensure_connection()
        return round(rollups.stale_seconds(), 1)
    except DatabaseError:
        return None


def _redis_answers() -> bool:
    client = redis.from_url(settings.CACHES["default"]["LOCATION"], socket_timeout=1, socket_connect_timeout=1)
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False
    finally:
        client.close()
