"""`make run`: what it starts it also stops, and what hinders it is said in one sentence."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

import psutil
import pytest

from rrp_portal.embedded import portal
from rrp_portal.embedded.places import PROJECT, CannotStart
from rrp_portal.embedded.supervisor import Process, Supervisor

SLEEPER = "import subprocess, sys, time; print(subprocess.Popen(['sleep', '600']).pid, flush=True); time.sleep(600)"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A run folder of one's own."""
    monkeypatch.setenv("RRP_RUN_FOLDER", str(tmp_path))
    return tmp_path


def _until(true, seconds=30.0):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if value := true():
            return value
        time.sleep(0.05)
    raise AssertionError(f"Not within {seconds} s.")


def _lives(pid):
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_grandchildren_end_with_their_process(capsys):
    supervisor = Supervisor([Process("kin", [sys.executable, "-c", SLEEPER], os.environ)])
    supervisor.start()
    process = supervisor.processes[0].popen
    grandchild = _until(lambda: [child.pid for child in psutil.Process(process.pid).children()])[0]
    supervisor.stop()
    _until(lambda: not _lives(grandchild), 5)
    assert not _lives(process.pid)


def test_a_process_that_ignores_the_request_is_killed_when_hurried():
    stubborn = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
    )
    supervisor = Supervisor([Process("stubborn", [sys.executable, "-c", stubborn], os.environ)])
    supervisor.start()
    time.sleep(0.5)
    supervisor.hurry = True
    began = time.monotonic()
    supervisor.stop()
    assert time.monotonic() - began < 2
    assert not _lives(supervisor.processes[0].popen.pid)


def test_a_crashed_process_comes_back_after_a_pause(tmp_path, capsys):
    count = tmp_path / "count"
    crash = f"open({str(count)!r}, 'a').write('x'); raise SystemExit(3)"
    supervisor = Supervisor([Process("weak", [sys.executable, "-c", crash], os.environ)])
    supervisor.start()
    watching = threading.Thread(target=supervisor.watch)
    watching.start()
    _until(lambda: count.exists() and len(count.read_text()) >= 2)
    supervisor.stopping.set()
    watching.join()
    supervisor.stop()
    assert "weak ended with code 3; it starts again in 1 s." in capsys.readouterr().out


def test_a_taken_port_gets_one_sentence(folder, monkeypatch):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        monkeypatch.setenv("PORT", str(taken.getsockname()[1]))
        with pytest.raises(CannotStart, match=r"Port \d+ is taken: stop what uses it, or choose another"):
            portal.run()


@pytest.mark.parametrize("port", ["eighty", "0", "70000"])
def test_a_nonsensical_port_gets_one_sentence(folder, monkeypatch, port):
    monkeypatch.setenv("PORT", port)
    with pytest.raises(CannotStart, match="PORT must be a number"):
        portal.run()


def test_a_full_disk_gets_one_sentence(folder, monkeypatch):
    monkeypatch.setenv("PORT", str(_free_port()))
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(100, 99, 1))
    with pytest.raises(CannotStart, match="is full: 0 MB are free"):
        portal.run()


