"""Figures, dates and amounts as the reader writes them; decimals throughout, half rounds up (BR-20).

The signs and units of each language come from Babel's CLDR data and are read once per language: Babel's own formatting
functions work on the pattern anew at every call, and a page with a table formats hundreds of figures.
"""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import cached_property, lru_cache

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_datetime
from babel.numbers import format_decimal, parse_pattern
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import get_language, to_locale
from django.utils.translation import gettext as _

HUNDRED = Decimal(100)
NO_VALUE = "–"  # an en dash: no value, which is not the same as zero
NO_BREAK = "\N{NO-BREAK SPACE}"


@dataclass(frozen=True)
class Style:
    """How one language writes figures."""

    locale: Locale

    @cached_property
    def signs(self) -> dict[str, str]:
        """The signs that go with the digits 0 to 9, which every language of the portal reads."""
        return self.locale.number_symbols["latn"]

    @cached_property
    def groups_by_three(self) -> bool:
        """Whether digits are grouped in threes throughout, as nearly everywhere."""
        return tuple(self.locale.decimal_formats[None].grouping) == (3, 3)

    @cached_property
    def percent_frame(self) -> tuple[str, str]:
        """What stands before and after a percentage."""
        pattern = self.locale.percent_formats[None]
        sign = self.signs["percentSign"]
        return pattern.prefix[0].replace("%", sign), pattern.suffix[0].replace("%", sign)

    @cached_property
    def short_units(self) -> list[tuple[int, int, str]]:
        """From the largest: the amount from which a unit is used, what it divides by, and the word or sign after it."""
        units = []
        for size, pattern in self.locale.compact_decimal_formats["short"]["other"].items():
            if pattern.pattern != "0":
                word = parse_pattern(pattern.pattern).suffix[0].replace("'", "")
                space = NO_BREAK if word[:1].isascii() and word[:1].isalpha() else ""
                units.append((int(size), int(size) // 10 ** (pattern.pattern.count("0") - 1), space + word))
        return sorted(units, reverse=True)

    def figure(self, value: Decimal, *, grouped: bool = True) -> str:
        """The number with exactly the decimals it has."""
        if grouped and not self.groups_by_three:
            return format_decimal(value, locale=self.locale, decimal_quantization=False)
        whole, _point, fraction = f"{abs(value):{',' if grouped else ''}f}".partition(".")
        text = whole.replace(",", self.signs["group"]) + (self.signs["decimal"] + fraction if fraction else "")
        return self.signs["minusSign"] + text if value < 0 else text

    def usd(self, value) -> str:
        """A full figure in whole US dollars."""
        amount = to_decimal(value)
        return NO_VALUE if amount is None else self.figure(half_up(amount))

    def number(self, value) -> str:
        """Any number, grouped, with the decimals that say something."""
        amount = to_decimal(value)
        if amount is None:
            return NO_VALUE
        return self.figure(half_up(amount) if amount == amount.to_integral_value() else amount.normalize())

    def usd_short(self, value) -> str:
        """A figure in the language's own units with one decimal."""
        amount = to_decimal(value)
        if amount is None:
            return NO_VALUE
        for _turn in range(2):  # rounding may lift a figure into the next unit: 999,950 is 1.0 M, not 1000.0 K
            _size, divisor, word = next((unit for unit in self.short_units if abs(amount) >= unit[0]), (0, 1, ""))
            places = 1 if word and abs(amount) < 1000 * divisor else 0
            shown = half_up(amount / divisor, places)
            amount = shown * divisor
        return self.figure(shown, grouped=False) + word

    def percent(self, value, places: int = 0) -> str:
        """A percentage; without a value: n/a, in the reader's language."""
        share = to_decimal(value)
        if share is None:
            return _("n/a")
        before, after = self.percent_frame
        return before + self.figure(half_up(share, places)) + after

    def percent2(self, value) -> str:
        """A percentage with two decimals."""
        return self.percent(value, 2)


@lru_cache(maxsize=32)
def style_of(language: str | None) -> Style:
    """How a Django language code writes figures; as English does where Babel does not know the language."""
    try:
        return Style(Locale.parse(to_locale(language or "en")))
    except (UnknownLocaleError, ValueError):
        return Style(Locale("en"))


def style() -> Style:
    """How the reader writes figures."""
    return style_of(get_language())


def to_decimal(value) -> Decimal | None:
    """The value as a decimal, or None where there is no number; a float is read as it prints."""
    if isinstance(value, Decimal):
        return value
    if value is None or value == "":
        return None
    try:
        return Decimal(str(value))
    except InvalidOperation:
        return None


def half_up(value: Decimal, places: int = 0) -> Decimal:
    """Rounded with half away from zero, and never minus zero."""
    rounded = value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    return abs(rounded) if rounded.is_zero() else rounded


def usd(value) -> str:
    """A full figure in whole US dollars: 13,300,000."""
    return style().usd(value)


def number(value) -> str:
    """Any number, grouped, with the decimals that say something."""
    return style().number(value)


def usd_short(value) -> str:
    """A figure in the reader's own units with one decimal: 13.3 M, 13,3 M, 1330万."""
    return style().usd_short(value)


def amount(value, currency: str = "USD") -> str:
    """An amount with its currency code, kept together and in order in every direction of writing."""
    total = to_decimal(value)
    if total is None:
        return NO_VALUE
    figure = style().figure(half_up(total, 0 if total == total.to_integral_value() else 2))
    return format_html("<bdi>{}{}{}</bdi>", figure, NO_BREAK, currency)


def coverage(funded, required) -> Decimal | None:
    """Funded as a percentage of required, unrounded; None where nothing is required (BR-19)."""
    part, whole = to_decimal(funded), to_decimal(required)
    return None if part is None or not whole else part / whole * HUNDRED


def percent(value, places: int = 0) -> str:
    """A percentage (66.5, not 0.665): 67%. Without a value: n/a."""
    return style().percent(value, places)


@lru_cache(maxsize=512)
def _day(value: date, language: str | None) -> str:
    locale = style_of(language).locale
    return format_date(value, "d MMMM y" if locale.language == "en" else "long", locale=locale)


def day(value) -> str:
    """A date: 21 November 2026."""
    if isinstance(value, datetime):
        value = timezone.localtime(value).date() if timezone.is_aware(value) else value.date()
    return _day(value, get_language()) if isinstance(value, date) else NO_VALUE


def moment(value) -> str:
    """A date with its time, in the portal's time zone."""
    if not isinstance(value, datetime):
        return day(value)
    local = timezone.localtime(value) if timezone.is_aware(value) else value
    locale = style().locale
    pattern = "d MMM y, HH:mm" if locale.language == "en" else "medium"
    return format_datetime(local, pattern, locale=locale, tzinfo=local.tzinfo)
