"""Shaping rows for pages and files: order, special rows, sentences, and findings."""

from datetime import date
from decimal import Decimal

import pytest

from funding import findings, rollups
from funding.models import PublishedTotal
from funding.rollups import FigureRow
from funding.tables import in_order, largest, undivided, value_of
from funding.views_public.asked import default_year
from funding.views_public.files import cell
from planning.services import approve_version
from tests.factories import make_flow, make_line, make_organisation, make_plan, make_requirement, make_version
from tests.funding.pages import csv_of, rows_of

TODAY = date(2026, 11, 21)


def sector(required=0, funded=0, pk=1, split="single", **fields):
    measures = {"required": Decimal(required), "funded": Decimal(funded), "original": Decimal(required)}
    return FigureRow(1, 2026, "sector", split=split, sector_id=pk if split == "single" else None, **measures | fields)


def partner(required=0, funded=0, pk=1):
    return FigureRow(
        1,
        2026,
        "partner",
        partner_id=pk,
        required=Decimal(required),
        original=Decimal(required),
        funded=Decimal(funded),
    )


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("=1+1", "'=1+1"),
        ("+41 22", "'+41 22"),
        ("-cmd", "'-cmd"),
        ("@SUM(A1)", "'@SUM(A1)"),
        (" =1", "' =1"),
        ("\t=1", "'\t=1"),
        ("Côte d’Ivoire", "Côte d’Ivoire"),
        (Decimal("-615694"), "-615694.00"),
        (Decimal("66.5"), "66.50"),
        (0, "0"),
        (True, "yes"),
        (None, ""),
        (TODAY, "2026-11-21"),
    ],
)
def test_a_cell_of_a_file_is_never_a_formula_and_a_number_stays_a_number(value, written):
    assert cell(value) == written


@pytest.mark.parametrize(
    ("years", "shown"),
    [([2024, 2025, 2027], 2025), ([2026, 2027], 2026), ([2027, 2028], 2027), ([2019], 2019), ([], 2026)],
)
def test_the_year_shown_is_the_newest_that_has_begun(years, shown):
    assert default_year(years, TODAY) == shown


@pytest.mark.requirement("BR-10")
def test_special_rows_come_last_whatever_the_order():
    rows = [
        sector(split="shared", funded=900),
        sector(10, 5, pk=1),
        sector(split="not_specified", funded=99),
        sector(20, 0, pk=2),
    ]

    for sort in ("", "funded", "-funded", "unmet", "coverage", "nonsense"):
        ordered = in_order("sectors", rows, sort)
        assert [row.split for row in ordered[:2]] == ["single", "single"]
    assert [row.sector_id for row in in_order("sectors", rows)[:2]] == [2, 1]
    assert [row.sector_id for row in in_order("sectors", rows, "-funded")[:2]] == [1, 2]


def test_a_cut_table_keeps_its_special_rows():
    rows = [partner(100 - number, pk=number + 1) for number in range(30)] + [partner(5, 3, pk=None)]

    shown = largest(in_order("partners", rows), 10)

    assert [row.partner_id for row in shown] == [*range(1, 11), None]


@pytest.mark.requirement("BR-19")
def test_what_has_no_requirement_has_no_coverage_and_no_unmet_need():
    row = sector(0, 500)

    assert [value_of(row, measure) for measure in ("required", "coverage", "unmet", "over", "funded")] == [
        None,
        None,
        None,
        None,
        500,
    ]
    assert value_of(sector(0, 500, split="shared"), "coverage") is None
    assert value_of(sector(99, -6, split="not_specified"), "coverage") is None


def test_a_requirement_without_partners_is_said_once_for_the_table():
    rows = [partner(0, 50, pk=1), partner(4_695_986_530, 0, pk=None)]

    assert undivided("partners", rows).startswith("4,695,986,530 USD of the requirement is not broken down by partner")
    assert undivided("partners", [partner(10, 5)]) == ""


