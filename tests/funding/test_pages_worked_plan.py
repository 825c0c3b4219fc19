"""Every number of the worked plan on its pages and in its files (domain 4.2), and the follow-up tests that readers see."""

from datetime import date
from decimal import Decimal

import pytest
from django.utils import timezone

from funding import rollups
from tests.factories import make_line, make_version
from tests.funding.kivara import make_kivara
from tests.funding.pages import csv_of, rows_of, tables_of

pytestmark = pytest.mark.django_db
URL = "/plans/RTST26/"


@pytest.fixture
def kivara():
    kivara = make_kivara()
    rollups.recompute_stale()
    return kivara


def names(kivara, code):
    """The name of a sector in the plan by its sector's code."""
    return kivara.plan.sectors.get(sector__code=code).name


def country(kivara, iso3):
    return kivara.plan.chapters.get(country_id=iso3).country.name


@pytest.mark.requirement("BR-06", "BR-20", "BR-22", "R83")
def test_the_plan_page_shows_the_totals_with_version_day_and_source(client, kivara):
    response = client.get(URL)
    html = response.content.decode()

    assert response.status_code == 200
    for text in (
        "20.0\xa0M",
        "13.3\xa0M",
        "67%",
        "6.7\xa0M",
        "610,000",
        "of 650,000 in need",
        "Version v1, approved 2 April 2026",
    ):
        assert text in html
    for amount in ("10,400,000", "2,900,000", "1,000,000", "11,500,000", "400,000", "200,000", "2,100,000"):
        assert f">{amount}</bdi>" in html
    assert "15.79% of the funding" in html
    assert "66.50%" in html
    assert "Two thirds have come" in html


@pytest.mark.requirement("BR-10", "BR-18", "BR-19", "BR-20")
def test_the_sector_table_is_that_of_the_worked_plan(client, kivara):
    rows = rows_of(client.get(URL), "sectors")

    assert rows[names(kivara, "PROT")][:4] == ["8,200,000", "7,100,000", "87%", "1,100,000"]
    assert rows[names(kivara, "HLTH")][:4] == ["7,000,000", "2,500,000", "36%", "4,500,000"]
    assert rows[names(kivara, "EDUC")][:4] == ["3,800,000", "1,000,000", "26%", "2,800,000"]
    assert rows[names(kivara, "COOR")][:4] == ["1,000,000", "0", "0%", "1,000,000"]
    assert rows["Not specified"][:4] == ["–", "1,500,000", "n/a", "–"]
    assert rows["Shared"][:4] == ["–", "1,200,000", "n/a", "–"]
    assert rows["Total"][:4] == ["20,000,000", "13,300,000", "67%", "9,400,000"]


@pytest.mark.requirement("BR-03", "BR-10")
def test_the_country_table_is_that_of_the_worked_plan(client, kivara):
    rows = rows_of(client.get(URL), "countries")

    assert rows[country(kivara, "XAA")][:3] == ["12,000,000", "6,700,000", "56%"]
    assert rows[country(kivara, "XBB")][:3] == ["7,000,000", "5,100,000", "73%"]
    assert rows["Regional"][:3] == ["1,000,000", "0", "0%"]
    assert rows["Not specified"][:3] == ["–", "1,500,000", "n/a"]
    assert rows["Total"][:3] == ["20,000,000", "13,300,000", "67%"]


