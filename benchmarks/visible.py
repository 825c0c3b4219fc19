"""How long after a write its figure is right: from the answer of the API to the figure in the table, with a real worker."""

import json
import os
import statistics
import subprocess
import sys
import time

import scratch  # isort: skip  (it starts the services that the settings need)
from django.db import connection
from django.test import Client
from rollups import execute, seed

from funding.models import Flow
from funding.rollups import oldest_stale_at, rebuild
from rrp_portal.reference.models import Currency, User

WRITES = 100


def main() -> None:
    with scratch.database() as url:
        seed(70, 5, 286)
        rebuild()
        execute("SELECT setval('funding_flow_id_seq', 1000000), setval('funding_flowline_id_seq', 1000000)")
        Currency.objects.get_or_create(code="USD", defaults={"name": "US dollar"})
        client = Client()
        client.force_login(User.objects.create_user("tracker@example.org", is_superuser=True))
        worker = subprocess.Popen(
            [sys.executable, "-m", "celery", "-A", "rrp_portal", "worker", "--pool", "solo", "--loglevel", "ERROR"],
            env=os.environ | {"DATABASE_URL": url}, cwd=scratch.PROJECT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            measure(client)
        finally:
            worker.terminate()
            worker.wait()
            connection.close()


def write(client: Client, number: int) -> None:
    body = {
        "donor": 41 + number % 30, "recipient": 1 + number % 40, "original_amount": f"{1000 + number}.17", "currency": "USD", "status": "paid",
        "decided_on": "2026-02-01", "reference": f"bench {number}",
        "lines": [{"plan": f"B{1 + number % 70}", "year": 2021, "country": "XAA", "plan_sector": None}],
    }  # fmt: skip
    answer = client.post("/api/v1/flows/", json.dumps(body), content_type="application/json")
    if answer.status_code != 201:
        raise RuntimeError(answer.content)


def fresh() -> float:
    start = time.perf_counter()
    while oldest_stale_at() is not None:
        time.sleep(0.002)
    return (time.perf_counter() - start) * 1000


def measure(client: Client) -> None:
    write(client, 0)
    fresh()
    writes, waits = [], []
    for number in range(1, WRITES + 1):
        start = time.perf_counter()
        write(client, number)
        writes.append((time.perf_counter() - start) * 1000)
        waits.append(fresh())
    waits.sort()
    print(f"{Flow.objects.count():,} flows; a write through the API: {statistics.median(writes):.0f} ms")
    print(
        f"visible in the figures after: p50 {statistics.median(waits):.0f} ms, p95 {waits[int(len(waits) * 0.95)]:.0f} ms"
    )


if __name__ == "__main__":
    main()
