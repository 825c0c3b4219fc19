"""What public pages cost, and how they cut long tables: a constant number of questions, whatever the size."""

from datetime import date

import pytest

from funding import rollups
from funding.models import Figure
from tests.factories import make_flow, make_line, make_organisation, make_plan, make_user, make_version
from tests.funding.kivara import make_kivara
from tests.funding.pages import addresses, csv_of, rows_of, tables_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def kivara():
    kivara = make_kivara()
    rollups.recompute_stale()
    return kivara


def grow(kivara, partners):
    """Many more partners, donors, countries, plans and flows."""
    iso = [f"Q{a}{b}" for a in "ABCDEFGH" for b in "ABCDE"]
    plan = make_plan("RBIG26", countries=iso, sectors=("PROT", "HLTH", "EDUC", "COOR"))
    lines, donors = [], [make_organisation(type="gov_donor") for _number in range(partners // 2)]
    for number in range(partners):
        lines.append(
            (
                iso[number % len(iso)],
                ("PROT", "HLTH", "EDUC", "COOR")[number % 4],
                make_organisation(),
                1_000 * (number + 1),
            )
        )
    make_version(plan, lines, approved_on=date(2026, 1, 5))
    for number, (place, sector, partner, amount) in enumerate(lines):
        make_line(make_flow(donors[number % len(donors)], partner, amount), plan, country=place, sector=sector)
    for _number in range(60):
        other = make_plan()
        make_version(other, [("XAA", "PROT", kivara.who["UN-A"], 1_000)], approved_on=date(2026, 1, 5))
        make_line(make_flow(kivara.who["Gov X"], kivara.who["UN-A"], 500), other, country="XAA", sector="PROT")
    rollups.recompute_stale()
    return plan


@pytest.mark.parametrize("signed_in", [False, True])
def test_no_public_page_asks_more_than_twelve_questions_whatever_the_size(
    client, kivara, django_assert_max_num_queries, signed_in
):
    plan = grow(kivara, 120)
    big = [f"/plans/{plan.code}/", f"/plans/{plan.code}/partners/", f"/plans/{plan.code}/lines/?page=2",
           f"/plans/{plan.code}/explain/?measure=funded", f"/plans/{plan.code}/explain/?measure=net_gap&country=QAA", "/?page=2",
           "/?country=XAA&type=regional_rrp"]  # fmt: skip
    if signed_in:
        client.force_login(make_user(is_superuser=True))
    for address in [*addresses(kivara), *big]:
        limit = 8 if address.startswith(("/organisations/", "/donors/", "/countries/?")) else 12
        with django_assert_max_num_queries(limit + 2 * signed_in * (limit == 8), info=address):
            assert client.get(address).status_code == 200


def test_a_long_table_is_cut_on_the_plan_page_and_whole_on_its_own(client, kivara):
    plan = grow(kivara, 120)

    page, first = client.get(f"/plans/{plan.code}/"), client.get(f"/plans/{plan.code}/partners/?sort=required")

    assert len(tables_of(page)["partners"]) == 12  # ten partners, the head, the total
    assert "All 120 rows, sorted as you like" in page.content.decode()
    assert len(tables_of(first)["partners"]) == 52
    assert [row[1] for row in tables_of(first)["partners"][1:4]] == ["1,000", "2,000", "3,000"]
    assert "Page 1 of 3" in first.content.decode()
    assert rows_of(page, "partners")["Total"][0] == rows_of(first, "partners")["Total"][0]
    assert len(csv_of(client.get(f"/plans/{plan.code}/partners.csv"))) == 121
    assert Figure.objects.filter(plan=plan, level="partner").count() == 120
