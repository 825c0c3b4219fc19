"""Filters of organisations and reference lists, the same for pages and API."""

import django_filters as filters
from django import forms
from django.db.models import Q
from django.forms.models import ModelChoiceIteratorValue
from django.utils.translation import gettext_lazy as _
from django_filters.fields import ModelChoiceField, ModelChoiceIterator

from rrp_portal.reference.models import Country, Organisation, OrganisationType


class CountryField(ModelChoiceField):
    """A choice of countries, in the order of their names as the reader reads them."""

    class iterator(ModelChoiceIterator):  # noqa: N801 - the name that Django's field looks for
        """What goes before all countries, then the countries by name."""

        def __iter__(self):
            countries = []
            for choice in super().__iter__():
                if isinstance(choice[0], ModelChoiceIteratorValue):
                    countries.append(choice)
                else:
                    yield choice  # at once: a form asks for the first choice alone, which needs no query
            yield from sorted(countries, key=lambda choice: choice[0].instance.local_order)


class CountryFilter(filters.ModelChoiceFilter):
    """A country by its code; all countries to choose from where no others are given."""

    field_class = CountryField

    def __init__(self, *args, **kwargs) -> None:
        kwargs.setdefault("queryset", Country.objects.order_by("name"))
        kwargs.setdefault("label", _("Country"))
        super().__init__(*args, to_field_name="iso3", **kwargs)


class OrganisationFilter(filters.FilterSet):
    """Organisations by words in their names, type, country and whether they are local, refugee-led or verified."""

    search = filters.CharFilter(
        method="find", label=_("Name or acronym contains"), widget=forms.TextInput({"type": "search"})
    )
    type = filters.ModelChoiceFilter(queryset=OrganisationType.objects.order_by("position", "name"), label=_("Type"))
    country = CountryFilter()
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
