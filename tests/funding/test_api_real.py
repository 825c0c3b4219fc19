"""The figures that OCHA published for Afghanistan 2020, through import, roll-up and API."""

import csv
import os
from pathlib import Path

import pytest
from django.core.cache import cache
from django.core.management import call_command

pytestmark = [pytest.mark.django_db, pytest.mark.real_data]


@pytest.fixture
def folder():
    if "RRP_REAL_DATA" not in os.environ:
        pytest.skip("RRP_REAL_DATA does not name the folder of published data")
    cache.clear()
    return Path(os.environ["RRP_REAL_DATA"]) / "fts"


@pytest.mark.requirement("BR-07", "BR-08", "BR-10", "BR-11")
def test_afghanistan_2020_agrees_with_what_ocha_published_to_the_dollar(client, folder):
    call_command("load_reference", verbosity=0)
    answers = sorted((folder / "api_2020_afghanistan").glob("*.json"))
    call_command("import_fts", *[str(path) for path in answers], "--plan", "929", verbosity=0)
    (plan,) = [p for p in client.get("/api/v1/plans/", {"year": 2020}).json()["results"] if p["fts_id"] == 929]

    def table(level):
        query = {"plan": plan["code"], "year": 2020, "level": level, "page_size": 1000}
        return client.get("/api/v1/figures/", query).json()["results"]

    (total,) = table("total")
    assert (total["required"], total["funded"]) == ("1131050820.00", "564467765.00")
    assert (total["net_gap"], total["coverage"]) == ("566583055.00", "49.91")

    with (folder / "hdx_2020_afghanistan" / "fts_requirements_funding_cluster_afg.csv").open(
        encoding="utf-8-sig"
    ) as file:
        published = {
            row["cluster"]: (f"{row['requirements'] or 0}.00", f"{row['funding'] or 0}.00")
            for row in csv.DictReader(file)
            if row["code"] == "HAFG20" and row["clusterCode"]
        }
    ours = {row["sector_name"]: (row["required"], row["funded"]) for row in table("sector") if row["plan_sector"]}
    assert {name: ours.get(name, ("0.00", "0.00")) for name in published} == published

    identity = client.get("/api/v1/figures/identity/", {"plan": plan["code"], "year": 2020, "level": "sector"}).json()
    assert (identity["holds"], identity["net_gap"]) == (True, "566583055.00")
