"""Figures: the narrow table that pages and API read, which plan-years are stale, and what others published."""

from django.contrib.postgres.functions import TransactionNow
from django.db import models
from django.utils.translation import gettext_lazy as _

from funding.models.flow import Place, SectorSplit
from planning.models import Plan, PlanSector
from rrp_portal.reference.models import Country, Organisation


class PlanYear(models.Model):
    """One plan in one calendar year: the boundary of every figure, and the row that a recomputation locks."""

    class Basis(models.TextChoices):
        FLOWS = "flows", _("Flows")
        PUBLISHED = "published", _("Published totals")

    plan = models.ForeignKey(Plan, models.CASCADE, related_name="plan_years", verbose_name=_("plan"))
    year = models.PositiveSmallIntegerField(_("year"))
    basis = models.CharField(_("funding comes from"), max_length=10, choices=Basis, default=Basis.FLOWS)
    computed_at = models.DateTimeField(_("computed at"), null=True)

    class Meta:
        verbose_name = _("plan-year")
        verbose_name_plural = _("plan-years")
        constraints = [models.UniqueConstraint(fields=["plan", "year"], name="one_row_per_plan_and_year")]

    def __str__(self) -> str:
        return f"{self.plan} {self.year}"


class StaleMark(models.Model):
    """«The figures of this plan-year may have changed»: written by triggers, in the transaction of the change."""

    plan = models.ForeignKey(Plan, models.CASCADE, related_name="+", db_constraint=False, verbose_name=_("plan"))
    year = models.PositiveSmallIntegerField(_("year"))
    marked_at = models.DateTimeField(_("marked at"), db_default=TransactionNow())

    class Meta:
        verbose_name = _("stale mark")
        verbose_name_plural = _("stale marks")
        indexes = [models.Index(fields=["plan", "year"], name="stale_mark_by_plan_year")]

    def __str__(self) -> str:
        return f"{self.plan_id} {self.year}"


def usd(name: str) -> models.DecimalField:
    """A column of US dollars, zero where there is nothing."""
    return models.DecimalField(name, max_digits=19, decimal_places=2, default=0)


class Figure(models.Model):
    """One cell of one table of one plan-year. Derived: written by `funding.rollups` only."""

    class Level(models.TextChoices):
        TOTAL = "total", _("Total")
        COUNTRY = "country", _("By country")
        SECTOR = "sector", _("By sector")
        PARTNER = "partner", _("By partner")
        DONOR = "donor", _("By donor")
        COUNTRY_SECTOR = "country_sector", _("Country by sector")
        COUNTRY_PARTNER = "country_partner", _("Country by partner")
        COUNTRY_DONOR = "country_donor", _("Country by donor")
        CELL = "cell", _("Country by sector by partner")

    plan = models.ForeignKey(Plan, models.CASCADE, related_name="figures", db_constraint=False, verbose_name=_("plan"))
    year = models.PositiveSmallIntegerField(_("year"))
    level = models.CharField(_("level"), max_length=20, choices=Level)
    place = models.CharField(_("place"), max_length=20, choices=Place, blank=True)
    country = models.ForeignKey(
        Country, models.DO_NOTHING, null=True, related_name="figures", db_constraint=False, verbose_name=_("country")
    )
    split = models.CharField(_("sectors"), max_length=20, choices=SectorSplit, blank=True)
    sector = models.ForeignKey(
        PlanSector, models.DO_NOTHING, null=True, related_name="figures", db_constraint=False, verbose_name=_("sector")
    )
    partner = models.ForeignKey(
        Organisation,
        models.DO_NOTHING,
        null=True,
        related_name="partner_figures",
        db_constraint=False,
        verbose_name=_("partner"),
    )
    donor = models.ForeignKey(
        Organisation,
        models.DO_NOTHING,
        null=True,
        related_name="donor_figures",
        db_constraint=False,
        verbose_name=_("donor"),
    )
    required = usd(_("required, USD"))
    original = usd(_("originally required, USD"))
    funded = usd(_("funded, USD"))
    paid = usd(_("paid, USD"))
    committed = usd(_("committed, USD"))
    pledged = usd(_("pledged, not counted, USD"))
    in_kind = usd(_("in kind, USD"))
    carry_over = usd(_("carried over, USD"))
    new_money = usd(_("new money, USD"))
    flexible = usd(_("flexible, USD"))
    incoming = usd(_("received from outside the plan, USD"))
    received = usd(_("received from partners, USD"))
    passed_on = usd(_("passed on, USD"))

    class Meta:
        verbose_name = _("figure")
        verbose_name_plural = _("figures")
        indexes = [
            models.Index(fields=["plan", "year", "level"], name="figure_of_plan_year_level"),
            models.Index(
                fields=["country", "level"], name="figure_of_country", condition=models.Q(level__startswith="country")
            ),
            models.Index(fields=["partner"], name="figure_of_partner", condition=models.Q(level="partner")),
            models.Index(fields=["donor"], name="figure_of_donor", condition=models.Q(level="donor")),
            models.Index(fields=["year"], name="figure_total_of_year", condition=models.Q(level="total")),
        ]

    def __str__(self) -> str:
        return f"{self.plan_id} {self.year} {self.level}"


class PublishedTotal(models.Model):
    """A requirement or funding total as somebody else published it: for reconciliation, and counted where no flows are known."""

    plan = models.ForeignKey(Plan, models.CASCADE, related_name="published_totals", verbose_name=_("plan"))
    year = models.PositiveSmallIntegerField(_("year"))
    dimension = models.CharField(
        _("broken down by"),
        max_length=10,
        choices=[("total", _("Total")), ("country", _("Country")), ("sector", _("Sector"))],
    )
    place = models.CharField(_("place"), max_length=20, choices=Place, blank=True)
    country = models.ForeignKey(
        Country, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("country")
    )
    split = models.CharField(_("sectors"), max_length=20, choices=SectorSplit, blank=True)
    sector = models.ForeignKey(
        PlanSector, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("sector")
    )
    required_usd = models.DecimalField(_("required, USD"), max_digits=19, decimal_places=2, null=True, blank=True)
    funded_usd = models.DecimalField(_("funded, USD"), max_digits=19, decimal_places=2, null=True, blank=True)
    source = models.CharField(_("source"), max_length=200)
    as_of = models.DateField(_("as of"))

    class Meta:
        verbose_name = _("published total")
        verbose_name_plural = _("published totals")
        constraints = [
            models.UniqueConstraint(
                fields=["plan", "year", "dimension", "place", "country", "split", "sector"],
                name="one_published_total_per_cell",
                nulls_distinct=False,
                violation_error_message=_("This published total is already recorded."),
            ),
            models.CheckConstraint(
                condition=models.Q(models.Q(required_usd=None) | models.Q(required_usd__lt=10**17))
                & models.Q(models.Q(funded_usd=None) | models.Q(funded_usd__lt=10**17)),
                name="published_total_is_a_number",
                violation_error_message=_("Give the amounts as numbers."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.plan} {self.year} {self.dimension}"
