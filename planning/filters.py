"""Filters of plans and requirement lines, the same for pages and API."""

import django_filters as filters
from django import forms
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from planning.models import Plan, Requirement
from rrp_portal.reference.models import Country, Organisation, PopulationGroup, Sector, Situation


def visible_plans(request):
    """The plans that a filter may name: those the reader may see."""
    return Plan.objects.visible_to(request.user) if request is not None else Plan.objects.none()


class PlanCodeFilter(filters.ModelChoiceFilter):
    """A plan by its code, typed or from a link: a list of thousands of plans would be no help."""

    def __init__(self, **options):
        defaults = {
            "queryset": visible_plans,
            "to_field_name": "code",
            "label": _("Plan, by its code"),
            "widget": forms.TextInput,
            "error_messages": {
                "invalid_choice": _("There is no plan with this code. Copy it from the plan's address.")
            },
        }
        super().__init__(**defaults | options)


class PlanFilter(filters.FilterSet):
    """Plans by words in their name or code, year, type, country, situation, and whether they are emergencies."""

    search = filters.CharFilter(
        method="find", label=_("Name or code contains"), widget=forms.TextInput({"type": "search"})
    )
    year = filters.NumberFilter(method="in_year", label=_("Year"), min_value=1990, max_value=2100)
    type = filters.ChoiceFilter(choices=Plan.Type.choices, label=_("Type of plan"))
    country = filters.ModelChoiceFilter(
        queryset=Country.objects.order_by("name"), method="in_country", to_field_name="iso3", label=_("Country")
    )
    situation = filters.ModelChoiceFilter(
        queryset=Situation.objects.order_by("name"), to_field_name="code", label=_("Refugee situation")
    )
    lead = filters.ModelChoiceFilter(
        queryset=Organisation.objects.standing(),
        method="led_by",
        label=_("Lead organisation"),
        widget=forms.NumberInput,
    )
    is_emergency = filters.BooleanFilter(label=_("Emergency plan"))

    class Meta:
        model = Plan
        fields: list[str] = []

    def find(self, queryset, name, value):
        """Plans whose name, code or FTS code contains the words."""
        return queryset.filter(Q(name__icontains=value) | Q(code__icontains=value) | Q(fts_code__icontains=value))

    def in_year(self, queryset, name, value):
        """Plans whose period touches the year."""
        return queryset.filter(starts_on__year__lte=value, ends_on__year__gte=value)

    def in_country(self, queryset, name, value):
        """Plans with a chapter for the country; each plan once."""
        return queryset.filter(Exists(value.chapters.filter(plan=OuterRef("pk"))))

    def led_by(self, queryset, name, value):
        """Plans led by the organisation, alone or with others; each plan once."""
        return queryset.filter(
            Exists(Plan.lead_organisations.through.objects.filter(plan=OuterRef("pk"), organisation=value))
        )


class RequirementFilter(filters.FilterSet):
    """Requirement lines by plan, version, year, country, sector, partner, population group and status."""

    plan = PlanCodeFilter(field_name="version__plan")
    version = filters.NumberFilter(field_name="version_id", label=_("Version, by its number in the portal"))
    in_force = filters.BooleanFilter(method="of_version_in_force", label=_("Only the version in force"))
    year = filters.NumberFilter(label=_("Year"))
    country = filters.ModelChoiceFilter(
        field_name="chapter__country",
        queryset=Country.objects.order_by("name"),
        to_field_name="iso3",
        label=_("Country"),
    )
    sector = filters.ModelChoiceFilter(
        field_name="sector__sector",
        queryset=Sector.objects.order_by("position", "name"),
        to_field_name="code",
        label=_("Sector"),
    )
    partner = filters.ModelChoiceFilter(
        queryset=Organisation.objects.standing(), label=_("Partner"), widget=forms.NumberInput
    )
    population_group = filters.ModelChoiceFilter(
        queryset=PopulationGroup.objects.order_by("position", "name"), label=_("Population group")
    )
    status = filters.ChoiceFilter(choices=Requirement.Status.choices, label=_("Status"))

    class Meta:
        model = Requirement
        fields: list[str] = []

    def of_version_in_force(self, queryset, name, value):
        """Lines of each plan's newest approved version, or of all its other versions."""
        newest = (
            Plan.objects.filter(pk=OuterRef("version__plan"))
            .filter(versions__status="approved")
            .order_by("-versions__major", "-versions__minor")
            .values("versions")[:1]
        )
        return queryset.filter(version_id=newest) if value else queryset.exclude(version_id=newest)
