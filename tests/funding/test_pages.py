"""Public pages: who sees what, what the address may ask, and what every page costs."""

from datetime import date

import pytest
from django.utils import timezone

from funding import rollups
from funding.models import PlanYear, PublishedTotal
from planning.models import Plan
from tests.factories import make_flow, make_line, make_organisation, make_plan, make_user, make_version
from tests.funding.kivara import make_kivara
from tests.funding.pages import addresses, csv_of, rows_of, tables_of

pytestmark = pytest.mark.django_db
URL = "/plans/RTST26/"


@pytest.fixture
def kivara():
    kivara = make_kivara()
    rollups.recompute_stale()
    return kivara


def fund(plan, amount, **fields):
    """A paid flow to the plan's first sector and country."""
    partner = make_organisation()
    flow = make_flow(make_organisation(type="gov_donor"), partner, amount, **fields)
    make_line(flow, plan, country=plan.chapters.first().country_id, sector=plan.sectors.first().name)
    return flow


def test_every_public_page_answers_a_visitor(client, kivara):
    for address in addresses(kivara):
        response = client.get(address)
        assert response.status_code == 200, address
        assert b"</html>" in response.content


@pytest.mark.parametrize("language", ["fr", "ar", "zh-hans"])
def test_every_public_page_answers_in_other_languages(client, kivara, language):
    client.cookies["django_language"] = language
    for address in addresses(kivara):
        response = client.get(address)
        assert response.status_code == 200, address
    assert f'lang="{language}"' in response.content.decode()


def test_every_public_page_answers_an_empty_portal(client):
    for address in ("/", "/countries/", "/organisations/", "/donors/", "/methodology/", "/data/"):
        assert client.get(address).status_code == 200
    assert "No plan is published yet" in client.get("/").content.decode()


@pytest.mark.requirement("I20")
def test_a_plan_that_is_not_published_is_not_found_and_stands_nowhere(client, kivara):
    hidden = make_plan("RHID26", published=False, countries=("XAA",))
    partner = make_organisation("Hidden partner")
    make_version(hidden, [("XAA", "PROT", partner, 77_000_000)], approved_on=date(2026, 1, 5))
    fund(hidden, 55_000_000)
    rollups.recompute_stale()

    for address in ("", "sectors/", "sectors.csv", "explain/"):
        assert client.get(f"/plans/RHID26/{address}").status_code == 404
    for address in (
        "/",
        "/?format=csv",
        "/countries/XAA/",
        "/countries/",
        "/donors/",
        f"/organisations/{partner.pk}/",
        "/data/",
    ):
        content = client.get(address).content.decode()
        assert "RHID26" not in content
        assert "77,000,000" not in content
        assert "55,000,000" not in content


def test_those_who_may_see_a_draft_plan_are_told_that_it_is_not_published(client):
    make_plan("RHID26", published=False)
    client.force_login(make_user(is_superuser=True))

    html = client.get("/plans/RHID26/").content.decode()

    assert "This plan is not published" in html
    assert "No requirement is approved for this year" in html


@pytest.mark.requirement("BR-22")
@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ("as_of=2026-13-01", "“2026-13-01” is not a day"),
        ("as_of=yesterday", "“yesterday” is not a day"),
        ("as_of=20260614", "“20260614” is not a day"),
        ("as_of=2199-01-01", "has not come yet"),
        ("as_of=%00", "is not a day"),
        ("year=1890", "There are no figures for the year “1890”"),
        ("year=²", "There are no figures for the year"),
        ("year=<script>", "There are no figures for the year “&lt;script&gt;”"),
    ],
)
def test_a_year_or_day_that_makes_no_sense_is_refused_in_a_sentence(client, kivara, asked, sentence):
    for address in (URL, f"{URL}sectors/", f"{URL}explain/"):
        response = client.get(f"{address}?{asked}")
        assert response.status_code == 422
        assert sentence in response.content.decode()
    response = client.get(f"{URL}sectors.csv?{asked}")
    assert (response.status_code, response["Content-Type"]) == (422, "text/plain; charset=utf-8")