@pytest.mark.parametrize(
    ("required", "funded", "words"),
    [
        (0, 0, "Nothing is required"),
        (0, 5, "Money has come, and nothing is required"),
        (100, 0, "Nothing has come yet"),
        (100, 10, "Less than a quarter has come"),
        (100, 25, "A quarter has come"),
        (100, 28, "More than a quarter has come"),
        (100, 33, "A third has come"),
        (100, 40, "Less than half has come"),
        (100, 50, "Half has come"),
        (100, 60, "More than half has come"),
        (1000, 665, "Two thirds have come"),
        (100, 70, "More than two thirds have come"),
        (100, 75, "Three quarters have come"),
        (100, 90, "More than three quarters have come"),
        (100, 100, "All that is needed has come"),
        (100, 117, "More has come than is required"),
    ],
)
def test_the_share_that_has_come_is_said_in_words(required, funded, words):
    assert findings.share_that_has_come(sector(required, funded)) == words


def test_partners_that_received_nothing_are_counted_once():
    assert (
        findings.of_partners([partner(10, 5, 1), partner(10, 0, 2), partner(0, 0, 3)])
        == "1 of 2 partners has received nothing"
    )
    assert findings.of_partners([partner(10, 5, 1)]) == "Every partner that appeals has received something"
    assert findings.of_partners([partner(0, 5, 1), partner(9, 0, None)]) == "1 partner received money"
    assert findings.of_partners([]) == ""


@pytest.mark.django_db
@pytest.mark.requirement("BR-19")
def test_plans_without_a_recorded_requirement_stay_out_of_the_headline_and_are_named(client):
    known, unknown = make_plan("RONE26"), make_plan("RTWO26")
    partners = make_organisation(), make_organisation()
    make_version(known, [("XAA", "PROT", partners[0], 1_000_000)], approved_on=date(2026, 1, 5))
    for plan, organisation, amount in ((known, partners[0], 500_000), (unknown, partners[1], 700_000)):
        make_line(
            make_flow(make_organisation(type="gov_donor"), organisation, amount), plan, country="XAA", sector="PROT"
        )
    rollups.recompute_stale()

    html = client.get("/").content.decode()

    assert ">50%</bdi>" in html
    assert "120%" not in html
    assert "A further 700,000 USD has come for plans whose requirement is not recorded here" in html


@pytest.mark.django_db
def test_a_country_has_its_own_part_of_a_plans_tables(client):
    plan, organisations = make_plan("RONE26", countries=("XAA", "XBB")), [make_organisation() for _number in range(15)]
    lines = [("XAA", "PROT", organisation, 1_000) for organisation in organisations] + [
        ("XBB", "PROT", organisations[0], 50)
    ]
    make_version(plan, lines, approved_on=date(2026, 1, 5))
    rollups.recompute_stale()

    page, whole = client.get("/countries/XAA/"), client.get("/plans/RONE26/partners/?country=XAA")
    file = csv_of(client.get("/plans/RONE26/partners.csv?country=XAA"))

    assert len(rows_of(page, "partners")) == 12
    assert len(rows_of(whole, "partners")) == 17
    assert rows_of(whole, "partners")["Total"][0] == "15,000"
    assert {row["place_code"] for row in file[:-1]} == {"XAA"}
    assert (len(file), file[-1]["required_usd"]) == (16, "15000.00")
    assert client.get("/plans/RONE26/partners/?country=ZZZ").status_code == 404


@pytest.mark.django_db
def test_totals_that_others_published_do_not_pretend_to_know_what_is_paid(client):
    plan = make_plan("RPUB26", fts_id=4711)
    version = make_version(plan)
    make_requirement(version, "XAA", "PROT", make_organisation(), 1_000_000)
    approve_version(version, approved_on=date(2026, 1, 5))
    PublishedTotal.objects.create(
        plan=plan, year=2026, dimension="total", funded_usd=400_000, source="OCHA FTS", as_of=date(2026, 3, 5)
    )
    plan.plan_years.update_or_create(year=2026, defaults={"basis": "published"})
    rollups.recompute(plan.pk, 2026)

    html = client.get("/plans/RPUB26/").content.decode()

    assert "published as totals on 5 March 2026" in html
    assert "how much of it is paid is not known" in html
    assert "of it paid" not in html.replace("how much of it is paid", "")
    assert 'class="committed"' in html
