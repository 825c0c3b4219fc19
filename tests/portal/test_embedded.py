"""The embedded PostgreSQL and Redis do what servers would, for several users at once."""

import os
import signal
import stat
import subprocess
import sys
import time

import psycopg2
import pytest
import redis as redis_client
from django.db import connection

from rrp_portal.embedded import services
from rrp_portal.embedded.places import PROJECT, CannotStart, socket_folder
from rrp_portal.embedded.postgresql import PostgreSQL
from rrp_portal.embedded.redis_server import Redis

CLI = [sys.executable, "-m", "rrp_portal.embedded"]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A run folder of one's own, so that services in use elsewhere are left alone."""
    monkeypatch.setenv("RRP_RUN_FOLDER", str(tmp_path / "run"))
    return tmp_path / "run"


@pytest.mark.django_db
def test_the_tests_run_on_postgresql_in_utf8_and_utc():
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('server_encoding'), version()")
        encoding, version = cursor.fetchone()
    assert encoding == "UTF8"
    assert version.startswith("PostgreSQL")


def test_the_tests_have_a_redis():
    url = os.environ["REDIS_URL"].replace("redis+socket://", "unix://")
    assert redis_client.from_url(url).ping()


def test_a_cluster_keeps_its_data_and_is_tidy(folder):
    cluster = PostgreSQL("kept", throwaway=True)
    try:
        cluster.start()
        cluster.ensure_database("words")
        cluster.ensure_database("words")
        with cluster.connect("words") as first, first.cursor() as cursor:
            cursor.execute("CREATE TABLE word (it text)")
            cursor.execute("INSERT INTO word VALUES ('Zürich'), ('القاهرة'), ('北京')")
        first.close()
        cluster.stop()
        assert not cluster.is_running()
        cluster.start()
        with cluster.connect("words") as second, second.cursor() as cursor:
            cursor.execute("SELECT upper(min(it)), count(*), current_setting('timezone') FROM word")
            assert cursor.fetchone() == ("ZÜRICH", 3, "UTC")
        second.close()
        assert stat.S_IMODE(cluster.sockets.stat().st_mode) == 0o700
    finally:
        cluster.stop()
    assert not cluster.sockets.exists()


def test_a_broken_throwaway_cluster_is_made_anew(folder):
    cluster = PostgreSQL("broken", throwaway=True)
    try:
        cluster.start()
        cluster.stop()
        (cluster.data / "global" / "pg_control").write_bytes(b"")
        cluster.start()
        assert cluster.is_running()
    finally:
        cluster.stop()


def test_a_lasting_cluster_is_never_wiped(folder):
    cluster = PostgreSQL("lasting")
    cluster.data.mkdir(parents=True)
    (cluster.data / "PG_VERSION").write_text("15\n", encoding="utf-8")
    (cluster.data / "precious").write_text("figures", encoding="utf-8")
    with pytest.raises(CannotStart, match="failed"):
        cluster.start()
    assert (cluster.data / "precious").exists()
    cluster.stop()


def test_redis_keeps_the_queue_over_a_restart(folder):
    server = Redis("queue")
    try:
        server.start()
        server.tell("RPUSH celery task")
        server.stop()
        server.start()
        assert server.tell("LLEN celery") == b":1\r\n"
    finally:
        server.stop()


def test_the_last_user_stops_a_shared_server(folder):
    server = Redis("shared", throwaway=True)
    with services.shared(server, "shared"):
        with services.shared(Redis("shared", throwaway=True), "shared"):
            pass
        assert server.is_running()
    assert not server.is_running()


def test_a_killed_user_does_not_keep_a_server_alive(folder):
    code = (
        "import time; from rrp_portal.embedded import services; from rrp_portal.embedded.redis_server import Redis\n"
        "with services.shared(Redis('shared'), 'shared'): print('in', flush=True); time.sleep(60)"
    )
    other = subprocess.Popen([sys.executable, "-c", code], cwd=PROJECT, stdout=subprocess.PIPE, text=True)
    assert other.stdout.readline() == "in\n"
    server = Redis("shared")
    with services.shared(server, "shared"):
        other.kill()
        other.wait()
        assert server.is_running()
    assert not server.is_running()


