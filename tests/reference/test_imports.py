"""Administrative areas and exchange rates come from files: whole or not at all, and twice without harm."""

import os
import time
from datetime import date
from decimal import Decimal
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from rrp_portal.reference.imports import FileRefused, import_admin_areas, import_exchange_rates
from rrp_portal.reference.models import AdminArea, Country, ExchangeRate
from tests.factories import make_country, make_currency

pytestmark = pytest.mark.django_db

HEADER = "Location,Admin Level,P-Code,Name,Parent P-Code,Valid from date"
AREAS = f"""\ufeff{HEADER}
#country+code,#geo+admin_level,#adm+code,#adm+name,#adm+code+parent,#date+start
XAA,2,XA0101,Kibira,XA01,2024-05-01
XAA,1,XA01,North Kivara,XAA,2024-05-01
XAA,1,XA02,South Kivara,XAA,2024-05-01
"""
RATES = """currency,units_per_usd,starts_on,ends_on,source
EUR,0.9200,2026-01-01,2026-01-31,UN operational rate
EUR,0.9150,2026-02-01,2026-02-28,UN operational rate
CHF,0.88,2026-01-01,,UN operational rate
"""


@pytest.fixture
def file(tmp_path):
    def write(text, encoding="utf-8"):
        path = tmp_path / "list.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
        return path

    return write


@pytest.fixture
def country():
    return make_country("XAA")


@pytest.fixture
def currencies():
    return [make_currency(code) for code in ("EUR", "CHF", "USD")]


def counts(outcome):
    return outcome.created, outcome.updated, outcome.unchanged


def test_areas_come_in_once_whatever_their_order(file, country):
    first, second = (import_admin_areas(file(AREAS)) for _ in range(2))

    assert (counts(first), counts(second)) == ((3, 0, 0), (0, 0, 3))
    district = AdminArea.objects.get(pk="XA0101")
    assert (district.name, district.level, district.parent_id, district.country_id) == ("Kibira", 2, "XA01", "XAA")
    assert district.valid_from == date(2024, 5, 1)
    assert AdminArea.objects.get(pk="XA01").parent is None


def test_a_renamed_area_is_updated_and_one_that_is_gone_is_told_and_stays(file, country):
    import_admin_areas(file(AREAS))
    text = f"{HEADER}\nXAA,1,XA01,Upper Kivara,XAA,2024-05-01\nXAA,2,XA0101,Kibira,XA01,2024-05-01\n"

    outcome = import_admin_areas(file(text))

    assert counts(outcome) == (0, 1, 1)
    assert outcome.missing == ["XA02"]
    assert AdminArea.objects.get(pk="XA01").name == "Upper Kivara"
    assert AdminArea.objects.filter(pk="XA02").exists()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (
            "",
            "list.csv, line 1: The header lacks: Location, Admin Level, P-Code, Name, Parent P-Code, Valid from date.",
        ),
        ("Location,Name\nXAA,Kibira\n", "line 1: The header lacks: Admin Level"),
        (f"{HEADER}\n", "list.csv: The file has no rows."),
        (f"{HEADER}\nXAA,1,XA01,North,XAA,2024-05-01\nXAA,1,XA0", "line 3: The row has 3 cells and the header 6"),
        (f"{HEADER}\nXZZ,1,XZ01,North,XZZ,2024-05-01\n", "line 2: The portal knows no country “XZZ”."),
        (f"{HEADER}\nXAA,one,XA01,North,XAA,2024-05-01\n", "line 2: The level “one” is not a number"),
        (f"{HEADER}\nXAA,1,XA01,North,XAA,May 2024\n", "line 2: “May 2024” is not a date"),
        (f"{HEADER}\nXAA,1,,North,XAA,\n", "line 2: Give a p-code"),
        (f"{HEADER}\nXAA,1,XA01,,XAA,\n", "line 2: Give a name"),
        (f"{HEADER}\nXAA,2,XA0101,Kibira,XA09,\n", "line 2: The parent area XA09 is not known."),
        (
            f"{HEADER}\nXAA,2,XA0101,Kibira,XA0102,\nXAA,2,XA0102,Kiruma,XAA,\n",
            "line 2: The parent area XA0102 is not a higher",
        ),
        (
            f"{HEADER}\nXAA,1,XA01,North,XAA,\nXAA,1,XA01,South,XAA,\n",
            "line 3: The p-code XA01 already stands in line 2.",
        ),
        (f"{HEADER}\nXAA,1,XA01,\x00,XAA,\n", "line 2: This is not a text file."),
        (f'{HEADER}\nXAA,1,XA01,"North,XAA,\n', "This line is not valid CSV"),
        (f"{HEADER}\nXAA,1,XA01,Région,XAA,\n".encode("latin-1"), "line 2: The file is not encoded in UTF-8."),
        (f"{HEADER}\nXAA,1,XA01,North,XAA,\n".encode("utf-16"), "line 1: The file is not encoded in UTF-8."),
    ],
)
def test_a_wrong_file_is_refused_with_its_line_and_reason_and_leaves_nothing(file, country, text, reason):
    with pytest.raises(FileRefused) as refused:
        import_admin_areas(file(text))

    assert reason in str(refused.value)
    assert not AdminArea.objects.exists()


def test_every_wrong_line_is_told_and_the_good_ones_wait(file, country):
    lines = "\n".join(f"XAA,1,XA{n:02},Area {n},XAA,{'2024-05-01' if n % 2 else 'soon'}" for n in range(6))

    with pytest.raises(FileRefused) as refused:
        import_admin_areas(file(f"{HEADER}\n{lines}\n"))

    assert [problem.line for problem in refused.value.problems] == [2, 4, 6]
    assert not AdminArea.objects.exists()