@pytest.mark.requirement("BR-18", "BR-21")
def test_the_cells_are_those_of_the_worked_plan_and_the_over_funded_one_says_so(client, kivara):
    response = client.get(URL + "matrix/")
    rows = {(row[0], row[1]): row[2:7] for row in tables_of(response)["matrix"][1:-1]}
    first, second = country(kivara, "XAA"), country(kivara, "XBB")

    assert rows[first, names(kivara, "PROT")] == ["5,200,000", "3,600,000", "69%", "1,600,000", "0"]
    assert rows[first, names(kivara, "HLTH")] == ["4,500,000", "1,900,000", "42%", "2,600,000", "0"]
    assert rows[first, names(kivara, "EDUC")] == ["2,300,000", "0", "0%", "2,300,000", "0"]
    assert rows[second, names(kivara, "PROT")] == ["3,000,000", "3,500,000", "117%", "0", "500,000"]
    assert rows[second, names(kivara, "HLTH")] == ["2,500,000", "600,000", "24%", "1,900,000", "0"]
    assert rows[second, names(kivara, "EDUC")] == ["1,500,000", "1,000,000", "67%", "500,000", "0"]
    assert rows["Regional", names(kivara, "COOR")] == ["1,000,000", "0", "0%", "1,000,000", "0"]
    assert response.content.decode().count("over-funded</span>") == 1


def test_the_matrix_shows_coverage_and_leaves_empty_what_requires_nothing(client, kivara):
    rows = rows_of(client.get(URL), "matrix")

    assert rows[country(kivara, "XAA")] == ["69", "42", "0", "", "", "1.2\xa0M".replace("\xa0", " ")]
    assert rows[country(kivara, "XBB")] == ["117", "24", "67", "", "", ""]
    assert rows["Regional"] == ["", "", "", "0", "", ""]


@pytest.mark.requirement("BR-08")
def test_the_partner_table_is_that_of_the_worked_plan(client, kivara):
    rows = rows_of(client.get(URL), "partners")

    assert rows["UN-A"][:6] == ["7,500,000", "8,600,000", "0", "150,000", "8,450,000", "113%"]
    assert rows["UN-B"][:6] == ["8,300,000", "3,500,000", "0", "0", "3,500,000", "42%"]
    assert rows["INGO-C"][:6] == ["3,700,000", "1,200,000", "0", "0", "1,200,000", "32%"]
    assert rows["LNGO-D"][:6] == ["300,000", "0", "0", "0", "0", "0%"]
    assert rows["RLO-E"][:6] == ["200,000", "0", "150,000", "0", "150,000", "75%"]
    assert rows["Total"][:6] == ["20,000,000", "13,300,000", "150,000", "150,000", "13,300,000", "67%"]


@pytest.mark.requirement("BR-09")
def test_the_donor_table_is_that_of_the_worked_plan(client, kivara):
    rows = rows_of(client.get(URL), "donors")

    funded = {name: cells[0] for name, cells in rows.items() if name not in {"Donor", "Total"}}
    assert funded == {
        "Gov X": "4,500,000",
        "Gov Y": "3,100,000",
        "Gov V": "2,500,000",
        "Gov W": "1,000,000",
        "CERF": "1,000,000",
        "UN-A": "600,000",
        "Company K": "400,000",
        "UN-B": "200,000",
        "Gov Z": "0",
    }
    assert rows["Gov Z"][4] == "1,000,000"
    assert rows["Total"][0] == "13,300,000"


@pytest.mark.requirement("BR-21")
def test_the_page_shows_that_the_net_gap_is_the_same_at_every_level(client, kivara):
    on_page = rows_of(client.get(URL), "adds-up")
    in_lines = rows_of(client.get(URL + "lines/"), "adds-up")

    assert on_page["Unmet"] == ["8,200,000", "9,400,000", "9,900,000"]
    assert on_page["less over-funding"] == ["0", "0", "500,000"]
    assert on_page["less not specified"] == ["1,500,000", "1,500,000", "1,500,000"]
    assert on_page["less shared"] == ["0", "1,200,000", "1,200,000"]
    assert on_page["Net gap"] == ["6,700,000"] * 3
    assert (in_lines["Unmet"], in_lines["less over-funding"], in_lines["Net gap"]) == (
        ["10,400,000"],
        ["1,000,000"],
        ["6,700,000"],
    )


