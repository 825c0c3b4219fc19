"""Currencies and their rates against the US dollar."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from rrp_portal.reference.models.codelist import CodeListItem


class Currency(CodeListItem):
    """A currency by its ISO 4217 code."""

    code = models.CharField(_("ISO 4217 code"), max_length=3, primary_key=True)

    class Meta:
        verbose_name = _("currency")
        verbose_name_plural = _("currencies")

    def __str__(self) -> str:
        return self.code


class ExchangeRateQuerySet(models.QuerySet):
    """Finding the rate that applied on a day."""

    def on(self, currency_code, day):
        """The rate of the currency in force on the day, or None: never 1:1 for want of a rate (BR-16)."""
        return (
            self.filter(currency_id=currency_code, starts_on__lte=day)
            .filter(Q(ends_on=None) | Q(ends_on__gte=day))
            .order_by("-starts_on")
            .first()
        )


class ExchangeRate(models.Model):
    """Units of a currency per one US dollar, for the days from `starts_on` to `ends_on` (BR-16)."""

    currency = models.ForeignKey(Currency, models.PROTECT, related_name="rates", verbose_name=_("currency"))
    units_per_usd = models.DecimalField(_("units per US dollar"), max_digits=20, decimal_places=10)
    starts_on = models.DateField(_("from"))
    ends_on = models.DateField(_("to"), null=True, blank=True)
    source = models.CharField(_("source"), max_length=200)

    objects = ExchangeRateQuerySet.as_manager()

    class Meta:
        verbose_name = _("exchange rate")
        verbose_name_plural = _("exchange rates")
        constraints = [
            models.UniqueConstraint(
                fields=["currency", "starts_on"],
                name="one_rate_per_currency_and_day",
                violation_error_message=_("This currency already has a rate that begins on this day."),
            ),
            models.CheckConstraint(
                condition=Q(units_per_usd__gt=0),
                name="exchange_rate_is_positive",
                violation_error_message=_("An exchange rate is more than zero."),
            ),
            models.CheckConstraint(
                condition=Q(ends_on=None) | Q(ends_on__gte=F("starts_on")),
                name="exchange_rate_period_in_order",
                violation_error_message=_("An exchange rate cannot end before it begins."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.currency_id} {self.units_per_usd.normalize():f} ({self.starts_on})"
