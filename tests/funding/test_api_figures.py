"""Every figure of the worked regional plan through the API, as JSON and as CSV."""

import csv
import io
from datetime import date

import pytest
from django.core.cache import cache

from funding import rollups
from planning.services import approve_version
from rrp_portal.api.csv import cell
from tests.factories import make_line, make_requirement, make_version
from tests.funding.kivara import make_kivara

pytestmark = pytest.mark.django_db

FIGURES = "/api/v1/figures/"


@pytest.fixture(autouse=True)
def _nobody_is_throttled():
    cache.clear()


@pytest.fixture
def kivara():
    kivara = make_kivara()
    rollups.recompute_stale()
    return kivara


def table(client, level, **more):
    answer = client.get(FIGURES, {"plan": "RTST26", "year": 2026, "level": level, "page_size": 1000} | more)
    assert answer.status_code == 200, answer.content
    return answer.json()["results"]


def total(client, **more):
    (row,) = table(client, "total", **more)
    return row


@pytest.mark.requirement("BR-06", "BR-20", "I16", "I17")
def test_the_plan_adds_up_to_13_300_000_of_20_000_000(client, kivara):
    row = total(client)

    assert (row["required"], row["original"], row["funded"]) == ("20000000.00", "20000000.00", "13300000.00")
    assert (row["paid"], row["committed"], row["pledged"]) == ("10400000.00", "2900000.00", "1000000.00")
    assert (row["new_money"], row["in_kind"], row["carry_over"]) == ("11500000.00", "400000.00", "200000.00")
    assert (row["flexible"], row["flexible_share"]) == ("2100000.00", "15.79")
    assert (row["coverage"], row["coverage_of_original"], row["net_gap"]) == ("66.50", "66.50", "6700000.00")
    assert (row["plan"], row["version"], row["as_of"]) == ("RTST26", "v1", date.today().isoformat())  # noqa: DTZ011


@pytest.mark.requirement("BR-03", "BR-10")
def test_each_country_has_only_what_is_exactly_its_own(client, kivara):
    rows = {
        row["country"] or row["place"]: (row["required"], row["funded"], row["coverage"], row["special"])
        for row in table(client, "country")
    }

    assert rows == {
        "XAA": ("12000000.00", "6700000.00", "55.83", ""),
        "XBB": ("7000000.00", "5100000.00", "72.86", ""),
        "region": ("1000000.00", "0.00", "0.00", ""),
        "not_specified": ("0.00", "1500000.00", None, "not_specified"),
    }


@pytest.mark.requirement("BR-10", "BR-19", "I24")
def test_shared_and_not_specified_money_stand_in_rows_of_their_own(client, kivara):
    rows = {
        row["sector"] or row["special"]: (row["required"], row["funded"], row["coverage"], row["unmet"])
        for row in table(client, "sector")
    }

    assert rows == {
        "PROT": ("8200000.00", "7100000.00", "86.59", "1100000.00"),
        "HLTH": ("7000000.00", "2500000.00", "35.71", "4500000.00"),
        "EDUC": ("3800000.00", "1000000.00", "26.32", "2800000.00"),
        "COOR": ("1000000.00", "0.00", "0.00", "1000000.00"),
        "not_specified": ("0.00", "1500000.00", None, "0.00"),
        "shared": ("0.00", "1200000.00", None, "0.00"),
    }


@pytest.mark.requirement("BR-18")
def test_every_cell_of_the_matrix_has_its_own_unmet_and_over_funding(client, kivara):
    rows = {
        (row["country"] or "REG", row["sector"]): (
            row["required"], row["funded"], row["coverage"], row["unmet"], row["over"], row["net_gap"],
        )
        for row in table(client, "country_sector")
        if row["sector"]
    }  # fmt: skip

    assert rows == {
        ("XAA", "PROT"): ("5200000.00", "3600000.00", "69.23", "1600000.00", "0.00", "1600000.00"),
        ("XAA", "HLTH"): ("4500000.00", "1900000.00", "42.22", "2600000.00", "0.00", "2600000.00"),
        ("XAA", "EDUC"): ("2300000.00", "0.00", "0.00", "2300000.00", "0.00", "2300000.00"),
        ("XBB", "PROT"): ("3000000.00", "3500000.00", "116.67", "0.00", "500000.00", "-500000.00"),
        ("XBB", "HLTH"): ("2500000.00", "600000.00", "24.00", "1900000.00", "0.00", "1900000.00"),
        ("XBB", "EDUC"): ("1500000.00", "1000000.00", "66.67", "500000.00", "0.00", "500000.00"),
        ("REG", "COOR"): ("1000000.00", "0.00", "0.00", "1000000.00", "0.00", "1000000.00"),
    }