@pytest.mark.parametrize(
    "query",
    [
        "measure=nothing",
        "sector=x",
        "sector=9999999",
        "partner=-1",
        "place=moon",
        "split=half",
        "country=ZZZ",
        "donor=99999999999999999999",
    ],
)
def test_a_figure_that_cannot_exist_is_not_found(client, kivara, query):
    assert client.get(f"{URL}explain/?{query}").status_code == 404


def test_odd_filters_never_break_the_home_page(client, kivara):
    for query in (
        "year=abc",
        "type=x",
        "country=ZZZ",
        "situation=nowhere",
        "sort=%00",
        "page=zzz",
        "page=99999",
        "search=%25%5F'",
    ):
        assert client.get(f"/?{query}").status_code in {200, 422}
    assert "not one of the available choices" in client.get("/?type=x").content.decode()


@pytest.mark.requirement("BR-03", "BR-04")
def test_plans_for_reference_are_listed_when_asked_for_and_never_summed(client, kivara):
    other = make_plan("HAFG26", type=Plan.Type.HRP)
    make_version(other, [("XAA", "PROT", make_organisation(), 900_000_000)], approved_on=date(2026, 1, 5))
    rollups.recompute_stale()

    plain, asked = client.get("/").content.decode(), client.get("/?reference=on").content.decode()

    assert "HAFG26" not in plain
    assert "HAFG26" in asked
    assert "for reference" in asked
    for html in (plain, asked):
        assert "20.0\xa0M" in html
        assert "920.0\xa0M" not in html
    assert "never added to them" in client.get("/plans/HAFG26/").content.decode()


def test_the_home_page_filters_and_sorts_by_its_address_and_its_file_holds_the_same(client, kivara):
    small = make_plan("RSML26", countries=("XBB",), type=Plan.Type.COUNTRY_RRP)
    make_version(small, [("XBB", "PROT", make_organisation(), 1_000_000)], approved_on=date(2026, 1, 5))
    rollups.recompute_stale()

    def codes(query):
        return [row["plan_code"] for row in csv_of(client.get(f"/?format=csv&{query}"))]

    assert codes("") == ["RTST26", "RSML26"]
    assert codes("sort=required") == ["RSML26", "RTST26"]
    assert codes("sort=-coverage") == ["RTST26", "RSML26"]
    assert codes("type=country_rrp") == ["RSML26"]
    assert codes("country=XAA") == ["RTST26"]
    assert codes("search=rtst") == ["RTST26"]
    page = client.get("/?country=XAA").content.decode()
    assert "RTST26" in page
    assert "RSML26" not in page
    row = csv_of(client.get("/?format=csv&search=rtst"))[0]
    assert (row["required_usd"], row["funded_usd"], row["coverage_percent"], row["people_targeted"]) == (
        "20000000.00", "13300000.00", "66.50", "610000")  # fmt: skip


def test_the_newest_year_that_has_begun_is_shown_without_being_asked(client, kivara):
    later = make_plan("RNXT", year=timezone.localdate().year + 1)
    make_version(later, [("XAA", "PROT", make_organisation(), 5_000_000)], approved_on=date(2026, 1, 5))
    rollups.recompute_stale()

    assert "RNXT" not in client.get("/").content.decode()
    assert "RNXT" in client.get(f"/?year={later.starts_on.year}").content.decode()