def _install(folder, what, **fakes):
    """Run a copy of the installer in a bare folder where the named programs are replaced by scripts."""
    programs = folder / "bin"
    programs.mkdir()
    for name in ("sh", "dirname", "cat", "cmp", "df", "awk", "mkdir", "grep", "tail", "cp", "node"):
        if found := shutil.which(name):
            (programs / name).symlink_to(found)
    for name, script in fakes.items():
        (programs / name).unlink(missing_ok=True)
        (programs / name).write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        (programs / name).chmod(0o755)
    (folder / "tools").mkdir()
    shutil.copy(PROJECT / "tools" / "install.sh", folder / "tools")
    for name in ("requirements.txt", "requirements-dev.txt", "package-lock.json"):
        shutil.copy(PROJECT / name, folder)
    done = subprocess.run(
        ["sh", "tools/install.sh", what], cwd=folder, env={"PATH": str(programs)}, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    return done.stderr


def test_an_old_python_gets_one_sentence(tmp_path):
    words = _install(tmp_path, "python", python3='[ "$1" = -V ] && echo "Python 3.9.2"; exit 1')
    assert words.startswith("The portal needs Python 3.11 or later, and python3 is Python 3.9.2")


def test_a_missing_python_gets_one_sentence(tmp_path):
    assert _install(tmp_path, "python").startswith("There is no python3: install Python 3.11 or later")


def test_a_disk_too_full_to_install_gets_one_sentence(tmp_path):
    words = _install(tmp_path, "python", python3="exit 0", df='printf "head\\nfs 1 1 2048 99%% /\\n"')
    assert words.startswith("The disk is full: 2 MB are free, and installing needs about 1000 MB.")


def test_a_disk_that_fills_while_installing_gets_one_sentence(tmp_path):
    full = 'case "$1" in -c) exit 0;; esac; echo "OSError: [Errno 28] No space left on device"; exit 1'
    assert _install(tmp_path, "python", python3=full).startswith("The disk is full: free some space")


def test_a_missing_npm_gets_one_sentence(tmp_path):
    assert _install(tmp_path, "node", node="exit 0").startswith("There is no npm: install Node.js 20 or later")


def test_the_whole_portal_starts_and_stops(folder):
    port = _free_port()
    ours = {k: v for k, v in os.environ.items() if k not in {"DATABASE_URL", "REDIS_URL", "DEBUG", "ALLOWED_HOSTS"}}
    command = [sys.executable, "-m", "rrp_portal.embedded", "run"]
    log = (folder / "log").open("w+")
    running = subprocess.Popen(
        command, cwd=PROJECT, env=ours | {"PORT": str(port), "DEMONSTRATION": "false"}, stdout=log, stderr=log
    )
    try:
        _until(lambda: running.poll() is not None or "The portal runs at" in (folder / "log").read_text(), 300)
        assert running.poll() is None, (folder / "log").read_text()[-2000:]
        assert _status(f"http://127.0.0.1:{port}/healthz") == 200
        _until(lambda: _status(f"http://127.0.0.1:{port}/readyz") == 200, 60)

        again = subprocess.run(command, cwd=PROJECT, env=ours, capture_output=True, text=True)
        assert again.returncode == 1
        assert again.stderr.startswith(f"The portal already runs from this folder: http://127.0.0.1:{port}/")
        assert again.stderr.count("\n") == 1

        web = next(p for p in psutil.Process(running.pid).children() if "gunicorn" in " ".join(p.cmdline()))
        web.kill()
        _until(lambda: _status(f"http://127.0.0.1:{port}/healthz") == 200, 60)
        started = {p.pid for p in psutil.process_iter() if str(folder) in _environment_of(p)} - {os.getpid()}
    finally:
        running.send_signal(signal.SIGINT)
        code = running.wait(60)
    assert code == 0
    assert len(started) >= 6
    _until(lambda: not any(_lives(pid) for pid in started), 5)
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=2)


def test_the_address_and_the_logins_are_printed_in_columns(tmp_path, capsys):
    logins = tmp_path / "logins"
    logins.write_text("donor\tdonor@example.org\tone\nsector_lead\tlead@example.org\ttwo\n", encoding="utf-8")
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"http://127.0.0.1:{server.getsockname()[1]}/"
        announcing = threading.Thread(target=portal._announce, args=(Supervisor([]), address, logins))
        announcing.start()
        connection, _from = server.accept()
        connection.recv(1000)
        connection.sendall(b"HTTP/1.0 200 OK\r\n\r\nok")
        connection.close()
        announcing.join(10)
    said = capsys.readouterr().out
    assert f"The portal runs at {address} (Ctrl-C stops it)" in said
    assert "  donor        donor@example.org  one\n  sector_lead  lead@example.org   two\n" in said


def _status(url):
    try:
        return urllib.request.urlopen(url, timeout=5).status
    except urllib.error.HTTPError as answer:
        return answer.code
    except OSError:
        return None


def _environment_of(process):
    try:
        return str(process.environ().get("RRP_RUN_FOLDER")) + " ".join(process.cmdline())
    except psutil.Error:
        return ""
