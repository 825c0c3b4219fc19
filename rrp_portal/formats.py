"""Figures, dates and amounts as the reader writes them, by Babel; decimals throughout, half rounds up (BR-20)."""

from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import lru_cache

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_datetime
from babel.numbers import format_decimal, format_percent, parse_pattern
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import get_language, to_locale
from django.utils.translation import gettext as _

HUNDRED = Decimal(100)
NO_VALUE = "–"  # an en dash: no value, which is not the same as zero
NO_BREAK = "\N{NO-BREAK SPACE}"


@lru_cache(maxsize=32)
def babel_locale(language: str | None) -> Locale:
    """Babel's locale for a Django language code, English where Babel knows none."""
    try:
        return Locale.parse(to_locale(language or "en"))
    except (UnknownLocaleError, ValueError):
        return Locale("en")


def current_locale() -> Locale:
    """The reader's locale."""
    return babel_locale(get_language())


def to_decimal(value) -> Decimal | None:
    """The value as a decimal, or None where there is no number; a float is read as it prints."""
    if value is None or value == "":
        return None
    try:
        return value if isinstance(value, Decimal) else Decimal(str(value))
    except InvalidOperation:
        return None


def half_up(value: Decimal, places: int = 0) -> Decimal:
    """Rounded with half away from zero, and never minus zero."""
    rounded = value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    return abs(rounded) if rounded.is_zero() else rounded


def usd(value) -> str:
    """A full figure in whole US dollars: 13,300,000."""
    amount = to_decimal(value)
    return NO_VALUE if amount is None else format_decimal(half_up(amount), format="#,##0", locale=current_locale())


def number(value) -> str:
    """Any number, grouped, with the decimals it has."""
    amount = to_decimal(value)
    return NO_VALUE if amount is None else format_decimal(amount, locale=current_locale(), decimal_quantization=False)


def usd_short(value) -> str:
    """A figure in the reader's own units with one decimal: 13.3 M, 13,3 M, 1330万."""
    amount = to_decimal(value)
    if amount is None:
        return NO_VALUE
    locale = current_locale()
    for _turn in range(2):  # rounding may lift a figure into the next unit: 999,950 is 1.0 M, not 1,000.0 K
        unit, pattern = _short_unit(amount, locale)
        places = 1 if pattern and abs(amount) < 1000 * unit else 0
        amount = half_up(amount / unit, places) * unit
    figure = format_decimal(amount / unit, format="0.0" if places else "0", locale=locale)
    suffix = parse_pattern(pattern).suffix[0].replace("'", "") if pattern else ""
    return figure + (NO_BREAK if suffix[:1].isascii() and suffix[:1].isalpha() else "") + suffix


def _short_unit(amount: Decimal, locale: Locale) -> tuple[int, str]:
    """The largest unit the locale has for the amount, and that unit's pattern ('' for none)."""
    formats = locale.compact_decimal_formats["short"]["other"]
    for magnitude in sorted((int(key) for key in formats), reverse=True):
        if abs(amount) >= magnitude:
            pattern = formats[str(magnitude)].pattern
            zeros = pattern.count("0")
            return (1, "") if pattern == "0" else (magnitude // 10 ** (zeros - 1), pattern)
    return 1, ""


def amount(value, currency: str = "USD") -> str:
    """An amount with its currency code, kept together and in order in every direction of writing."""
    total = to_decimal(value)
    if total is None:
        return NO_VALUE
    pattern = "#,##0" if total == total.to_integral_value() else "#,##0.00"
    figure = format_decimal(half_up(total, 2), format=pattern, locale=current_locale())
    return format_html("<bdi>{}{}{}</bdi>", figure, NO_BREAK, currency)


def coverage(funded, required) -> Decimal | None:
    """Funded as a percentage of required, unrounded; None where nothing is required (BR-19)."""
    part, whole = to_decimal(funded), to_decimal(required)
    return None if part is None or not whole else part / whole * HUNDRED


def percent(value, places: int = 0) -> str:
    """A percentage (66.5, not 0.665): 67%. Without a value: n/a."""
    share = to_decimal(value)
    if share is None:
        return _("n/a")
    locale = current_locale()
    pattern = locale.percent_formats[None].pattern
    if places:
        pattern = pattern.replace("##0", f"##0.{'0' * places}")
    return format_percent(half_up(share, places) / HUNDRED, format=pattern, locale=locale)


def day(value) -> str:
    """A date: 21 November 2026."""
    if isinstance(value, datetime):
        value = timezone.localtime(value).date() if timezone.is_aware(value) else value.date()
    if not isinstance(value, date):
        return NO_VALUE
    locale = current_locale()
    return format_date(value, "d MMMM y" if locale.language == "en" else "long", locale=locale)


def moment(value) -> str:
    """A date with its time, in the portal's time zone."""
    if not isinstance(value, datetime):
        return day(value)
    local = timezone.localtime(value) if timezone.is_aware(value) else value
    locale = current_locale()
    pattern = "d MMM y, HH:mm" if locale.language == "en" else "medium"
    return format_datetime(local, pattern, locale=locale, tzinfo=local.tzinfo)
