"""22,000 FTS flows through the import, twice: seconds and peak memory. Run with `python benchmarks/import_fts.py`.

The database is a scratch one on the embedded test server; nothing else is touched. The flows are invented: 40 plans, 600 organisations,
every third flow in another currency, every tenth shared between sectors, every seventh with a parent. The bounds are 30 seconds and
300 MB on two cores that have nothing else to do.
"""

import argparse
import io
import json
import os
import random
import resource
import sys
import tempfile
import time
from pathlib import Path

import scratch
from django.conf import settings
from django.core.files import File
from django.core.management import call_command

import funding.tasks  # noqa: F401  registers the job
from funding import rollups
from funding.imports import start_import
from rrp_portal.jobs import services

MOST_SECONDS, MOST_MEGABYTES = 30, 300


def thing(kind, number, name, behavior="single", **more):
    return {"type": kind, "id": str(number), "name": name, "behavior": behavior, **more}


def organisation(number):
    kinds = {
        "organizationTypes": ["NGOs"],
        "organizationSubTypes": ["International NGOs"],
        "organizationLevels": ["International Actors"],
    }
    return thing("Organization", 100_000 + number, f"Organisation {number}", **kinds)


def flow(number, chance):
    plan = number % 40
    shared = "shared" if number % 10 == 0 else "single"
    clusters = [
        thing("Cluster", 50_000 + plan * 10 + n, f"Cluster {n}", shared) for n in range(2 if shared == "shared" else 1)
    ]
    money = (
        {"originalAmount": chance.randint(1, 10**7), "originalCurrency": "EUR", "exchangeRate": 0.912}
        if number % 3 == 0
        else {}
    )
    year = thing("UsageYear", 46, "2025")
    return {
        "id": str(500_000 + number),
        "amountUSD": chance.randint(-10_000, 10**7),
        "budgetYear": "2025",
        "contributionType": "financial",
        "createdAt": "2025-02-01T10:00:00.000Z",
        "date": "2025-02-01T00:00:00Z",
        "decisionDate": "2025-01-20T00:00:00Z",
        "description": "An invented contribution that says in some words what it is for. " * 5,
        "grandBargainEarmarkingType": ["earmarked"],
        "firstReportedDate": "2025-02-03T00:00:00Z",
        "flowType": "Standard",
        "keywords": ["Multiyear"],
        "newMoney": True,
        "method": "Traditional aid",
        "parentFlowId": 500_000 + number - 1 if number % 7 == 0 else None,
        "status": chance.choice(["paid", "commitment"]),
        "updatedAt": "2025-02-05T12:00:00.000Z",
        "versionId": 1,
        "sourceObjects": [organisation(chance.randrange(60)), thing("Location", 217, "Switzerland"), year],
        "destinationObjects": [
            thing("Plan", 7000 + plan, f"Invented Regional Refugee Response Plan {plan} 2025"),
            organisation(60 + chance.randrange(540)),
            *clusters,
            thing("GlobalCluster", 7, "Health"),
            thing("Location", 1 + number % 5, f"Location {number % 5}"),
            year,
        ],
        "reportDetails": [{"sourceType": "Primary", "organization": "Organisation", "reportChannel": "Email"}],
        "refCode": f"REF-{number}",
    } | money


def write(path, flows):
    chance = random.Random(7)
    with path.open("w", encoding="utf-8") as file:
        file.write('{"data": {"flows": [')
        for number in range(flows):
            file.write(("," if number else "") + json.dumps(flow(number, chance)))
        file.write("]}}")


def run(path):
    with path.open("rb") as file:
        job = start_import(None, [File(file, name=path.name)], wake=False)
    wall, work = time.perf_counter(), time.process_time()
    services.run(job.pk)
    wall, work = time.perf_counter() - wall, time.process_time() - work
    job.refresh_from_db()
    if job.state != "done":
        sys.exit(job.error)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    counts = {outcome: count for outcome, count in job.result["counts"].items() if count}
    print(f"{counts}: {wall:.1f} s, of it {work:.1f} s in this process, peak {peak:.0f} MB")
    return wall, peak


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--flows", type=int, default=22_000)
    options = parser.parse_args()
    settings.DEBUG = False  # which would keep every statement in memory
    with scratch.database(), tempfile.TemporaryDirectory() as folder:
        call_command("load_reference", stdout=io.StringIO())
        path = Path(folder) / "flows.json"
        write(path, options.flows)
        print(f"{options.flows:,} flows, {path.stat().st_size / 2**20:.0f} MB; load average {os.getloadavg()[0]:.1f}")
        first, peak = run(path)
        started = time.perf_counter()
        done = rollups.recompute_stale()
        print(f"{done} plan-years recomputed in {time.perf_counter() - started:.1f} s")
        _second, peak = run(path)
    if first > MOST_SECONDS or peak > MOST_MEGABYTES:
        sys.exit(f"more than {MOST_SECONDS} s or {MOST_MEGABYTES} MB")


if __name__ == "__main__":
    main()
