"""The filters that public pages offer: those of the API, with choices that lead somewhere."""

from typing import NamedTuple

import django_filters as filters
from django import forms
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from planning.filters import PlanFilter
from planning.models import Plan
from rrp_portal.reference.filters import CountryFilter, OrganisationFilter
from rrp_portal.reference.models import Country, Situation


class Shown(NamedTuple):
    """One filter as a page writes it: a select where it has options, else a field for words."""

    name: str
    label: str
    errors: list[str]
    value: str
    options: SafeString | None


def shown(form: forms.Form, names: tuple[str, ...]) -> list[Shown]:
    """The fields of a filter form, with their options written at once: a widget's templates cost a millisecond for each option."""
    return [_shown(form[name]) for name in names]


def _shown(field: forms.BoundField) -> Shown:
    value, options = str(field.value() or ""), None
    if hasattr(field.field, "choices"):
        choices = ((str(key), label) for key, label in field.field.choices)
        marked = ((key, " selected" if key == value else "", label) for key, label in choices)
        options = format_html_join("", '<option value="{}"{}>{}</option>', marked)
    return Shown(field.name, str(field.label), list(field.errors), value, options)


class PlanPageFilter(PlanFilter):
    """The filters of the list of plans; `year` chooses the figures, and is read by the page."""

    year = None
    country = CountryFilter(
        queryset=Country.objects.filter(chapters__plan__published_on__isnull=False).distinct().order_by("name"),
        method="in_country",
        empty_label=_("All"),
    )
    situation = filters.ModelChoiceFilter(
        queryset=Situation.objects.filter(plans__published_on__isnull=False).distinct().order_by("name"),
        to_field_name="code",
        label=_("Refugee situation"),
        empty_label=_("All"),
    )
    type = filters.ChoiceFilter(choices=Plan.Type.choices, label=_("Type of plan"), empty_label=_("All"))
    reference = filters.BooleanFilter(
        method="with_reference", label=_("Also plans shown for reference"), widget=forms.CheckboxInput
    )

    SHOWN = ("search", "type", "country", "situation")

    def with_reference(self, queryset, name, value):
        """Plans shown for reference stand in the list only when they are asked for, by this box or by their type."""
        if value or self.form.cleaned_data.get("type") in Plan.REFERENCE_ONLY:
            return queryset
        return queryset.exclude(type__in=Plan.REFERENCE_ONLY)

    @property
    def fields(self):
        """The fields that the page shows."""
        return shown(self.form, self.SHOWN)


class OrganisationPageFilter(OrganisationFilter):
    """The filters of the list of organisations."""

    SHOWN = ("search", "type")

    @property
    def fields(self):
        """The fields that the page shows."""
        return shown(self.form, self.SHOWN)
