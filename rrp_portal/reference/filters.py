"""Filters of organisations and reference lists, the same for pages and API."""

import django_filters as filters
from django import forms
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from rrp_portal.reference.models import Country, Organisation, OrganisationType


class OrganisationFilter(filters.FilterSet):
    """Organisations by words in their names, type, country and whether they are local, refugee-led or verified."""

    search = filters.CharFilter(
        method="find", label=_("Name or acronym contains"), widget=forms.TextInput({"type": "search"})
    )
    type = filters.ModelChoiceFilter(queryset=OrganisationType.objects.order_by("position", "name"), label=_("Type"))
    country = filters.ModelChoiceFilter(
        queryset=Country.objects.order_by("name"), to_field_name="iso3", label=_("Country")
    )
    localisation = filters.ChoiceFilter(
        field_name="type__localisation", choices=OrganisationType.Localisation.choices, label=_("Localisation class")
    )
    is_refugee_led = filters.BooleanFilter(label=_("Refugee-led"))
    is_verified = filters.BooleanFilter(label=_("Verified"))
    fts_id = filters.NumberFilter(label=_("FTS id"))

    class Meta:
        model = Organisation
        fields: list[str] = []

    def find(self, queryset, name, value):
        """Organisations whose name, acronym or own-language name contains the words."""
        words = value.strip()
        return queryset.filter(Q(name__icontains=words) | Q(acronym__icontains=words) | Q(native_name__icontains=words))