@pytest.mark.requirement("BR-06", "BR-08", "BR-12")
def test_the_explanation_adds_up_to_the_figure_and_says_why_rows_are_left_out(client, kivara):
    response = client.get(f"{URL}explain/?measure=funded&country=XAA")
    html = response.content.decode()
    tables = tables_of(response)

    assert tables["funded-counts"][-1][-1] == "6,700,000"
    amounts = sorted(int(row[-1].replace(",", "")) for row in tables["funded-counts"][1:-1])
    assert amounts == [-150_000, -100_000, 150_000, 600_000, 1_200_000, 2_000_000, 3_000_000]
    assert [row[-1] for row in tables["funded-left-out"][1:]] == ["1,000,000"]
    assert "A pledge: it is shown, and counts once it is committed or paid." in html
    assert f'href="/flows/{kivara.flows["F01"].pk}/"' in html


def test_the_file_of_an_explanation_has_every_row_with_its_reason(client, kivara):
    rows = csv_of(client.get(f"{URL}explain/?measure=funded&format=csv"))

    counted = [row for row in rows if row["counts"] == "yes"]
    assert sum(int(float(row["amount_usd"])) for row in counted) == 13_300_000
    assert {row["kind"] for row in rows if row["counts"] == "no"} == {"pledge"}
    assert {row["version"] for row in rows} == {"v1"}


def test_each_figure_of_the_plan_page_opens_rows_that_make_that_figure(client, kivara):
    """Every dotted link of the tables: the total under its rows is the figure that was clicked."""
    from html.parser import HTMLParser

    class Links(HTMLParser):
        found, href = [], ""

        def handle_starttag(self, tag, attributes):
            attributes = dict(attributes)
            self.href = attributes["href"] if attributes.get("class") == "why" else self.href if tag == "bdi" else ""

        def handle_data(self, data):
            if self.href and data.replace(",", "").removeprefix("-").isdigit():
                self.found.append((self.href, data))

    links = Links()
    links.feed(client.get(URL).content.decode())
    cells = [(href, figure) for href, figure in links.found if "measure=unmet" not in href and "measure=funded" in href]
    matrix = {"69", "42", "24", "67", "117"}
    checked = 0
    for href, figure in cells:
        if figure in matrix or (figure == "0" and "sector" in href and "country" in href):
            continue
        assert f": {figure}" in client.get(href).content.decode().replace("<bdi>", "").replace("\xa0", " "), href
        checked += 1
    assert checked > 20


@pytest.mark.requirement("BR-22")
def test_an_explanation_of_a_past_day_knows_only_what_was_known(client, kivara):
    response = client.get(f"{URL}explain/?measure=required&as_of=2026-03-01")

    assert "No approved version" in response.content.decode()
    assert "0 USD" in response.content.decode().replace("\xa0", " ")


def test_an_anonymous_donor_is_named_nowhere(client, kivara):
    shy = make_organisation("Shy Foundation", type="private")
    flow = make_flow(shy, kivara.who["UN-A"], 123_456, is_donor_anonymous=True)
    make_line(flow, kivara.plan, country="XAA", sector="PROT")
    pledge = make_flow(shy, kivara.who["UN-A"], 654_321, status="pledge", is_donor_anonymous=True)
    make_line(pledge, kivara.plan, country="XAA", sector="PROT")
    rollups.recompute_stale()

    for address in (URL, f"{URL}donors/", f"{URL}donors.csv", f"{URL}explain/?measure=funded", f"{URL}explain/?format=csv", "/donors/",
                    f"/organisations/{kivara.who['UN-A'].pk}/"):  # fmt: skip
        response = client.get(address)
        content = b"".join(response.streaming_content) if response.streaming else response.content
        assert b"Shy Foundation" not in content, address
    for address in (f"/donors/{shy.pk}/", f"{URL}explain/?donor={shy.pk}&measure=funded"):
        content = client.get(address).content.decode()
        assert "123,456" not in content
        assert "654,321" not in content


def test_a_merged_organisation_leads_to_the_one_that_was_kept(client, kivara):
    kept = kivara.who["UN-A"]
    twin = make_organisation("UN-A (twin)", merged_into=kept)

    assert client.get(f"/organisations/{twin.pk}/").headers["Location"] == f"/organisations/{kept.pk}/"
    assert client.get(f"/donors/{twin.pk}/").headers["Location"] == f"/donors/{kept.pk}/"
    assert "twin" not in client.get("/organisations/").content.decode()


