"""Countries, their UNHCR bureaus, their administrative areas, and refugee situations."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from rrp_portal.reference.models.codelist import CodeListItem


class Bureau(CodeListItem):
    """A UNHCR regional bureau, which reviews and approves the plans of its countries."""

    code = models.CharField(_("code"), max_length=10, unique=True)

    class Meta:
        verbose_name = _("regional bureau")
        verbose_name_plural = _("regional bureaus")


class Country(CodeListItem):
    """A country or territory by its ISO 3166-1 alpha-3 code."""

    iso3 = models.CharField(_("ISO 3166-1 alpha-3 code"), max_length=3, primary_key=True)
    iso2 = models.CharField(_("ISO 3166-1 alpha-2 code"), max_length=2, blank=True)
    m49 = models.PositiveSmallIntegerField(_("UN M49 code"), null=True, blank=True)
    fts_id = models.PositiveIntegerField(_("FTS location id"), null=True, blank=True, unique=True)
    bureau = models.ForeignKey(
        Bureau, models.PROTECT, null=True, blank=True, related_name="countries", verbose_name=_("regional bureau")
    )
    region = models.CharField(_("UNHCR region"), max_length=100, blank=True)

    class Meta:
        verbose_name = _("country")
        verbose_name_plural = _("countries")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(iso3__regex=r"^[A-Z]{3}$"),
                name="country_iso3_is_three_capitals",
                violation_error_message=_("Give the country's ISO code as three capital letters, for example TCD."),
            ),
        ]


class AdminArea(models.Model):
    """A first- or second-level administrative area by its OCHA p-code."""

    pcode = models.CharField(_("p-code"), max_length=30, primary_key=True)
    country = models.ForeignKey(Country, models.PROTECT, related_name="admin_areas", verbose_name=_("country"))
    level = models.PositiveSmallIntegerField(_("level"))
    name = models.CharField(_("name"), max_length=200)
    parent = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="children", verbose_name=_("parent area")
    )
    valid_from = models.DateField(_("valid from"), null=True, blank=True)
    retired_on = models.DateField(_("retired on"), null=True, blank=True)

    class Meta:
        verbose_name = _("administrative area")
        verbose_name_plural = _("administrative areas")
        indexes = [models.Index(fields=["country", "level", "name"], name="admin_area_by_country")]

    def __str__(self) -> str:
        return f"{self.name} ({self.pcode})"


class Situation(CodeListItem):
    """A refugee situation: one cause, several countries."""

    code = models.SlugField(_("code"), max_length=50, unique=True)
    onset_on = models.DateField(_("onset"), null=True, blank=True)
    countries = models.ManyToManyField(Country, blank=True, related_name="situations", verbose_name=_("countries"))

    class Meta:
        verbose_name = _("situation")
        verbose_name_plural = _("situations")
