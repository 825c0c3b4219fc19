"""How gunicorn serves the portal: threads keep connections alive, and all workers share one warm copy of the code."""

import gc
import os
from pathlib import Path

bind = f"{os.environ.get('BIND') or '127.0.0.1'}:{os.environ.get('PORT') or '8000'}"
workers = int(os.environ.get("WEB_CONCURRENCY") or 2)
worker_class = "gthread"  # the sync worker closes every connection, which costs more than most pages
threads = int(os.environ.get("WEB_THREADS") or 4)
keepalive = 65  # longer than a proxy in front keeps its own side open
timeout = 60
graceful_timeout = 20
preload_app = True
control_socket_disable = True  # it would lie in the home directory, where two portals would share it
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108  (a heartbeat must not wait for a disk)
accesslog = "-" if os.environ.get("ACCESS_LOG") == "true" else None
forwarded_allow_ips = os.environ.get("FORWARDED_ALLOW_IPS") or "127.0.0.1"


def when_ready(server):
    """Load what the first request would load, then take it all out of the garbage collector's sight.

    A full collection in a large Django process triples p95; frozen objects are also not copied when a worker is forked.
    """
    from django.db import connections
    from django.urls import get_resolver

    get_resolver().url_patterns  # noqa: B018  (imports every view)
    connections.close_all()
    gc.collect()
    gc.freeze()


def post_worker_init(worker):
    """Freeze what the worker added while starting."""
    gc.collect()
    gc.freeze()