@pytest.mark.requirement("BR-08", "BR-18")
def test_partners_show_what_they_received_and_what_they_passed_on(client, kivara):
    rows = {
        row["partner_name"]: (
            row["required"], row["incoming"], row["received"], row["passed_on"], row["funded"], row["coverage"],
        )
        for row in table(client, "partner")
    }  # fmt: skip

    assert rows == {
        "UN-A": ("7500000.00", "8600000.00", "0.00", "150000.00", "8450000.00", "112.67"),
        "UN-B": ("8300000.00", "3500000.00", "0.00", "0.00", "3500000.00", "42.17"),
        "INGO-C": ("3700000.00", "1200000.00", "0.00", "0.00", "1200000.00", "32.43"),
        "LNGO-D": ("300000.00", "0.00", "0.00", "0.00", "0.00", "0.00"),
        "RLO-E": ("200000.00", "0.00", "150000.00", "0.00", "150000.00", "75.00"),
    }


@pytest.mark.requirement("BR-09", "BR-17")
def test_donors_add_up_to_the_plan(client, kivara):
    rows = {row["donor_name"]: row["funded"] for row in table(client, "donor") if row["funded"] != "0.00"}

    assert rows == {
        "Gov X": "4500000.00",
        "Gov Y": "3100000.00",
        "Company K": "400000.00",
        "Gov W": "1000000.00",
        "UN-B": "200000.00",
        "CERF": "1000000.00",
        "Gov V": "2500000.00",
        "UN-A": "600000.00",
    }


@pytest.mark.requirement("BR-21")
@pytest.mark.parametrize(
    ("level", "unmet", "over"),
    [
        ("sector", "9400000.00", "0.00"),
        ("country_sector", "9900000.00", "500000.00"),
        ("cell", "10400000.00", "1000000.00"),
    ],
)
def test_the_identity_explains_the_same_net_gap_at_every_level_of_detail(client, kivara, level, unmet, over):
    sums = client.get(f"{FIGURES}identity/", {"plan": "RTST26", "year": 2026, "level": level}).json()

    assert (sums["unmet"], sums["over"]) == (unmet, over)
    assert (sums["not_specified"], sums["shared"], sums["net_gap"]) == ("1500000.00", "1200000.00", "6700000.00")
    assert (sums["holds"], sums["version"]) == (True, "v1")


@pytest.mark.requirement("BR-10")
def test_allocating_money_later_moves_it_between_rows(client, kivara):
    line = kivara.flows["F04"].lines.get()
    line.amount_usd = 300_000
    line.save()
    make_line(kivara.flows["F04"], kivara.plan, 900_000, country="XAA", sector="EDUC")
    make_line(kivara.flows["F04"], kivara.plan, 300_000, country="region", sector="COOR")
    rollups.recompute_stale()

    rows = {row["sector"] or row["special"]: (row["funded"], row["coverage"]) for row in table(client, "sector")}
    assert rows["EDUC"] == ("1900000.00", "50.00")
    assert rows["COOR"] == ("300000.00", "30.00")
    assert rows["not_specified"] == ("300000.00", None)
    assert total(client)["funded"] == "13300000.00"


@pytest.mark.requirement("BR-10")
def test_splitting_a_shared_flow_empties_the_shared_row(client, kivara):
    kivara.flows["F05"].lines.all().delete()
    make_line(kivara.flows["F05"], kivara.plan, 700_000, country="XAA", sector="PROT")
    make_line(kivara.flows["F05"], kivara.plan, 500_000, country="XAA", sector="HLTH")
    rollups.recompute_stale()

    rows = {row["sector"] or row["special"]: (row["funded"], row["coverage"]) for row in table(client, "sector")}
    assert rows["PROT"] == ("7800000.00", "95.12")
    assert rows["HLTH"] == ("3000000.00", "42.86")
    assert "shared" not in rows
    assert total(client)["funded"] == "13300000.00"


