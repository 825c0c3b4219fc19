"""Exchange rates by validity period, with their source (BR-16)."""

from collections import defaultdict
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path

from django.db import transaction
from django.utils.translation import gettext as _

from rrp_portal.reference.imports.csvfile import Problems, read_rows
from rrp_portal.reference.imports.lists import Outcome
from rrp_portal.reference.models import Currency, ExchangeRate

COLUMNS = ("currency", "units_per_usd", "starts_on", "ends_on", "source")
FIELDS = ("units_per_usd", "ends_on", "source")
Key = tuple[str, date]


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(_("“%(date)s” is not a date; write it as 2026-01-31.") % {"date": text}) from None


def _units(text: str) -> Decimal:
    try:
        units = Decimal(text)
    except InvalidOperation:
        units = Decimal("NaN")
    if not units.is_finite() or units <= 0 or units >= Decimal(10) ** 10:
        raise ValueError(
            _("“%(rate)s” is not a rate; write units per US dollar as a number above zero.") % {"rate": text}
        )
    if units != round(units, 10):
        raise ValueError(_("The rate “%(rate)s” has more than ten decimals.") % {"rate": text})
    return units


def _rate(row: dict[str, str], currencies: set[str]) -> ExchangeRate:
    """The rate of one row; raises ValueError with the reason."""
    code = row["currency"].upper()
    if code not in currencies:
        raise ValueError(_("The portal knows no currency “%(code)s”.") % {"code": row["currency"]})
    if code == "USD":
        raise ValueError(_("The US dollar has no rate against itself. Leave this line out."))
    if not row["source"] or len(row["source"]) > 200:
        raise ValueError(_("Say where the rate comes from, in at most 200 characters."))
    starts_on = _date(row["starts_on"])
    ends_on = _date(row["ends_on"]) if row["ends_on"] else None
    if ends_on and ends_on < starts_on:
        raise ValueError(_("The rate ends before it begins."))
    units = _units(row["units_per_usd"])
    return ExchangeRate(
        currency_id=code, units_per_usd=units, starts_on=starts_on, ends_on=ends_on, source=row["source"]
    )


def _refuse_overlaps(rates: dict[Key, ExchangeRate], lines: dict[Key, int], problems: Problems) -> None:
    """Note every rate of the file whose days are taken by another rate of the same currency."""
    by_currency: dict[str, list[ExchangeRate]] = defaultdict(list)
    for rate in rates.values():
        by_currency[rate.currency_id].append(rate)
    for series in by_currency.values():
        series.sort(key=lambda rate: rate.starts_on)
        for earlier, later in zip(series, series[1:], strict=False):
            if earlier.ends_on is not None and earlier.ends_on < later.starts_on:
                continue
            line = lines.get((later.currency_id, later.starts_on)) or lines.get(
                (earlier.currency_id, earlier.starts_on)
            )
            if line is None:
                continue
            if earlier.ends_on:
                reason = _(
                    "Two rates of %(currency)s overlap: the one from %(first)s is in force until %(until)s, another begins on %(second)s. "
                    "End the first before the second begins."
                )
            else:
                reason = _(
                    "Two rates of %(currency)s overlap: the one from %(first)s has no last day, another begins on %(second)s. "
                    "End the first before the second begins."
                )
            values = {
                "currency": later.currency_id,
                "first": earlier.starts_on,
                "until": earlier.ends_on,
                "second": later.starts_on,
            }
            problems.add(line, reason % values)


@transaction.atomic
def import_exchange_rates(path: Path) -> Outcome:
    """Take exchange rates from a CSV file; returns what was created, updated and unchanged. The same file twice changes nothing.

    A rate is known by its currency and first day. Raises FileRefused with file, line and reason when a line is wrong or periods of a
    currency would overlap; then nothing is changed.
    """
    problems = Problems(path.name)
    currencies = set(Currency.objects.values_list("pk", flat=True))
    rates: dict[Key, ExchangeRate] = {}
    lines: dict[Key, int] = {}
    for line, row in read_rows(path, COLUMNS):
        try:
            rate = _rate(row, currencies)
        except ValueError as error:
            problems.add(line, str(error))
            continue
        key = (rate.currency_id, rate.starts_on)
        if key in rates:
            values = {"currency": key[0], "day": key[1], "line": lines[key]}
            problems.add(line, _("A rate of %(currency)s from %(day)s already stands in line %(line)s.") % values)
        rates[key], lines[key] = rate, line
    present = ExchangeRate.objects.select_for_update().filter(currency__in={code for code, _day in rates})
    existing = {(rate.currency_id, rate.starts_on): rate for rate in present}
    _refuse_overlaps(existing | rates, lines, problems)
    problems.refuse_if_any()

    outcome = Outcome(str(ExchangeRate._meta.verbose_name_plural))
    created, updated = [], []
    for key, rate in rates.items():
        old = existing.get(key)
        if old is None:
            created.append(rate)
        elif any(getattr(old, name) != getattr(rate, name) for name in FIELDS):
            rate.pk = old.pk
            updated.append(rate)
        else:
            outcome.unchanged += 1
    ExchangeRate.objects.bulk_update(updated, FIELDS)
    ExchangeRate.objects.bulk_create(created)
    outcome.created, outcome.updated = len(created), len(updated)
    return outcome
