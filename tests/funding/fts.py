"""Flows as FTS writes them, and a short way to import them; every number in them is invented."""

import gzip
import json

from django.core.files.base import ContentFile

import funding.tasks  # noqa: F401  registers the job
from funding.imports import start_import
from rrp_portal.jobs import services
from rrp_portal.reference.models import Country, GlobalCluster, OrganisationType
from tests.factories import make_organisation_type, make_sector

YEARS = {2024: 45, 2025: 46, 2026: 47}


def make_reference():
    """The few lists that an import needs."""
    for code, types in (
        ("other", []),
        ("un_agency", ["UN agency"]),
        ("gov_donor", ["Government"]),
        ("pooled_fund", ["Pooled fund"]),
    ):
        make_organisation_type(code)
        OrganisationType.objects.filter(code=code).update(fts_types=types)
    for iso3, fts_id in (("XAA", 901), ("XBB", 902)):
        Country.objects.get_or_create(iso3=iso3, defaults={"name": f"Country {iso3}", "fts_id": fts_id})
    for code, name, fts_id in (("HLTH", "Health", 7), ("PROT", "Protection", 10), ("OTHR", "Other", 26481)):
        GlobalCluster.objects.get_or_create(
            fts_id=fts_id, defaults={"name": name, "sector": make_sector(code, name=name)}
        )


def organisation(fts_id, name, kind="UN agency"):
    return {"type": "Organization", "id": str(fts_id), "name": name, "behavior": "single", "organizationTypes": [kind]}


def thing(kind, fts_id, name, behavior="single"):
    return {"type": kind, "id": str(fts_id), "name": name, "behavior": behavior}


DONOR = organisation(11, "Government V", "Government")
AGENCY = organisation(12, "Agency W")
PLAN = thing("Plan", 801, "Kivara Regional Refugee Response Plan 2026")
HEALTH = thing("Cluster", 5001, "Health")
PROTECTION = thing("Cluster", 5002, "Protection")
XAA = thing("Location", 901, "Country XAA")
XBB = thing("Location", 902, "Country XBB")


def year(number):
    return thing("UsageYear", YEARS[number], str(number))


def flow(fts_id=1001, amount=100_000, *, source=None, destination=None, **values):
    """A flow from Government V to Agency W for health in country XAA, unless it says something else."""
    source = [DONOR, year(2026)] if source is None else source
    destination = [PLAN, AGENCY, HEALTH, XAA, year(2026)] if destination is None else destination
    return {
        "id": str(fts_id),
        "amountUSD": amount,
        "budgetYear": "2026",
        "childFlowIds": None,
        "contributionType": "financial",
        "createdAt": "2026-02-01T10:00:00.000Z",
        "date": "2026-02-01T00:00:00Z",
        "decisionDate": None,
        "description": "Support",
        "grandBargainEarmarkingType": ["softly earmarked"],
        "exchangeRate": None,
        "firstReportedDate": "2026-02-03T00:00:00Z",
        "flowType": "Standard",
        "keywords": None,
        "newMoney": True,
        "originalAmount": None,
        "originalCurrency": None,
        "method": "Traditional aid",
        "parentFlowId": None,
        "status": "paid",
        "updatedAt": "2026-02-05T12:00:00.000Z",
        "versionId": 1,
        "sourceObjects": source,
        "destinationObjects": destination,
        "boundary": "incoming",
        "onBoundary": "single",
        "reportDetails": [{"organization": "Agency W"}],
        "refCode": "REF-1",
    } | values


def page(*flows, next_link=None):
    """An answer of the API."""
    meta = {"language": "en", "count": len(flows)} | ({"nextLink": next_link} if next_link else {})
    return json.dumps({"status": "ok", "data": {"incoming": {}, "flows": list(flows)}, "meta": meta}).encode()


def lines(*flows):
    return "\n".join(json.dumps(one) for one in flows).encode()


def packed(content):
    return gzip.compress(content)


def bring_in(*files, **options):
    """Import the files, each bytes or (bytes, name); returns the finished job."""
    named = [file if isinstance(file, tuple) else (file, f"flows-{n}.json") for n, file in enumerate(files)]
    job = start_import(None, [ContentFile(content, name=name) for content, name in named], wake=False, **options)
    services.run(job.pk)
    job.refresh_from_db()
    return job


def counts(job):
    """The outcomes that are not zero."""
    assert job.state == "done", job.error
    return {outcome: count for outcome, count in job.result["counts"].items() if count}


def sentences(job, outcome):
    return [f"{row.subject}: {row.sentence}" for row in job.rows.filter(outcome=outcome).order_by("pk")]
