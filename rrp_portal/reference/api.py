"""Organisations and reference lists over REST. They are read here and maintained in the administration."""

import django_filters as filters
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from rrp_portal.api.resources import Reading
from rrp_portal.reference.filters import OrganisationFilter
from rrp_portal.reference.models import (
    AdminArea,
    Bureau,
    Country,
    Currency,
    ExchangeRate,
    GlobalCluster,
    Organisation,
    OrganisationType,
    PopulationGroup,
    Sector,
    Situation,
)
from rrp_portal.serializers import LocalNameField


class ListFilter(filters.FilterSet):
    """Entries that may still be chosen, or those that are retired."""

    is_active = filters.BooleanFilter(field_name="retired_on", lookup_expr="isnull", label=_("May still be chosen"))


class OrganisationSerializer(serializers.ModelSerializer):
    """An organisation."""

    type = serializers.CharField(source="type_id")
    type_name = LocalNameField(source="type")
    localisation = serializers.CharField(source="type.localisation")
    country = serializers.CharField(source="country_id", allow_null=True)
    parent = serializers.IntegerField(source="parent_id", allow_null=True)
    merged_into = serializers.IntegerField(source="merged_into_id", allow_null=True)

    class Meta:
        model = Organisation
        fields = [
            "id",
            "name",
            "acronym",
            "native_name",
            "type",
            "type_name",
            "localisation",
            "country",
            "parent",
            "fts_id",
            "iati_id",
            "website",
            "is_verified",
            "is_women_led",
            "is_refugee_led",
            "is_youth_led",
            "is_disability_led",
            "is_lead_agency",
            "is_demonstration",
            "merged_into",
            "retired_on",
        ]


class OrganisationResource(Reading):
    """Organisations. One that was merged is found by its number alone and says into which."""

    serializer_class = OrganisationSerializer
    queryset = Organisation.objects.none()
    filterset_class = OrganisationFilter
    file_name = "organisations"

    def get_queryset(self):
        """Organisations that count as themselves; a merged one by its number."""
        rows = Organisation.objects.all() if self.action == "retrieve" else Organisation.objects.standing()
        return rows.select_related("type")


class OrganisationTypeSerializer(serializers.ModelSerializer):
    """A type of organisation and what follows from it."""

    name = LocalNameField()

    class Meta:
        model = OrganisationType
        fields = [
            "code",
            "name",
            "may_own_requirement",
            "may_give",
            "localisation",
            "iati_code",
            "position",
            "retired_on",
        ]


class OrganisationTypeResource(Reading):
    """Types of organisation."""

    serializer_class = OrganisationTypeSerializer
    queryset = OrganisationType.objects.all()
    filterset_class = ListFilter
    file_name = "organisation-types"


class CountrySerializer(serializers.ModelSerializer):
    """A country or territory."""

    name = LocalNameField()
    bureau = serializers.SlugRelatedField("code", read_only=True, allow_null=True)

    class Meta:
        model = Country
        fields = ["iso3", "iso2", "m49", "fts_id", "name", "bureau", "region", "retired_on"]


class CountryFilter(ListFilter):
    """Countries by UNHCR bureau and region."""

    bureau = filters.ModelChoiceFilter(
        queryset=Bureau.objects.order_by("code"), to_field_name="code", label=_("Bureau")
    )
    region = filters.CharFilter(label=_("UNHCR region"))


class CountryResource(Reading):
    """Countries by their ISO 3166-1 alpha-3 codes."""

    serializer_class = CountrySerializer
    queryset = Country.objects.select_related("bureau")
    filterset_class = CountryFilter
    file_name = "countries"


class AdminAreaSerializer(serializers.ModelSerializer):
    """An administrative area."""

    class Meta:
        model = AdminArea
        fields = ["pcode", "country", "level", "name", "parent", "valid_from", "retired_on"]


class AdminAreaFilter(ListFilter):
    """Administrative areas by country, level and parent."""

    country = filters.ModelChoiceFilter(
        queryset=Country.objects.order_by("name"), to_field_name="iso3", label=_("Country")
    )
    level = filters.NumberFilter(label=_("Level"))
    parent = filters.CharFilter(field_name="parent_id", label=_("P-code of the parent area"))


class AdminAreaResource(Reading):
    """Administrative areas by their OCHA p-codes."""

    serializer_class = AdminAreaSerializer
    queryset = AdminArea.objects.all()
    filterset_class = AdminAreaFilter
    lookup_value_regex = "[^/]+"
    file_name = "admin-areas"


