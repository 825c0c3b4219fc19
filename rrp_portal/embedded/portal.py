"""`make run`: the whole portal on one machine."""

import errno
import fcntl
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rrp_portal.embedded import local, services
from rrp_portal.embedded.places import PROJECT, CannotStart, run_folder
from rrp_portal.embedded.supervisor import Process, Supervisor, say

NEEDED_BYTES = 300_000_000
PATIENCE = 120.0


def run() -> int:
    """Start everything, keep it running until Ctrl-C, stop everything; the exit code."""
    host, port = os.environ.get("BIND") or "127.0.0.1", _port()
    address = f"http://{'127.0.0.1' if host == '0.0.0.0' else host}:{port}/"  # noqa: S104
    with _only_one(address):
        _check_disk()
        _check_port(host, port)
        supervisor = Supervisor([])
        supervisor.install_signals()
        try:
            with services.for_running() as found:
                return _serve(supervisor, local.environment(found, debug=False), address)
        except OSError as reason:
            if reason.errno != errno.ENOSPC:
                raise
            raise CannotStart(f"The disk of {PROJECT} is full: free some space and try again.") from None


def _serve(supervisor: Supervisor, environment: dict[str, str], address: str) -> int:
    logins = run_folder() / "logins"
    say("Preparing the database ...")
    prepare = [sys.executable, "-m", "rrp_portal.embedded.prepare", str(logins)]
    preparing = subprocess.Popen(prepare, env=environment, cwd=PROJECT, start_new_session=True)
    while preparing.poll() is None:
        if supervisor.stopping.wait(0.1):
            preparing.terminate()
    if preparing.returncode:
        return 0 if supervisor.stopping.is_set() else 1
    supervisor.processes = _processes(environment)
    try:
        supervisor.start()
        threading.Thread(target=_end_with_make, args=(supervisor, os.getppid()), daemon=True).start()
        threading.Thread(target=_announce, args=(supervisor, address, logins), daemon=True).start()
        supervisor.watch()
    finally:
        say("Stopping ...")
        supervisor.stop()
    return 0


def _processes(environment: dict[str, str]) -> list[Process]:
    celery = [sys.executable, "-m", "celery", "--quiet", "--app", "rrp_portal"]
    concurrency = environment.get("WORKER_CONCURRENCY") or "2"
    worker = ["worker", "--loglevel", "WARNING", "--concurrency", concurrency, "--without-gossip", "--without-mingle"]
    beat = ["beat", "--loglevel", "WARNING", "--schedule", str(run_folder() / "beat-schedule"), "--pidfile="]
    web = [sys.executable, "-m", "gunicorn", "--config", "rrp_portal/gunicorn.conf.py", "rrp_portal.wsgi"]
    commands = {"web": web, "worker": celery + worker, "beat": celery + beat}
    return [Process(name, command, environment) for name, command in commands.items()]


def _announce(supervisor: Supervisor, address: str, logins: Path) -> None:
    """Once the portal answers, print its address and one demonstration login per role."""
    until = time.monotonic() + PATIENCE
    while not _answers(f"{address}healthz"):
        if supervisor.stopping.wait(0.1):
            return
        if time.monotonic() > until:
            say(f"The portal does not answer at {address} yet; the lines above say why.")
            return
    say(f"\nThe portal runs at {address} (Ctrl-C stops it)\n")
    rows = [line.split("\t") for line in logins.read_text(encoding="utf-8").splitlines() if line.count("\t") == 2]
    if rows:
        say("Demonstration logins:")
        widths = [max(len(row[column]) for row in rows) for column in range(3)]
        for row in rows:
            say("  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
        say("")


def _end_with_make(supervisor: Supervisor, parent: int) -> None:
    """Stop when the `make` that started us was killed: nobody could press Ctrl-C any more."""
    while "MAKELEVEL" in os.environ and not supervisor.stopping.wait(1):
        if os.getppid() != parent:
            supervisor.stopping.set()


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5):  # noqa: S310  (the portal's own address)
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


def _port() -> int:
    text = os.environ.get("PORT") or "8000"
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise CannotStart(f"PORT must be a number between 1 and 65535, not {text!r}.")
    return int(text)


def _check_port(host: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except PermissionError:
            raise CannotStart(f"Port {port} needs more rights: choose another, as in `make run PORT=8001`.") from None
        except OSError as reason:
            if reason.errno != errno.EADDRINUSE:
                raise CannotStart(f"BIND={host} is not an address of this machine.") from None
            sentence = f"Port {port} is taken: stop what uses it, or choose another, as in `make run PORT={port + 1}`."
            raise CannotStart(sentence) from None


def _check_disk() -> None:
    free = shutil.disk_usage(PROJECT).free
    if free < NEEDED_BYTES:
        words = f"{free // 1_000_000} MB are free, and the portal needs {NEEDED_BYTES // 1_000_000} MB to start."
        raise CannotStart(f"The disk of {PROJECT} is full: {words}")


@contextmanager
def _only_one(address: str) -> Iterator[None]:
    """Refuse a second portal from the same folder: both would use one database and one queue."""
    with (run_folder() / "portal.lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            where = file.read().strip() or "another terminal"
            raise CannotStart(f"The portal already runs from this folder: {where}.") from None
        file.truncate(0)
        file.write(f"{address}, process {os.getpid()}")
        file.flush()
        yield
