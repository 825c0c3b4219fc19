"""Services for a test run, begun before Django reads its settings and ended with the process."""

import atexit
import os
import shutil
import tempfile
from contextlib import ExitStack

from rrp_portal.embedded.services import for_testing, own_redis

_EMBEDDED = "RRP_TEST_SERVICES"  # tells pytest-xdist's workers that their controller started the services


def begin() -> None:
    """Fill the environment for tests; call it before Django's settings are read. Calling it again does nothing."""
    if os.environ.get(_EMBEDDED) == str(os.getpid()):
        return
    stack = ExitStack()
    atexit.register(stack.close)
    is_worker = "PYTEST_XDIST_WORKER" in os.environ
    if is_worker and _EMBEDDED in os.environ:
        os.environ["REDIS_URL"] = stack.enter_context(own_redis()).url
    elif not is_worker:
        starts_redis = not os.environ.get("REDIS_URL")
        os.environ.update(stack.enter_context(for_testing()))
        if starts_redis:
            os.environ[_EMBEDDED] = str(os.getpid())
    media = tempfile.mkdtemp(prefix="rrp-media-")
    stack.callback(shutil.rmtree, media, ignore_errors=True)
    os.environ["MEDIA_ROOT"] = media
    os.environ.setdefault("DEBUG", "true")
    os.environ.setdefault("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1],testserver")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rrp_portal.settings")
