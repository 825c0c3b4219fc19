"""Services for a test run, begun before Django reads its settings and ended with the process."""

import atexit
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import ExitStack, suppress

import psycopg2

from rrp_portal.embedded.places import PROJECT, CannotStart, locked, run_folder
from rrp_portal.embedded.postgresql import PostgreSQL
from rrp_portal.embedded.services import TEST_CLUSTER, for_testing, own_redis

TEMPLATE = "RRP_TEST_TEMPLATE"  # the migrated database that test databases are copied from
_EMBEDDED = "RRP_TEST_SERVICES"  # tells pytest-xdist's workers that their controller started the services


def begin() -> None:
    """Fill the environment for tests; call it before Django's settings are read. Calling it again does nothing."""
    if os.environ.get(_EMBEDDED) == str(os.getpid()):
        return
    stack = ExitStack()
    atexit.register(stack.close)
    media = tempfile.mkdtemp(prefix="rrp-media-")
    stack.callback(shutil.rmtree, media, ignore_errors=True)
    os.environ["MEDIA_ROOT"] = media
    os.environ.setdefault("DEBUG", "true")
    os.environ.setdefault("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1],testserver")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rrp_portal.settings")
    if "PYTEST_XDIST_WORKER" not in os.environ:
        _begin_alone(stack)
    elif _EMBEDDED in os.environ:
        os.environ["REDIS_URL"] = stack.enter_context(own_redis()).url


def _begin_alone(stack: ExitStack) -> None:
    starts_redis = not os.environ.get("REDIS_URL")
    os.environ.update(stack.enter_context(for_testing()))
    if starts_redis:
        os.environ[_EMBEDDED] = str(os.getpid())
    cluster = PostgreSQL(TEST_CLUSTER, throwaway=True)
    if os.environ["DATABASE_URL"] == cluster.url():
        os.environ[TEMPLATE] = _template(cluster)


def _template(cluster: PostgreSQL) -> str:
    """The name of a database with all migrations applied, made when one of them has changed.

    Migrating takes ten times as long as copying.
    """
    mark = hashlib.sha256()
    for pattern in ("*/migrations/*.py", "*/*/migrations/*.py"):
        for path in sorted(PROJECT.glob(pattern)):
            mark.update(path.read_bytes())
    mark.update((PROJECT / "requirements.txt").read_bytes())
    name = f"template_{mark.hexdigest()[:16]}"
    with locked(run_folder() / "test-template.gate"):
        existing = [str(row[0]) for row in cluster.execute("SELECT datname FROM pg_database")]
        if name not in existing:
            _migrate(cluster, "template_unfinished")
            cluster.execute(f'ALTER DATABASE "template_unfinished" RENAME TO "{name}"')
            for old in existing:
                if old.startswith("template_"):
                    with suppress(psycopg2.Error):  # in use by another run
                        cluster.execute(f'DROP DATABASE IF EXISTS "{old}"')
    return name


def _migrate(cluster: PostgreSQL, database: str) -> None:
    cluster.execute(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')
    cluster.execute(f'CREATE DATABASE "{database}"')
    command = [sys.executable, "manage.py", "migrate", "--no-input", "--verbosity", "0"]
    environment = os.environ | {"DATABASE_URL": cluster.url(database)}
    done = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise CannotStart(f"The migrations do not run:\n{done.stdout}{done.stderr}")