@pytest.mark.requirement("BR-06", "I16")
def test_a_pledge_counts_once_it_is_committed(client, kivara):
    flow = kivara.flows["F03"]
    flow.status = "commitment"
    flow.save()
    rollups.recompute_stale()

    row = total(client)
    assert (row["funded"], row["coverage"], row["pledged"]) == ("14300000.00", "71.50", "0.00")

    flow.status = "paid"
    flow.save()
    rollups.recompute_stale()

    row = total(client)
    assert (row["funded"], row["paid"]) == ("14300000.00", "11400000.00")


@pytest.mark.requirement("BR-22", "BR-23")
def test_a_revision_changes_coverage_and_a_past_day_stays_as_it_was(client, kivara):
    lines = [
        (r.chapter.country_id, r.sector.sector.code, r.partner, r.gross_usd) for r in kivara.version.requirements.all()
    ]
    raised = {("XAA", "HLTH", "UN-B"): 4_000_000, ("XAA", "PROT", "UN-A"): 2_000_000}
    make_version(
        kivara.plan,
        [(c, s, p, amount + raised.get((c, s, p.name), 0)) for c, s, p, amount in lines],
        major=2,
        approved_on=date(2026, 6, 15),
    )
    make_version(kivara.plan, [(c, s, p, amount * 3 / 2) for c, s, p, amount in lines], major=3)
    rollups.recompute_stale()

    now, before, since = total(client), total(client, as_of="2026-06-14"), total(client, as_of="2026-06-15")

    assert (now["required"], now["original"], now["funded"]) == ("26000000.00", "20000000.00", "13300000.00")
    assert (now["coverage"], now["coverage_of_original"], now["net_gap"]) == ("51.15", "66.50", "12700000.00")
    assert (now["version"], since["version"], before["version"]) == ("v2", "v2", "v1")
    assert (before["coverage"], before["as_of"], since["coverage"]) == ("66.50", "2026-06-14", "51.15")
    assert client.get("/api/v1/versions/", {"plan": "RTST26"}).json()["results"][-1]["label"] == "v2"


@pytest.mark.requirement("BR-08", "I17")
def test_deleting_a_sub_grant_changes_the_partners_and_not_the_plan(client, kivara):
    kivara.flows["F06"].delete()
    rollups.recompute_stale()

    partners = {row["partner_name"]: row["funded"] for row in table(client, "partner")}
    assert (partners["UN-A"], partners["RLO-E"]) == ("8600000.00", "0.00")
    assert total(client)["funded"] == "13300000.00"


@pytest.mark.requirement("BR-03", "BR-04")
def test_the_world_counts_a_regional_plan_once(client, kivara):
    world = client.get(f"{FIGURES}world/", {"year": 2026}).json()
    country = next(row for row in table(client, "country") if row["country"] == "XAA")

    assert (country["required"], country["funded"]) == ("12000000.00", "6700000.00")
    assert (world["required"], world["funded"], world["coverage"]) == ("20000000.00", "13300000.00", "66.50")


@pytest.mark.requirement("BR-02", "R14")
def test_what_another_partner_appeals_for_is_taken_off_the_line(client, kivara):
    version = make_version(kivara.plan, major=2)
    for line in kivara.version.requirements.all():
        declared = (line.chapter.country_id, line.sector.sector.code, line.partner.name) == ("XAA", "PROT", "UN-A")
        make_requirement(
            version, line.chapter.country_id, line.sector.sector.code, line.partner, line.gross_usd,
            covered_elsewhere_usd=200_000 if declared else 0,
        )  # fmt: skip
    approve_version(version, approved_on=date(2026, 5, 1))
    rollups.recompute_stale()

    row = total(client)
    assert (row["required"], row["coverage"]) == ("19800000.00", "67.17")


