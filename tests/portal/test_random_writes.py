"""Random writes while workers are killed and Redis is restarted: no figure is lost, and none is counted twice."""

import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from urllib.parse import quote

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from kombu import pools

from funding import rollups
from funding.models import PlanYear
from rrp_portal.celery import app
from rrp_portal.embedded.services import own_redis
from tests.funding import oracle
from tests.funding.kivara import make_kivara
from tests.portal.writes import Writer

WRITES = int(os.environ.get("RRP_RANDOM_WRITES", "120"))


class Workers:
    """A real worker and a real beat beside the test's database, which can be killed."""

    def __init__(self, redis, folder) -> None:
        database = connection.settings_dict
        url = f"postgresql://{database['USER']}@/{database['NAME']}?host={quote(database['HOST'])}&port={database['PORT']}"
        self.environment = os.environ | {"DATABASE_URL": url, "REDIS_URL": redis.url, "SECRET_KEY": settings.SECRET_KEY}
        self.folder = folder
        self.running: dict[str, subprocess.Popen] = {}

    def start(self) -> None:
        program = [sys.executable, "-m", "celery", "-A", "rrp_portal"]
        commands = {
            "worker": [
                *program,
                "worker",
                "--pool",
                "solo",
                "--loglevel",
                "ERROR",
                "--without-gossip",
                "--without-mingle",
            ],
            "beat": [*program, "beat", "--schedule", str(self.folder / "beat"), "--pidfile=", "--loglevel", "ERROR"],
        }
        for name, command in commands.items():
            if name not in self.running or self.running[name].poll() is not None:
                self.running[name] = subprocess.Popen(
                    command,
                    env=self.environment,
                    cwd=settings.BASE_DIR,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                )

    def kill(self, *names: str) -> None:
        for name in names or tuple(self.running):
            self.running[name].send_signal(signal.SIGKILL)
            self.running[name].wait()


def talk_to(url: str) -> None:
    """Let this process's Celery use another broker."""
    app.conf.broker_url = url
    pools.reset()
    app.amqp._producer_pool = app._pool = None


@pytest.fixture
def redis():
    """A Redis of its own, which this process's Celery talks to as well."""
    before = app.conf.broker_url
    with own_redis() as server:
        talk_to(server.url)
        yield server
        talk_to(before)


def wait_until_fresh(seconds: float) -> float:
    """How long it took until no figure was stale."""
    start = time.monotonic()
    while rollups.oldest_stale_at() is not None:
        assert time.monotonic() - start < seconds, "Figures stayed stale."
        time.sleep(0.05)
    return time.monotonic() - start


@pytest.mark.requirement("BR-21", "BR-22", "I16", "I17")
@pytest.mark.django_db(transaction=True)
def test_no_figure_is_lost_or_doubled_by_random_writes_killed_workers_and_a_restarted_redis(redis, tmp_path, settings):
    settings.REST_FRAMEWORK = settings.REST_FRAMEWORK | {"DEFAULT_THROTTLE_CLASSES": []}
    call_command("load_reference", verbosity=0)
    writer = Writer(make_kivara(), seed=2026)
    workers = Workers(redis, tmp_path)
    with ExitStack() as stack:
        stack.callback(workers.kill)
        for number in range(WRITES):
            if number % max(WRITES // 6, 1) == 0:
                workers.start()
            if number % max(WRITES // 4, 1) == WRITES // 8:
                workers.kill("worker")
            if number == WRITES // 2:
                redis.stop()
                redis.start()
            writer.write()
        workers.start()
        wait_until_fresh(120)
        workers.kill()

    print(dict(sorted(writer.count.items())))  # noqa: T201
    assert rollups.verify() == []
    for plan_year in PlanYear.objects.select_related("plan"):
        expected = oracle.figures(plan_year.plan, plan_year.year)["total"].get((), {})
        total = rollups.total(plan_year.plan_id, plan_year.year)
        assert {measure: getattr(total, measure) for measure in expected} == expected
