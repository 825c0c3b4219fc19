"""Currencies and their rates against the US dollar."""

import pgtrigger
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from rrp_portal.reference.models.codelist import CodeListItem

OVERLAP = gettext_noop(
    "This currency already has a rate on some of these days. End the earlier rate before the next one begins."
)


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
                condition=Q(units_per_usd__gt=0, units_per_usd__lt=10**10),  # "not a number" is more than every number
                name="exchange_rate_is_positive",
                violation_error_message=_("An exchange rate is more than zero."),
            ),
            models.CheckConstraint(
                condition=Q(ends_on=None) | Q(ends_on__gte=F("starts_on")),
                name="exchange_rate_period_in_order",
                violation_error_message=_("An exchange rate cannot end before it begins."),
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="one_rate_in_force",
                operation=pgtrigger.Insert | pgtrigger.Update,
                when=pgtrigger.After,
                func=f"""
                    PERFORM 1 FROM reference_currency WHERE code = NEW.currency_id FOR NO KEY UPDATE;
                    IF EXISTS (SELECT 1 FROM reference_exchangerate r
                                WHERE r.currency_id = NEW.currency_id AND r.id <> NEW.id
                                  AND r.starts_on <= COALESCE(NEW.ends_on, 'infinity')
                                  AND COALESCE(r.ends_on, 'infinity') >= NEW.starts_on) THEN
                        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'one_rate_in_force_per_day',
                            MESSAGE = '{OVERLAP}';
                    END IF;
                    RETURN NULL;
                """,  # noqa: S608 a sentence of this file
            ),
        ]

    def __str__(self) -> str:
        return f"{self.currency_id} {self.units_per_usd.normalize():f} ({self.starts_on})"

    def clean(self) -> None:
        """Refuse a second rate for a day that already has one."""
        super().clean()
        if not self.currency_id or not self.starts_on:
            return
        others = ExchangeRate.objects.filter(
            Q(ends_on=None) | Q(ends_on__gte=self.starts_on), currency=self.currency_id
        )
        if self.ends_on:
            others = others.filter(starts_on__lte=self.ends_on)
        if others.exclude(pk=self.pk).exists():
            raise ValidationError({"starts_on": ValidationError(_(OVERLAP), code="one_rate_in_force_per_day")})