def test_demonstration_plans_say_so(client, kivara):
    Plan.objects.filter(code="RTST26").update(is_demonstration=True)

    for address in ("/", URL, f"{URL}explain/", "/countries/XAA/"):
        assert '<span class="tag demo">demonstration</span>' in client.get(address).content.decode()


@pytest.mark.requirement("BR-22")
def test_the_page_compares_itself_with_what_ocha_published(client, kivara):
    Plan.objects.filter(code="RTST26").update(fts_id=4711)
    PublishedTotal.objects.create(plan=kivara.plan, year=2026, dimension="total", required_usd=20_000_000, funded_usd=13_000_000,
                                  source="OCHA FTS", as_of=date(2026, 3, 5))  # fmt: skip

    html = client.get(URL).content.decode()

    assert (
        "OCHA FTS published 13,000,000 USD of funding on 5 March 2026; the difference to this page is 300,000 USD."
        in html
    )
    assert "It published 20,000,000 USD as required; the difference is 0 USD." in html


def test_published_totals_say_that_they_are_not_single_flows(client, kivara):
    known = {"source": "OCHA FTS", "as_of": date(2026, 3, 5)}
    PublishedTotal.objects.create(plan=kivara.plan, year=2026, dimension="total", funded_usd=7_000_000, **known)
    PlanYear.objects.filter(plan=kivara.plan).update(basis="published")
    Plan.objects.filter(code="RTST26").update(is_demonstration=False)
    rollups.recompute(kivara.plan.pk, 2026)

    html = client.get(URL).content.decode()

    assert "Source: totals published by OCHA FTS" in html
    assert rows_of(client.get(URL), "sectors")["Total"][1] == "7,000,000"
    assert "its single flows have not been imported" in client.get(f"{URL}explain/?measure=funded").content.decode()


def test_a_negative_row_is_shown_as_it_is(client, kivara):
    flow = make_flow(kivara.who["Gov X"], kivara.who["UN-A"], -2_000_000, type="reversal", reason="returned")
    make_line(flow, kivara.plan)
    rollups.recompute_stale()

    assert rows_of(client.get(URL), "countries")["Not specified"][1] == "-500,000"


@pytest.mark.requirement("BR-19")
def test_money_where_nothing_is_required_is_said_in_words(client, kivara):
    kivara.plan.sectors.create(name="Logistics", sector=kivara.plan.sectors.first().sector)
    flow = make_flow(kivara.who["Gov X"], kivara.who["UN-A"], 50_000)
    make_line(flow, kivara.plan, country="XBB", sector="Logistics")
    rollups.recompute_stale()

    response = client.get(URL)

    assert rows_of(response, "sectors")["Logistics"][:4] == ["–", "50,000", "n/a", "–"]
    assert "although the plan requires nothing" in response.content.decode()
    assert rows_of(response, "adds-up")["less funding without requirement"][1] == "50,000"


def test_text_in_files_cannot_be_a_formula(client, kivara):
    trick = make_organisation('=HYPERLINK("http://example.org")', type="gov_donor")
    make_line(make_flow(trick, kivara.who["UN-A"], 10), kivara.plan)
    make_organisation("@SUM(A1)")
    rollups.recompute_stale()

    assert '\'=HYPERLINK("http://example.org")' in {row["donor"] for row in csv_of(client.get(f"{URL}donors.csv"))}
    assert "'@SUM(A1)" in {row["name"] for row in csv_of(client.get("/organisations/?format=csv"))}


def test_a_file_is_not_sent_twice_to_who_has_it(client, kivara):
    first = client.get(f"{URL}sectors.csv")
    again = client.get(f"{URL}sectors.csv", headers={"if-none-match": first["ETag"]})

    assert (first.status_code, again.status_code) == (200, 304)
