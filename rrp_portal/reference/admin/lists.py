"""Code lists, geography, sectors and money."""

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from rrp_portal.reference.admin.base import PortalAdmin
from rrp_portal.reference.forms import CodeListForm
from rrp_portal.reference.models import (
    AdminArea,
    AgeBand,
    Bureau,
    Country,
    Currency,
    ExchangeRate,
    GlobalCluster,
    OutcomeArea,
    PopulationGroup,
    Sector,
    Situation,
)


class RetiredFilter(admin.SimpleListFilter):
    """Entries that may still be chosen, or those that may not."""

    title = _("may still be chosen")
    parameter_name = "active"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, object]]:
        """The two choices."""
        return [("yes", _("Yes")), ("no", _("No, retired"))]

    def queryset(self, request: HttpRequest, queryset: models.QuerySet) -> models.QuerySet:
        """The entries of the choice."""
        if self.value() in {"yes", "no"}:
            return queryset.filter(retired_on__isnull=self.value() == "yes")
        return queryset


class CodeListAdmin(PortalAdmin):
    """An ordered list whose entries have a code and a name per language, and are retired instead of deleted."""

    form = CodeListForm
    list_display = ["code", "name", "position", "retired_on"]
    list_display_links = ["code", "name"]
    list_filter = [RetiredFilter]
    search_fields = ["code", "name"]
    ordering = ["position", "code"]

    def get_readonly_fields(self, request: HttpRequest, obj: models.Model | None = None) -> list[str]:
        """A code that is the key of its row stays what it is."""
        key = self.model._meta.pk
        return [key.name] if obj is not None and not key.auto_created else []


@admin.register(Bureau, OutcomeArea)
class PlainListAdmin(CodeListAdmin):
    """Lists of nothing but codes and names."""


@admin.register(Country)
class CountryAdmin(CodeListAdmin):
    """Countries."""

    list_display = ["iso3", "name", "iso2", "m49", "fts_id", "bureau", "region", "retired_on"]
    list_display_links = ["iso3", "name"]
    list_filter = ["bureau", RetiredFilter]
    list_select_related = ["bureau"]
    search_fields = ["=iso3", "=iso2", "name", "names"]
    ordering = ["name"]
    autocomplete_fields = ["bureau"]


@admin.register(AdminArea)
class AdminAreaAdmin(PortalAdmin):
    """Administrative areas, of which there are tens of thousands."""

    list_display = ["pcode", "name", "level", "country", "parent", "valid_from", "retired_on"]
    list_display_links = ["pcode", "name"]
    list_filter = ["level", RetiredFilter, ("country__bureau", admin.RelatedOnlyFieldListFilter)]
    list_select_related = ["country", "parent"]
    search_fields = ["pcode__istartswith", "name", "=country__iso3"]
    ordering = ["pcode"]
    autocomplete_fields = ["country", "parent"]

    def get_readonly_fields(self, request: HttpRequest, obj: models.Model | None = None) -> list[str]:
        """A p-code stays what it is."""
        return ["pcode"] if obj is not None else []


@admin.register(Situation)
class SituationAdmin(CodeListAdmin):
    """Refugee situations."""

    list_display = ["code", "name", "onset_on", "position", "retired_on"]
    prepopulated_fields = {"code": ["name"]}
    autocomplete_fields = ["countries"]


@admin.register(Sector)
class SectorAdmin(CodeListAdmin):
    """Sectors and sub-sectors."""

    list_display = ["code", "name", "parent", "position", "retired_on"]
    list_filter = [("parent", admin.EmptyFieldListFilter), RetiredFilter]
    list_select_related = ["parent"]
    autocomplete_fields = ["parent"]
    filter_horizontal = ["outcome_areas"]


@admin.register(GlobalCluster)
class GlobalClusterAdmin(PortalAdmin):
    """Global clusters of FTS."""

    list_display = ["fts_id", "name", "sector"]
    list_display_links = ["fts_id", "name"]
    list_select_related = ["sector"]
    search_fields = ["=fts_id", "name"]
    ordering = ["fts_id"]
    autocomplete_fields = ["sector"]

    def get_readonly_fields(self, request: HttpRequest, obj: models.Model | None = None) -> list[str]:
        """The number is the key."""
        return ["fts_id"] if obj is not None else []


@admin.register(PopulationGroup)
class PopulationGroupAdmin(CodeListAdmin):
    """Population groups."""

    list_display = ["code", "name", "unhcr_code", "eligibility", "shown_apart", "position", "retired_on"]
    list_filter = ["eligibility", RetiredFilter]


@admin.register(AgeBand)
class AgeBandAdmin(CodeListAdmin):
    """Age bands."""

    list_display = ["code", "name", "min_age", "max_age", "position", "retired_on"]


@admin.register(Currency)
class CurrencyAdmin(CodeListAdmin):
    """Currencies."""

    list_display = ["code", "name", "retired_on"]
    ordering = ["code"]


@admin.register(ExchangeRate)
class ExchangeRateAdmin(PortalAdmin):
    """Exchange rates."""

    list_display = ["currency", "units_per_usd", "starts_on", "ends_on", "source"]
    list_filter = ["starts_on"]
    search_fields = ["=currency__code", "source"]
    list_select_related = ["currency"]
    ordering = ["-starts_on", "currency", "-id"]
    autocomplete_fields = ["currency"]