@pytest.mark.requirement("BR-20", "BR-22")
def test_the_sector_file_holds_the_same_with_two_decimals(client, kivara):
    response = client.get(URL + "sectors.csv")
    rows = {(row["sector_code"], row["kind"]): row for row in csv_of(response)}

    assert response["Content-Type"] == "text/csv; charset=utf-8"
    expected = {
        ("PROT", "row"): ("8200000.00", "7100000.00", "86.59", "1100000.00"),
        ("HLTH", "row"): ("7000000.00", "2500000.00", "35.71", "4500000.00"),
        ("EDUC", "row"): ("3800000.00", "1000000.00", "26.32", "2800000.00"),
        ("COOR", "row"): ("1000000.00", "0.00", "0.00", "1000000.00"),
        ("not_specified", "not_specified"): ("0.00", "1500000.00", "", "0.00"),
        ("shared", "shared"): ("0.00", "1200000.00", "", "0.00"),
        ("", "total"): ("20000000.00", "13300000.00", "66.50", "9400000.00"),
    }
    columns = ("required_usd", "funded_usd", "coverage_percent", "unmet_usd")
    assert {key: tuple(row[column] for column in columns) for key, row in rows.items()} == expected
    total = rows["", "total"]
    assert (total["plan_code"], total["year"], total["version"]) == ("RTST26", "2026", "v1")
    assert total["as_of"].startswith(timezone.localdate().isoformat()[:7])
    sums = {"paid": "10400000.00", "committed": "2900000.00", "pledged": "1000000.00", "new_money": "11500000.00",
            "in_kind": "400000.00", "carry_over": "200000.00", "flexible": "2100000.00"}  # fmt: skip
    assert {name: total[f"{name}_usd"] for name in sums} == sums
    assert total["net_gap_usd"] == "6700000.00"


def test_the_other_files_hold_the_tables_of_the_page(client, kivara):
    partners = {row["partner"]: row for row in csv_of(client.get(URL + "partners.csv"))}
    countries = {row["place_code"]: row for row in csv_of(client.get(URL + "countries.csv"))}
    cells = {(row["place_code"], row["sector_code"]): row for row in csv_of(client.get(URL + "matrix.csv"))}
    donors = {row["donor"]: row["funded_usd"] for row in csv_of(client.get(URL + "donors.csv"))}

    assert partners["UN-A"]["coverage_percent"] == "112.67"
    assert [partners["UN-A"][f"{key}_usd"] for key in ("incoming", "received", "passed_on", "funded")] == [
        "8600000.00", "0.00", "150000.00", "8450000.00"]  # fmt: skip
    assert [partners[name]["coverage_percent"] for name in ("UN-B", "INGO-C", "LNGO-D", "RLO-E")] == [
        "42.17",
        "32.43",
        "0.00",
        "75.00",
    ]
    assert [countries[code]["coverage_percent"] for code in ("XAA", "XBB", "region")] == ["55.83", "72.86", "0.00"]
    assert countries["not_specified"]["coverage_percent"] == ""
    assert cells["XBB", "PROT"]["coverage_percent"] == "116.67"
    assert cells["XBB", "PROT"]["over_funding_usd"] == "500000.00"
    assert cells["XAA", "PROT"]["coverage_percent"] == "69.23"
    assert (donors["Gov X"], donors["UN-B"], donors[""]) == ("4500000.00", "200000.00", "13300000.00")


@pytest.mark.requirement("BR-10")
def test_money_allocated_later_moves_between_the_rows_of_the_page(client, kivara):
    line = kivara.flows["F04"].lines.get()
    line.amount_usd = 300_000
    line.save()
    make_line(kivara.flows["F04"], kivara.plan, 900_000, country="XAA", sector="EDUC")
    make_line(kivara.flows["F04"], kivara.plan, 300_000, country="region", sector="COOR")
    kivara.flows["F05"].lines.all().delete()
    make_line(kivara.flows["F05"], kivara.plan, 700_000, country="XAA", sector="PROT")
    make_line(kivara.flows["F05"], kivara.plan, 500_000, country="XAA", sector="HLTH")
    rollups.recompute_stale()

    rows = {row["sector_code"]: row for row in csv_of(client.get(URL + "sectors.csv"))}
    page = rows_of(client.get(URL), "sectors")
    assert [rows[code]["coverage_percent"] for code in ("EDUC", "COOR", "PROT", "HLTH")] == [
        "50.00",
        "30.00",
        "95.12",
        "42.86",
    ]
    assert page["Not specified"][1] == "300,000"
    assert "Shared" not in page
    assert page["Total"][1] == "13,300,000"