def test_every_test_run_has_a_redis_of_its_own(folder):
    with services.own_redis() as one, services.own_redis() as other:
        one.tell("SET key value")
        assert one.url != other.url
        assert other.tell("EXISTS key") == b":0\r\n"
    with services.own_redis() as again:
        assert again.url == one.url
        assert again.tell("EXISTS key") == b":0\r\n"


def test_databases_of_killed_test_runs_are_dropped(folder):
    gone = subprocess.Popen(["true"])
    gone.wait()
    cluster = PostgreSQL("tests", throwaway=True)
    try:
        cluster.start()
        for name in (f"test_{gone.pid}", f"test_{gone.pid}_gw0", f"test_{os.getpid()}", "test_by_name"):
            cluster.ensure_database(name)
        services.drop_left_behind(cluster)
        left = {name for (name,) in cluster.execute("SELECT datname FROM pg_database")}
    finally:
        cluster.stop()
    assert {name for name in left if name.startswith("test_")} == {f"test_{os.getpid()}", "test_by_name"}


def test_the_secret_is_made_once_for_its_owner_only(folder):
    assert services.secret_key() == services.secret_key()
    assert len(services.secret_key()) > 50
    assert stat.S_IMODE((folder / "secret_key").stat().st_mode) == 0o600


def test_a_folder_of_somebody_else_is_not_used(folder, tmp_path):
    place = socket_folder("mine")
    place.symlink_to(tmp_path)
    try:
        with pytest.raises(CannotStart, match="belongs to somebody else"):
            Redis("mine").start()
    finally:
        place.unlink()


def test_a_command_gets_only_what_is_not_set(folder):
    show = ["--", sys.executable, "-c", "import os; print(os.environ['DATABASE_URL'], os.environ['REDIS_URL'])"]
    given = os.environ | {"DATABASE_URL": "postgresql://me@elsewhere/db", "RRP_RUN_FOLDER": str(folder)}
    given.pop("REDIS_URL")
    done = subprocess.run([*CLI, "exec", *show], cwd=PROJECT, env=given, capture_output=True, text=True)
    database, redis_url = done.stdout.split()
    assert database == "postgresql://me@elsewhere/db"
    assert redis_url.startswith("redis+socket:///")
    assert not (folder / "postgresql").exists()


def test_the_exit_code_of_a_command_is_passed_on(folder):
    done = subprocess.run([*CLI, "exec", "--", sys.executable, "-c", "raise SystemExit(7)"], cwd=PROJECT)
    assert done.returncode == 7


@pytest.mark.parametrize(("command", "sentence"), [([], "Say which command"), (["no-such"], "There is no command")])
def test_a_wrong_command_gets_one_sentence(folder, command, sentence):
    done = subprocess.run([*CLI, "exec", "--", *command], cwd=PROJECT, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith(sentence)
    assert done.stderr.count("\n") == 1


def hear_ctrl_c():
    """A shell lets what it runs in the background ignore SIGINT, and children inherit that."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_ctrl_c_stops_the_command_and_its_services(folder):
    environment = {k: v for k, v in os.environ.items() if k not in {"DATABASE_URL", "REDIS_URL"}}
    process = subprocess.Popen(
        [*CLI, "exec", "--", sys.executable, "-c", "import time; print('in', flush=True); time.sleep(60)"],
        cwd=PROJECT, env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True, preexec_fn=hear_ctrl_c,
    )  # fmt: skip
    assert process.stdout.readline() == "in\n"
    assert PostgreSQL("postgresql").is_running()
    os.killpg(process.pid, signal.SIGINT)
    process.wait(30)
    assert not PostgreSQL("postgresql").is_running()
    assert not Redis("redis").is_running()


def test_the_stop_command_spares_what_is_used(folder):
    server = Redis("redis")
    with services.shared(server, "redis"):
        refused = subprocess.run([*CLI, "stop"], cwd=PROJECT, capture_output=True, text=True)
        assert refused.stderr == "In use, and left running: redis.\n"
        assert server.is_running()
        assert subprocess.run([*CLI, "stop", "--force"], cwd=PROJECT).returncode == 0
        assert not server.is_running()


def test_a_cluster_that_is_not_there_is_not_running(folder):
    began = time.monotonic()
    assert not PostgreSQL("nowhere").is_running()
    assert time.monotonic() - began < 1
    with pytest.raises(psycopg2.OperationalError):
        PostgreSQL("nowhere").connect()