def test_a_file_that_is_wrong_everywhere_is_given_up_after_fifty_lines(file, country):
    with pytest.raises(FileRefused) as refused:
        import_admin_areas(file(f"{HEADER}\n" + "XAA,1,,Nameless,XAA,\n" * 10_000))

    assert len(refused.value.problems) == 51


def test_the_command_says_what_it_did_and_refuses_without_a_traceback(file, country):
    out = StringIO()
    call_command("import_admin_areas", str(file(AREAS)), stdout=out)
    assert "3 created, 0 updated, 0 unchanged, 0 missing" in out.getvalue()

    with pytest.raises(CommandError, match="Nothing was imported"):
        call_command("import_admin_areas", "/nowhere/at/all.csv")


@pytest.mark.real_data
def test_the_published_areas_of_156_countries_come_in_within_ten_seconds():
    folder = os.environ.get("RRP_REAL_DATA")
    if not folder:
        pytest.skip("RRP_REAL_DATA does not name the folder of published data")
    call_command("load_reference", stdout=StringIO())
    path = Path(folder) / "geo/global_pcodes_adm_1_2.csv"

    began = time.perf_counter()
    first = import_admin_areas(path)
    seconds = time.perf_counter() - began
    second = import_admin_areas(path)

    assert counts(first) == (33_363, 0, 0)
    assert counts(second) == (0, 0, 33_363)
    assert seconds < 10
    assert Country.objects.filter(admin_areas__isnull=False).distinct().count() == 156


@pytest.mark.requirement("BR-16")
def test_rates_come_in_by_period_and_twice_without_harm(file, currencies):
    first, second = (import_exchange_rates(file(RATES)) for _ in range(2))

    assert (counts(first), counts(second)) == ((3, 0, 0), (0, 0, 3))
    assert ExchangeRate.objects.on("EUR", date(2026, 1, 31)).units_per_usd == Decimal("0.92")
    assert ExchangeRate.objects.on("EUR", date(2026, 2, 1)).units_per_usd == Decimal("0.915")
    assert ExchangeRate.objects.on("CHF", date(2029, 1, 1)).units_per_usd == Decimal("0.88")


@pytest.mark.requirement("BR-16")
def test_a_currency_is_never_one_to_one_for_want_of_a_rate(file, currencies):
    import_exchange_rates(file(RATES))

    assert ExchangeRate.objects.on("EUR", date(2026, 3, 1)) is None
    assert ExchangeRate.objects.on("EUR", date(2025, 12, 31)) is None


def test_a_corrected_rate_is_updated(file, currencies):
    import_exchange_rates(file(RATES))

    outcome = import_exchange_rates(
        file(RATES.replace("0.9150", "0.9175").replace("2026-01-01,,", "2026-01-01,2026-06-30,"))
    )

    assert counts(outcome) == (0, 2, 1)
    assert ExchangeRate.objects.on("EUR", date(2026, 2, 1)).units_per_usd == Decimal("0.9175")
    assert ExchangeRate.objects.on("CHF", date(2026, 7, 1)) is None


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (
            "EUR,0.91,2026-02-15,2026-03-31,UN",
            "line 5: Two rates of EUR overlap: the one from 2026-02-01 is in force until 2026-02-28",
        ),
        (
            "CHF,0.91,2026-03-01,2026-03-31,UN",
            "line 5: Two rates of CHF overlap: the one from 2026-01-01 has no last day",
        ),
        ("EUR,0.91,2026-02-01,2026-02-10,UN", "line 5: A rate of EUR from 2026-02-01 already stands in line 3."),
        ("EUR,0,2026-03-01,,UN", "“0” is not a rate"),
        ("EUR,-1,2026-03-01,,UN", "“-1” is not a rate"),
        ("EUR,NaN,2026-03-01,,UN", "“NaN” is not a rate"),
        ('EUR,"0,91",2026-03-01,,UN', "“0,91” is not a rate"),
        ("EUR,0.12345678901,2026-03-01,,UN", "more than ten decimals"),
        ("EUR,0.91,2026-03-01,2026-02-01,UN", "The rate ends before it begins."),
        ("EUR,0.91,01.03.2026,,UN", "“01.03.2026” is not a date"),
        ("EUR,0.91,2026-03-01,,", "Say where the rate comes from"),
        ("EURO,0.91,2026-03-01,,UN", "The portal knows no currency “EURO”."),
        ("USD,1,2026-03-01,,UN", "The US dollar has no rate against itself."),
    ],
)
def test_a_wrong_rate_refuses_the_whole_file(file, currencies, row, reason):
    with pytest.raises(FileRefused) as refused:
        import_exchange_rates(file(f"{RATES}{row}\n"))

    assert reason in str(refused.value)
    assert not ExchangeRate.objects.exists()


def test_a_rate_may_not_overlap_one_that_is_already_here(file, currencies):
    import_exchange_rates(file(RATES))
    header = RATES.splitlines()[0]

    with pytest.raises(FileRefused, match="line 2: Two rates of EUR overlap"):
        import_exchange_rates(file(f"{header}\nEUR,0.9,2026-01-15,2026-01-20,UN\n"))
    with pytest.raises(FileRefused, match="line 2: Two rates of EUR overlap"):
        import_exchange_rates(file(f"{header}\nEUR,0.9,2025-12-15,2026-01-20,UN\n"))