@pytest.mark.requirement("BR-06")
def test_a_pledge_that_becomes_a_commitment_lifts_the_page_to_72_percent(client, kivara):
    flow = kivara.flows["F03"]
    flow.status = "commitment"
    flow.save()
    rollups.recompute_stale()

    response = client.get(URL)
    assert ">72%</bdi>" in response.content.decode()
    assert rows_of(response, "sectors")["Total"][1] == "14,300,000"


@pytest.mark.requirement("BR-22", "BR-23")
def test_a_revision_is_shown_beside_the_original_and_the_day_before_as_it_was(client, kivara):
    raised = {("XAA", "HLTH", "UN-B"): 4_000_000, ("XAA", "PROT", "UN-A"): 2_000_000}
    lines = [
        (r.chapter.country_id, r.sector.sector.code, r.partner, r.gross_usd) for r in kivara.version.requirements.all()
    ]
    make_version(
        kivara.plan,
        [(c, s, p, a + raised.get((c, s, p.name), 0)) for c, s, p, a in lines],
        major=2,
        approved_on=date(2026, 6, 15),
    )
    make_version(kivara.plan, [(c, s, p, a * Decimal("1.5")) for c, s, p, a in lines], major=3)
    rollups.recompute_stale()

    now, before = client.get(URL), client.get(URL + "?as_of=2026-06-14")
    revision = rows_of(now, "revision")
    assert [revision[key][1 if key != "Change" else 0] for key in ("v1", "v2", "Change")] == [
        "20,000,000",
        "26,000,000",
        "6,000,000",
    ]
    assert "66.50% of the original requirement and 51.15% of the revised one" in now.content.decode()
    assert rows_of(now, "adds-up")["Net gap"] == ["12,700,000"] * 3
    assert "Version v2, approved 15 June 2026" in now.content.decode()
    assert rows_of(before, "sectors")["Total"][:3] == ["20,000,000", "13,300,000", "67%"]
    assert "Version v1, approved 2 April 2026" in before.content.decode()
    assert "30,000,000" not in now.content.decode()
    total = csv_of(client.get(URL + "sectors.csv?as_of=2026-06-14"))[-1]
    assert (total["version"], total["as_of"], total["coverage_percent"]) == ("v1", "2026-06-14", "66.50")


@pytest.mark.requirement("BR-03")
def test_the_country_page_shows_its_part_and_the_home_page_counts_the_plan_once(client, kivara):
    response = client.get("/countries/XAA/")
    home = client.get("/?year=2026")

    plan_row = next(row for row in tables_of(response)["plans"] if row[0].startswith(kivara.plan.name))
    assert plan_row[1:4] == ["2026", "12,000,000", "6,700,000"]
    assert rows_of(response, "sectors")["Total"][:3] == ["12,000,000", "6,700,000", "56%"]
    html = home.content.decode()
    assert "20.0\xa0M" in html
    assert "32.0\xa0M" not in html


@pytest.mark.requirement("BR-08")
def test_every_partner_of_the_plan_has_a_page_with_its_net_figures(client, kivara):
    response = client.get(f"/organisations/{kivara.who['UN-A'].pk}/")

    row = next(row for row in tables_of(response)["plans"] if row[0].startswith(kivara.plan.name))
    assert row[1:] == ["2026", "7,500,000", "8,600,000", "0", "150,000", "8,450,000", "113%"]
    given = tables_of(client.get(f"/donors/{kivara.who['Gov Y'].pk}/"))["plans"]
    assert given[1][1:] == ["2026", "3,100,000", "1,200,000", "1,900,000", "0"]
