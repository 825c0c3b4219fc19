"""Flows of the CSV files of the Humanitarian Data Exchange: the same flows with less about them."""

import csv
import io

import pytest

from funding.imports.hdx import _names
from funding.models import Flow, FlowLine
from rrp_portal.reference.models import Organisation
from tests.funding.fts import (
    HEALTH,
    PLAN,
    XAA,
    bring_in,
    counts,
    flow,
    make_reference,
    organisation,
    page,
    sentences,
    year,
)

pytestmark = pytest.mark.django_db

COLUMNS = (
    "date,budgetYear,description,amountUSD,srcOrganization,srcOrganizationTypes,srcLocations,srcUsageYearStart,"
    "srcUsageYearEnd,destPlan,destPlanCode,destPlanId,destOrganization,destOrganizationTypes,destGlobalClusters,"
    "destLocations,destProject,destProjectCode,destEmergency,destUsageYearStart,destUsageYearEnd,contributionType,"
    "flowType,method,boundary,onBoundary,status,firstReportedDate,decisionDate,keywords,originalAmount,originalCurrency,"
    "exchangeRate,id,refCode,createdAt,updatedAt"
)
USUAL = {
    "date": "2026-02-01",
    "budgetYear": "2026",
    "description": "Support",
    "amountUSD": "100000",
    "srcOrganization": "Government V",
    "srcOrganizationTypes": "Government",
    "srcUsageYearStart": "2026",
    "srcUsageYearEnd": "2026",
    "destPlan": "Kivara Regional Refugee Response Plan 2026",
    "destPlanCode": "RKIV26",
    "destPlanId": "801",
    "destOrganization": "Agency W",
    "destOrganizationTypes": "UN agency",
    "destGlobalClusters": "Health",
    "destLocations": "XAA",
    "destUsageYearStart": "2026",
    "destUsageYearEnd": "2026",
    "contributionType": "financial",
    "flowType": "Standard",
    "method": "Traditional aid",
    "boundary": "incoming",
    "onBoundary": "single",
    "status": "paid",
    "firstReportedDate": "2026-02-03",
    "id": "1001",
    "refCode": "REF-1",
    "createdAt": "2026-02-01",
    "updatedAt": "2026-02-05",
}


@pytest.fixture(autouse=True)
def reference():
    make_reference()


def table(*rows):
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS.split(","))
    writer.writeheader()
    writer.writerows(USUAL | row for row in rows)
    return out.getvalue().encode(), "fts_incoming_funding.csv"


def test_a_row_comes_in_with_what_the_file_says_and_the_sector_of_the_plan_open():
    job = bring_in(table({"keywords": "Multiyear,USA/BPRM"}))

    found, line = Flow.objects.get(), FlowLine.objects.get()
    assert counts(job) == {"created": 1}
    assert (found.fts_version, found.amount_usd, found.donor.name, found.keywords) == (
        None,
        100_000,
        "Government V",
        ["Multiyear", "USA/BPRM"],
    )
    assert (line.plan.code, line.year, line.country_id) == ("RKIV26", 2026, "XAA")
    assert (line.split, line.sector, line.global_sector.code, line.named_sectors) == (
        "not_specified",
        None,
        "HLTH",
        ["Health"],
    )


def test_the_same_csv_twice_changes_nothing():
    content = table({}, {"id": "1002", "srcOrganization": "", "destLocations": "XAA,XBB", "destUsageYearStart": "2024"})
    bring_in(content)

    assert counts(bring_in(content)) == {"unchanged": 2}
    shared = FlowLine.objects.get(flow__fts_id=1002)
    assert (shared.place, shared.named_countries, shared.year, shared.named_years) == (
        "shared",
        ["XAA", "XBB"],
        None,
        [2024, 2025, 2026],
    )


def test_a_newer_csv_updates_and_an_older_one_is_ignored():
    bring_in(table({}))

    newer = bring_in(table({"amountUSD": "90000", "updatedAt": "2026-03-01"}))
    older = bring_in(table({"amountUSD": "80000", "updatedAt": "2026-02-01"}))

    assert (counts(newer), counts(older)) == ({"updated": 1}, {"ignored": 1})
    assert Flow.objects.get().amount_usd == 90_000
    assert "2026-02-01; the portal has it as of 2026-03-01" in sentences(older, "ignored")[0]


def test_what_fts_itself_said_is_never_overwritten_by_a_csv():
    bring_in(page(flow()))

    same = bring_in(table({"description": "less"}))
    newer = bring_in(table({"amountUSD": "1", "updatedAt": "2026-04-01"}))

    assert counts(same) == {"unchanged": 1}
    assert same.result["facts"][0]["values"] == {"count": 1}
    assert counts(newer) == {"ignored": 1}
    assert "Fetch its plan from FTS" in sentences(newer, "ignored")[0]
    assert (Flow.objects.get().amount_usd, FlowLine.objects.get().sector.name) == (100_000, "Health")


def test_fts_itself_completes_what_a_csv_brought_in_without_a_second_organisation():
    bring_in(table({}))

    job = bring_in(page(flow()))

    assert counts(job) == {"updated": 1}
    assert (Flow.objects.get().fts_version, FlowLine.objects.get().sector.name) == (1, "Health")
    assert dict(Organisation.objects.values_list("name", "fts_id")) == {"Government V": 11, "Agency W": 12}


@pytest.mark.requirement("BR-08", "BR-09")
def test_internal_money_is_taken_to_come_out_of_its_own_plan_which_only_fts_itself_can_deny():
    bring_in(table({"boundary": "internal", "srcLocations": "XAA", "srcOrganization": "Kivara Fund"}))
    found = Flow.objects.get()
    assert (found.source_plan.fts_id, found.source_country_id, found.is_new_money) == (801, "XAA", False)

    fund = organisation(13, "Kivara Fund", "Pooled fund")
    bring_in(
        page(
            flow(
                source=[fund, XAA, year(2026)],
                destination=[PLAN, organisation(12, "Agency W"), HEALTH, XAA, year(2026)],
            )
        )
    )

    assert Flow.objects.get().source_plan is None


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ("", []),
        ("Health", ["Health"]),
        ("Housing, Land and Property", ["Housing, Land and Property"]),
        (
            "Gender Based Violence,Housing, Land and Property,Protection",
            ["Gender Based Violence", "Housing, Land and Property", "Protection"],
        ),
        ("Health,Something New", ["Health", "Something New"]),
    ],
)
def test_names_with_commas_inside_are_told_apart(found, expected):
    assert _names(found, ["Health", "Housing, Land and Property", "Protection"]) == expected
