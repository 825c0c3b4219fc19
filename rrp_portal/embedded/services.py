"""Sharing the embedded services: started by the first who needs them, stopped by the last."""

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Protocol

from rrp_portal.embedded.places import locked, run_folder
from rrp_portal.embedded.postgresql import PostgreSQL
from rrp_portal.embedded.redis_server import Redis

MOST_TEST_REDIS = 256
TEST_CLUSTER = "test-postgresql"


class Server(Protocol):
    """What can be shared."""

    def start(self) -> None:
        """Start, or find running."""

    def stop(self) -> None:
        """Stop, if running."""


@contextmanager
def shared(server: Server, name: str) -> Iterator[None]:
    """Keep the server running inside the block; whoever leaves last stops it, also after others were killed."""
    gate = run_folder() / f"{name}.gate"
    with (run_folder() / f"{name}.users").open("a") as users:
        with locked(gate):
            fcntl.flock(users, fcntl.LOCK_SH)
            server.start()
        try:
            yield
        finally:
            with locked(gate), suppress(BlockingIOError):
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                server.stop()


@contextmanager
def for_running() -> Iterator[dict[str, str]]:
    """The environment of the lasting services; only what the environment does not name yet is started."""
    with ExitStack() as stack:
        environment: dict[str, str] = {}
        if not _is_set("DATABASE_URL"):
            cluster = PostgreSQL("postgresql")
            stack.enter_context(shared(cluster, "postgresql"))
            cluster.ensure_database()
            environment["DATABASE_URL"] = cluster.url()
        if not _is_set("REDIS_URL"):
            redis = Redis("redis")
            stack.enter_context(shared(redis, "redis"))
            environment["REDIS_URL"] = redis.url
        if not _is_set("SECRET_KEY"):
            environment["SECRET_KEY"] = secret_key()
        yield environment


@contextmanager
def for_testing() -> Iterator[dict[str, str]]:
    """The environment of throwaway services: a cluster all test runs share, an own database name, an own Redis."""
    with ExitStack() as stack:
        environment: dict[str, str] = {}
        if not _is_set("DATABASE_URL"):
            cluster = PostgreSQL(TEST_CLUSTER, throwaway=True)
            stack.enter_context(shared(cluster, TEST_CLUSTER))
            cluster.ensure_database()
            drop_left_behind(cluster)
            environment["DATABASE_URL"] = cluster.url()
        if not _is_set("DATABASE_TEST_NAME"):
            environment["DATABASE_TEST_NAME"] = f"test_{os.getpid()}"
        if not _is_set("REDIS_URL"):
            environment["REDIS_URL"] = stack.enter_context(own_redis()).url
        if not _is_set("SECRET_KEY"):
            environment["SECRET_KEY"] = "only-for-tests-" + secrets.token_hex(32)
        yield environment


@contextmanager
def own_redis() -> Iterator[Redis]:
    """A throwaway Redis nobody else uses: the first of the numbered ones that is free."""
    for number in range(MOST_TEST_REDIS):
        with (run_folder() / f"test-redis-{number}.users").open("a") as users:
            try:
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            redis = Redis(f"test-redis-{number}", throwaway=True)
            redis.start()
            try:
                yield redis
            finally:
                redis.stop()
            return
    raise RuntimeError(f"More than {MOST_TEST_REDIS} test runs at the same time.")


def drop_left_behind(cluster: PostgreSQL) -> None:
    """Drop the test databases of runs that were killed: those named after a process that is gone."""
    for (name,) in cluster.execute(r"SELECT datname FROM pg_database WHERE datname ~ '^test_\d+(_|$)'"):
        if not Path(f"/proc/{str(name).split('_')[1]}").exists() and Path("/proc/self").exists():
            cluster.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def stop_all(*, even_if_used: bool = False) -> list[str]:
    """Stop every embedded service of this project that nobody uses; the names of those still used."""
    used = []
    servers: list[tuple[str, Server]] = [
        ("postgresql", PostgreSQL("postgresql")),
        ("redis", Redis("redis")),
        (TEST_CLUSTER, PostgreSQL(TEST_CLUSTER, throwaway=True)),
    ]
    for users in sorted(run_folder().glob("test-redis-*.users")):
        servers.append((users.stem, Redis(users.stem, throwaway=True)))
    for name, server in servers:
        with (run_folder() / f"{name}.users").open("a") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if not even_if_used:
                    used.append(name)
                    continue
            server.stop()
    return used


def secret_key() -> str:
    """The secret of this checkout, made once and readable by its owner only."""
    path = run_folder() / "secret_key"
    with locked(run_folder() / "secret_key.gate"):
        if not path.exists():
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(secrets.token_urlsafe(64))
    return path.read_text(encoding="utf-8")


def _is_set(name: str) -> bool:
    return bool(os.environ.get(name) or os.environ.get(f"{name}_FILE"))