@pytest.mark.parametrize("level", ["total", "country", "sector", "partner", "donor", "country_sector", "cell"])
def test_a_table_of_a_past_day_is_the_table_of_today_when_nothing_has_happened_since(client, kivara, level):
    stamp = {"as_of", "computed_at"}

    def plain(rows):
        return sorted(([str(v) for k, v in row.items() if k not in stamp] for row in rows), key=str)

    assert plain(table(client, level)) == plain(table(client, level, as_of="2026-11-30"))


def test_csv_holds_the_same_rows_as_json(client, kivara):
    answer = client.get(FIGURES, {"plan": "RTST26", "year": 2026, "level": "country_sector", "format": "csv"})
    rows = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode())))

    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    expected = [{name: cell(value) for name, value in row.items()} for row in table(client, "country_sector")]
    assert rows == expected
    assert len(rows) == 9


def test_explain_shows_the_rows_that_count_and_those_that_do_not(client, kivara):
    cell = {"plan": "RTST26", "year": 2026, "measure": "funded", "country": "XAA", "sector": "PROT"}
    answer = client.get(f"{FIGURES}explain/", cell).json()

    counted = {(row["donor_name"], row["recipient_name"], row["kind"]): row["amount"] for row in answer["counted"]}
    assert answer["total"] == "3600000.00"
    assert counted == {
        ("Gov X", "UN-A", "incoming"): "3000000.00",
        ("UN-A", "UN-A", "incoming"): "600000.00",
        ("UN-A", "RLO-E", "internal"): "150000.00",
        ("UN-A", "RLO-E", "passed_on"): "-150000.00",
    }
    pledge = client.get(f"{FIGURES}explain/", cell | {"sector": "EDUC"}).json()
    assert [(row["kind"], row["amount"]) for row in pledge["left_out"]] == [("pledge", "1000000.00")]
    assert pledge["left_out"][0]["reason"].startswith("A pledge")


def test_explain_shows_requirement_lines(client, kivara):
    cell = {"plan": "RTST26", "year": 2026, "measure": "required", "country": "XAA", "sector": "PROT"}
    answer = client.get(f"{FIGURES}explain/", cell | {"limit": 2}).json()

    assert answer["total"] == "5200000.00"
    assert [row["amount"] for row in answer["counted"]] == ["4000000.00", "1000000.00"]
    assert (answer["counted_rows"], answer["next_offset"]) == (3, 2)
    assert all(row["requirement"] for row in answer["counted"])


@pytest.mark.parametrize(
    ("path", "query", "field"),
    [
        ("", {"plann": "RTST26"}, "plann"),
        ("", {"level": "continent"}, "level"),
        ("", {"as_of": "yesterday"}, "as_of"),
        ("", {"as_of": "2026-06-01"}, "plan"),
        ("", {"page_size": "0"}, "page_size"),
        ("", {"page_size": "1001"}, "page_size"),
        ("", {"cursor": "nonsense"}, "cursor"),
        ("explain/", {"plan": "RTST26", "year": 2026, "measure": "gold"}, "measure"),
        ("explain/", {"plan": "RTST26", "year": 2026, "measure": "funded", "limit": "many"}, "limit"),
        ("identity/", {"plan": "RTST26", "year": 2026, "level": "donor"}, "level"),
        ("identity/", {"plan": "NOPE", "year": 2026}, "plan"),
        ("world/", {"year": "soon"}, "year"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused_beside_its_parameter(client, kivara, path, query, field):
    answer = client.get(FIGURES + path, query)

    assert answer.status_code == 400
    assert answer.json()["type"] == "validation"
    assert field in {error["field"] for error in answer.json()["errors"]}


@pytest.mark.requirement("I23")
def test_figures_of_a_plan_that_is_not_published_do_not_exist_for_visitors(client, kivara):
    kivara.plan.published_on = None
    kivara.plan.save()

    assert client.get(FIGURES).json()["results"] == []
    assert client.get(FIGURES, {"plan": "RTST26"}).status_code == 400
    assert client.get("/api/v1/plans/RTST26/").status_code == 404
    assert client.get(f"{FIGURES}world/").json()["required"] == "0.00"
