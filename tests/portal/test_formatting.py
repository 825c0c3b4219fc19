"""Figures, dates and bars as the reader sees them: half rounds up, no value is not zero, each language its own way."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.template import Context, Template
from django.test import RequestFactory
from django.utils import translation

from rrp_portal import formats
from rrp_portal.bars import Bar
from rrp_portal.templatetags import portal

NBSP, THIN = "\N{NO-BREAK SPACE}", "\N{NARROW NO-BREAK SPACE}"


def render(source: str, address: str = "/", **context) -> str:
    request = RequestFactory().get(address)
    return Template(source).render(Context({"request": request, **context}))


@pytest.mark.parametrize(
    ("share", "shown"),
    [
        ("66.5", "67%"),
        ("66.4999", "66%"),
        ("0.5", "1%"),
        ("0", "0%"),
        ("116.67", "117%"),
        ("-66.5", "-67%"),
        ("-0.4", "0%"),
        ("49.9075", "50%"),
    ],
)
def test_a_percentage_is_whole_and_half_rounds_up(share, shown):
    assert formats.percent(Decimal(share)) == shown


def test_a_percentage_with_two_decimals():
    assert formats.percent(Decimal("66.5"), 2) == "66.50%"
    assert formats.percent(Decimal("49.905"), 2) == "49.91%"


def test_without_requirement_there_is_no_coverage_and_not_zero():
    assert formats.coverage(Decimal(5), Decimal(0)) is None
    assert formats.coverage(Decimal(5), None) is None
    assert formats.percent(None) == "n/a"
    assert formats.coverage(Decimal(0), Decimal(5)) == 0


def test_coverage_of_the_worked_plan():
    assert formats.percent(formats.coverage(Decimal(13_300_000), Decimal(20_000_000))) == "67%"


@pytest.mark.parametrize(
    ("language", "full", "short", "share"),
    [
        ("en", "13,300,000", f"13.3{NBSP}M", "67%"),
        ("fr", f"13{THIN}300{THIN}000", f"13,3{NBSP}M", f"67{NBSP}%"),
        ("es", "13.300.000", f"13,3{NBSP}M", f"67{NBSP}%"),
        ("zh-hans", "13,300,000", "1330万", "67%"),
    ],
)
def test_each_language_writes_figures_its_own_way(language, full, short, share):
    with translation.override(language):
        assert formats.usd(Decimal(13_300_000)) == full
        assert formats.usd_short(Decimal(13_300_000)) == short
        assert formats.percent(Decimal("66.5")) == share


def test_arabic_shortens_with_its_own_word():
    with translation.override("ar"):
        assert formats.usd_short(Decimal(13_300_000)).endswith("مليون")


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        ("0", "0"),
        ("999", "999"),
        ("999.6", f"1.0{NBSP}K"),
        ("999950", f"1.0{NBSP}M"),
        ("999949", f"999.9{NBSP}K"),
        ("13250000", f"13.3{NBSP}M"),
        ("20000000", f"20.0{NBSP}M"),
        ("1250000000", f"1.3{NBSP}B"),
        ("-615694", f"-615.7{NBSP}K"),
    ],
)
def test_a_short_figure_keeps_one_decimal_and_its_unit(amount, shown):
    assert formats.usd_short(Decimal(amount)) == shown


def test_a_full_figure_rounds_half_up_and_shows_a_negative():
    assert formats.usd(Decimal("0.5")) == "1"
    assert formats.usd(Decimal("-615694.00")) == "-615,694"
    assert formats.usd(None) == formats.usd("") == "–"


def test_an_amount_stays_with_its_currency():
    assert formats.amount(Decimal("1000000"), "CAD") == f"<bdi>1,000,000{NBSP}CAD</bdi>"
    assert formats.amount(Decimal("12.5"), "EUR") == f"<bdi>12.50{NBSP}EUR</bdi>"
    assert formats.amount(Decimal(1), "<b>") == f"<bdi>1{NBSP}&lt;b&gt;</bdi>"


def test_a_date_is_written_as_the_reader_writes_it():
    assert formats.day(date(2026, 11, 21)) == "21 November 2026"
    assert formats.day(None) == "–"
    assert formats.moment(datetime(2026, 11, 21, 10, 42, tzinfo=UTC)) == "21 Nov 2026, 10:42"
    with translation.override("fr"):
        assert formats.day(date(2026, 11, 21)) == "21 novembre 2026"


@pytest.mark.parametrize(
    ("share", "name"),
    [(None, ""), (0, "c0"), (1, "c1"), (50, "c1"), (69, "c2"), (75, "c2"), (100, "c3"), ("100.01", "c4"), (-5, "c0")],
)
def test_a_matrix_cell_is_shaded_by_its_coverage(share, name):
    assert portal.shade(share) == name


@pytest.mark.parametrize(("days", "words"), [(-2, "2 days late"), (-1, "1 day late"), (0, "today"), (1, "1 day left")])
def test_days_left_are_words(days, words):
    assert portal.days_left(days) == words


def parts(paid=0, committed=0, pledged=0, required=0):
    bar = Bar(*(Decimal(amount) for amount in (paid, committed, pledged, required)))
    return bar, [(part.kind, part.start, part.size) for part in bar.parts]


def test_a_bar_stacks_paid_committed_and_the_pledge_that_does_not_count():
    bar, drawn = parts(paid=52, committed=14, pledged=5, required=100)
    assert drawn == [
        ("ground", "0", "100.00"),
        ("paid", "0.00", "52.00"),
        ("committed", "52.00", "14.00"),
        ("pledged", "66.00", "5.00"),
    ]
    assert bar.words == "66% of the requirement is funded; 52% is paid. A further 5% is pledged and not counted."
    assert bar.mark == ""


def test_an_over_funded_bar_goes_on_behind_its_mark():
    bar, drawn = parts(paid=100, committed=25, required=100)
    assert drawn == [("ground", "0", "80.00"), ("paid", "0.00", "80.00"), ("over", "80.00", "20.00")]
    assert bar.mark == "80.00"
    assert bar.words == "125% of the requirement is funded, more than is required; 100% is paid."


def test_a_bar_without_requirement_says_so():
    bar, drawn = parts(paid=10)
    assert drawn == [("paid", "0.00", "100.00")]
    assert bar.words == "Nothing is required here, so there is no coverage."
    assert parts()[1] == []


def test_a_bar_draws_no_negative_length():
    assert parts(paid=10, committed=-20, required=100)[1] == [("ground", "0", "100.00")]
    assert parts(paid=10, committed=-2, required=100)[1] == [("ground", "0", "100.00"), ("paid", "0.00", "8.00")]


def test_a_bar_has_no_comma_in_its_lengths_in_french():
    with translation.override("fr"):
        drawn = render("{% bar paid=1 required=3 %}")
    assert 'width="33.33%"' in drawn
    assert "style=" not in drawn


def test_a_figure_opens_the_rows_it_is_made_of():
    link = '<a class="why" href="/why/" aria-describedby="why"><bdi>5,000</bdi></a>'
    assert render('{% figure 5000 "/why/" %}') == link
    assert render("{% figure 5000 %}") == "<bdi>5,000</bdi>"
    assert render('{% figure none "/why/" kind="percent" %}', none=None) == "<bdi>n/a</bdi>"


def test_a_column_sorts_and_turns_round():
    head = '{% sortable "name" "Name" default="name" %}{% sortable "funded" "Funded" num=True default="name" %}'
    first = render(head)
    assert 'aria-sort="ascending"><a class="sort" href="?sort=-name">' in first
    assert 'class="num"><a class="sort" href="?sort=-funded">' in first
    second = render(head, "/?sort=-funded&page=3&year=2026")
    assert 'aria-sort="descending"><a class="sort" href="?sort=funded&amp;year=2026">' in second


def test_a_link_to_a_page_that_does_not_exist_is_not_there():
    assert render('{% nav_link "no-such-page" "Nothing" %}').strip() == ""
