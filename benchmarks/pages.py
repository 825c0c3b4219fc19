"""Pages and lists on a hundred thousand flows, as ratios against a bare Django list of 50 rows out of 100,000 on the same server."""

import http.client
import os
import socket
import statistics
import subprocess
import sys
import time

import scratch  # isort: skip  (it starts the services that the settings need)
from django.db import connection
from rollups import execute, seed

from funding.rollups import rebuild

REPEATS = 150
COMMON = ["--worker-class", "gthread", "--workers", "1", "--threads", "4", "--log-level", "error"]
PAGES = {
    "home, all plans": "/",
    "plan page": "/plans/B7/?year=2021",
    "flow list": "/flows/",
    "flow list, one plan": "/flows/?plan=B7",
    "organisation list": "/organisations/",
    "country page": "/countries/XAA/",
    "organisation page": "/organisations/3/",
    "API plans": "/api/v1/plans/",
    "API flows": "/api/v1/flows/",
    "API figures": "/api/v1/figures/?plan=B7&year=2021&level=sector",
}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """gunicorn with one worker, and how long it took to answer for the first time."""

    def __init__(self, application: str, environment: dict[str, str], path: str, config: list[str]) -> None:
        self.port = free_port()
        command = [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{self.port}", *config, *COMMON, application]
        self.began = time.perf_counter()
        self.process = subprocess.Popen(command, env=environment, cwd=scratch.PROJECT, stdout=subprocess.DEVNULL)
        self.first = self.wait(path)

    def wait(self, path: str) -> float:
        while True:
            try:
                self.get(path)
                return time.perf_counter() - self.began
            except OSError:
                if self.process.poll() is not None:
                    raise RuntimeError("The server ended.") from None
                time.sleep(0.01)

    def get(self, path: str, line: http.client.HTTPConnection | None = None) -> tuple[int, bytes]:
        line = line or http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        line.request("GET", path, headers={"Host": "localhost", "Accept-Encoding": "gzip"})
        answer = line.getresponse()
        return answer.status, answer.read()

    def times(self, path: str) -> tuple[float, float]:
        """p50 and p95 in milliseconds over one kept-alive connection, after a warm-up."""
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        for _ in range(10):
            status, _body = self.get(path, line)
            if status != 200:
                raise RuntimeError(f"{path} answered {status}")
        spent = []
        for _ in range(REPEATS):
            start = time.perf_counter()
            self.get(path, line)
            spent.append((time.perf_counter() - start) * 1000)
        spent.sort()
        return statistics.median(spent), spent[int(len(spent) * 0.95)]

    def memory(self) -> float:
        """Resident megabytes of the worker: the child of the master."""
        children = subprocess.run(
            ["pgrep", "-P", str(self.process.pid)], capture_output=True, text=True, check=False
        ).stdout.split()
        sizes = []
        for child in children:
            with open(f"/proc/{child}/status", encoding="ascii") as status:
                sizes += [int(row.split()[1]) / 1024 for row in status if row.startswith("VmRSS")]
        return max(sizes, default=0.0)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait()


def first_visit(server: Server) -> float:
    """Kilobytes of the home page with every file it names, as the wire carries them."""
    import gzip
    import re

    _status, body = server.get("/")
    page = gzip.decompress(body).decode() if body[:2] == b"\x1f\x8b" else body.decode()
    names = set(re.findall(r'(?:href|src)="(/static/[^"]+)"', page))
    return (len(body) + sum(len(server.get(name)[1]) for name in names)) / 1000


def main() -> None:
    with scratch.database() as url:
        seed(70, 5, 286)
        rebuild()
        execute("""CREATE TABLE bare_row AS SELECT n AS id, 'Flow ' || n AS name, 'Donor ' || n % 30 AS donor, 'Recipient ' || n % 40 AS recipient,
                          (1000 + n % 997)::numeric(17, 2) AS amount, date '2026-01-01' + n % 300 AS day FROM generate_series(1, 100000) n""")
        execute("ALTER TABLE bare_row ADD PRIMARY KEY (id)")
        execute("VACUUM ANALYZE")
        connection.close()
        environment = os.environ | {
            "DATABASE_URL": url, "DEBUG": "false", "HTTPS": "false", "ALLOWED_HOSTS": "localhost", "STATIC_ROOT": os.environ["MEDIA_ROOT"] + "/static",
            "API_RATE_ANONYMOUS": "100000/min", "PYTHONPATH": str(scratch.PROJECT / "benchmarks"),
        }  # fmt: skip
        subprocess.run(
            [sys.executable, "manage.py", "collectstatic", "--noinput", "-v0"],
            env=environment,
            cwd=scratch.PROJECT,
            check=True,
        )
        bare = Server("bare_site:application", environment, "/", ["--preload"])
        portal = Server(
            "rrp_portal.wsgi:application", environment, "/healthz", ["--config", "rrp_portal/gunicorn.conf.py"]
        )
        try:
            report(bare, portal)
        finally:
            bare.stop()
            portal.stop()


def report(bare: Server, portal: Server) -> None:
    reference, reference_95 = bare.times("/")
    without_count, _p95 = bare.times("/sliced/")
    print(
        f"bare list of 50 out of 100,000: {reference:.1f} ms with its count (p95 {reference_95:.1f}), {without_count:.1f} ms without"
    )
    for name, path in PAGES.items():
        p50, p95 = portal.times(path)
        print(
            f"{name}: p50 {p50:.1f} ms, ratio {p50 / reference:.2f} (without the count {p50 / without_count:.2f}), p95/p50 {p95 / p50:.2f}"
        )
    print(f"first visit to the home page: {first_visit(portal):.1f} kB compressed")
    print(f"start to first page: {portal.first:.2f} s, bare {bare.first:.2f} s, ratio {portal.first / bare.first:.2f}")
    print(f"memory of a web worker: {portal.memory():.0f} MB, bare {bare.memory():.0f} MB")


if __name__ == "__main__":
    main()