class SectorSerializer(serializers.ModelSerializer):
    """A sector, or a sub-sector where it has a parent."""

    name = LocalNameField()
    parent = serializers.SlugRelatedField("code", read_only=True, allow_null=True)
    outcome_areas = serializers.ListField(child=serializers.CharField(), source="outcome_codes")
    fts_clusters = serializers.ListField(child=serializers.IntegerField())

    class Meta:
        model = Sector
        fields = ["code", "name", "parent", "outcome_areas", "fts_clusters", "position", "retired_on"]


class SectorResource(Reading):
    """Sectors and sub-sectors, with UNHCR outcome areas and FTS global clusters."""

    serializer_class = SectorSerializer
    queryset = Sector.objects.select_related("parent").annotate(
        outcome_codes=ArraySubquery(
            Sector.outcome_areas.through.objects.filter(sector=OuterRef("pk"))
            .order_by("outcomearea__code")
            .values("outcomearea__code")
        ),
        fts_clusters=ArraySubquery(
            GlobalCluster.objects.filter(sector=OuterRef("pk")).order_by("fts_id").values("fts_id")
        ),
    )
    filterset_class = ListFilter
    lookup_field = "code"
    ordering = ("code",)
    file_name = "sectors"


class CurrencySerializer(serializers.ModelSerializer):
    """A currency."""

    name = LocalNameField()

    class Meta:
        model = Currency
        fields = ["code", "name", "retired_on"]


class CurrencyResource(Reading):
    """Currencies by their ISO 4217 codes."""

    serializer_class = CurrencySerializer
    queryset = Currency.objects.all()
    filterset_class = ListFilter
    file_name = "currencies"


class ExchangeRateSerializer(serializers.ModelSerializer):
    """Units of a currency per US dollar, from one day to another."""

    class Meta:
        model = ExchangeRate
        fields = ["id", "currency", "units_per_usd", "starts_on", "ends_on", "source"]


class ExchangeRateFilter(filters.FilterSet):
    """Rates by currency, and those in force on a day."""

    currency = filters.ModelChoiceFilter(queryset=Currency.objects.order_by("code"), label=_("Currency"))
    on = filters.DateFilter(method="in_force", label=_("In force on the day"))

    def in_force(self, queryset, name, value):
        """Rates whose period holds the day."""
        return queryset.filter(starts_on__lte=value).exclude(ends_on__lt=value)


class ExchangeRateResource(Reading):
    """Exchange rates against the US dollar, each with its source and period."""

    serializer_class = ExchangeRateSerializer
    queryset = ExchangeRate.objects.all()
    filterset_class = ExchangeRateFilter
    file_name = "exchange-rates"


class PopulationGroupSerializer(serializers.ModelSerializer):
    """A population group and the plans in which it may stand."""

    name = LocalNameField()

    class Meta:
        model = PopulationGroup
        fields = ["code", "name", "unhcr_code", "eligibility", "shown_apart", "position", "retired_on"]


class PopulationGroupResource(Reading):
    """Population groups."""

    serializer_class = PopulationGroupSerializer
    queryset = PopulationGroup.objects.all()
    filterset_class = ListFilter
    file_name = "population-groups"


class BureauSerializer(serializers.ModelSerializer):
    """A UNHCR regional bureau."""

    name = LocalNameField()

    class Meta:
        model = Bureau
        fields = ["code", "name", "retired_on"]


class BureauResource(Reading):
    """UNHCR regional bureaus."""

    serializer_class = BureauSerializer
    queryset = Bureau.objects.all()
    filterset_class = ListFilter
    lookup_field = "code"
    ordering = ("code",)
    file_name = "bureaus"


class SituationSerializer(serializers.ModelSerializer):
    """A refugee situation: one cause, several countries."""

    name = LocalNameField()
    countries = serializers.ListField(child=serializers.CharField(), source="country_codes")

    class Meta:
        model = Situation
        fields = ["code", "name", "onset_on", "countries", "retired_on"]


class SituationResource(Reading):
    """Refugee situations."""

    serializer_class = SituationSerializer
    queryset = Situation.objects.annotate(
        country_codes=ArraySubquery(
            Situation.countries.through.objects.filter(situation=OuterRef("pk")).order_by("country").values("country")
        )
    )
    filterset_class = ListFilter
    lookup_field = "code"
    ordering = ("code",)
    file_name = "situations"
