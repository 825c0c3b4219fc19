"""Filters of flows and figures, the same for pages and API."""

import django_filters as filters
from django import forms
from django.db.models import Case, Exists, F, OuterRef, Q, QuerySet, Subquery, When
from django.db.models.lookups import IsNull
from django.utils.translation import gettext_lazy as _

from funding.models import Figure, Flow, FlowLine, Place, SectorSplit
from planning.filters import PlanCodeFilter
from rrp_portal.forms import PlainForm
from rrp_portal.reference.filters import CountryFilter
from rrp_portal.reference.models import Organisation, Sector


def named(role: str, value: str) -> Q:
    """Flows whose donor or recipient has this number in the portal, or a name that contains the words."""
    if value.isdecimal():
        return Q(**{f"{role}_id": int(value)}) if len(value) < 19 else Q(pk=None)
    return Q(**{f"{role}__name__icontains": value}) | Q(**{f"{role}__acronym__icontains": value})


def known_donors(user) -> Q:
    """Flows whose donor the person may know: a donor's wish to stay anonymous is kept, except from those who keep the flow."""
    known = Q(is_donor_anonymous=False)
    if user is not None and user.is_authenticated:
        kept = Flow.objects.editable_by(user).filter(pk=OuterRef("pk")).values("pk")[:1]
        known |= Q(IsNull(Subquery(kept), False))  # a scalar subquery: asked for anonymous donors only, row by row
    return known


class FlowFilter(filters.FilterSet):
    """Flows by what they are and by where their lines go. Conditions on lines hold for one and the same line."""

    search = filters.CharFilter(
        method="find", label=_("Words, reference or FTS number"), widget=forms.TextInput({"type": "search"})
    )
    plan = PlanCodeFilter(method="on_line")
    year = filters.NumberFilter(method="on_line", label=_("Usage year"), min_value=1990, max_value=2100)
    country = CountryFilter(method="on_line", empty_label=_("All"))
    place = filters.ChoiceFilter(choices=Place.choices, empty_label=_("All"), method="on_line", label=_("Place"))
    sector = filters.ModelChoiceFilter(
        queryset=Sector.objects.filter(parent=None).order_by("position", "name"),
        method="on_line",
        to_field_name="code",
        label=_("Sector"),
        empty_label=_("All"),
    )
    split = filters.ChoiceFilter(
        choices=SectorSplit.choices, empty_label=_("All"), method="on_line", label=_("Sectors")
    )
    unsplit = filters.BooleanFilter(method="on_line", label=_("Not yet split between years"))
    donor = filters.CharFilter(method="given_by", label=_("Donor"))
    recipient = filters.CharFilter(method="received_by", label=_("Recipient"))
    status = filters.ChoiceFilter(choices=Flow.Status.choices, empty_label=_("All"), label=_("Status"))
    type = filters.ChoiceFilter(choices=Flow.Type.choices, empty_label=_("All"), label=_("Flow type"))
    contribution_type = filters.ChoiceFilter(
        choices=Flow.ContributionType.choices, empty_label=_("All"), label=_("Contribution type")
    )
    is_new_money = filters.BooleanFilter(label=_("New money"))
    fts_id = filters.NumberFilter(label=_("FTS flow id"))
    date_from = filters.DateFilter(field_name="flow_on", lookup_expr="gte", label=_("Dated from"))
    date_to = filters.DateFilter(field_name="flow_on", lookup_expr="lte", label=_("Dated to"))

    LINE_CONDITIONS = {
        "plan": lambda value: Q(plan=value),
        "year": lambda value: Q(year=value),
        "country": lambda value: Q(country=value),
        "place": lambda value: Q(place=value),
        "sector": lambda value: Q(sector__sector=value) | Q(sector__sector__parent=value) | Q(global_sector=value),
        "split": lambda value: Q(split=value),
        "unsplit": lambda value: Q(year=None, plan__isnull=False) if value else Q(year__isnull=False),
    }

    class Meta:
        model = Flow
        fields: list[str] = []

    def filter_queryset(self, queryset: QuerySet) -> QuerySet:
        """Every filter; those on lines as one condition, so that plan and year are those of one line."""
        queryset = super().filter_queryset(queryset)
        given = {key: self.form.cleaned_data.get(key) for key in self.LINE_CONDITIONS}
        lines = FlowLine.objects.filter(flow=OuterRef("pk"))
        conditions = [self.LINE_CONDITIONS[key](value) for key, value in given.items() if value not in (None, "")]
        return queryset.filter(Exists(lines.filter(*conditions))) if conditions else queryset

    def on_line(self, queryset, name, value):
        """Left to `filter_queryset`, which joins the conditions on lines."""
        return queryset

    def given_by(self, queryset, name, value):
        """Flows of the donor; an anonymous donor is found only by those who keep the flow."""
        return queryset.filter(named("donor", value.strip()) & self.donor_is_known())

    def received_by(self, queryset, name, value):
        """Flows to the recipient."""
        return queryset.filter(named("recipient", value.strip()))

    def find(self, queryset, name, value):
        """Flows whose texts, organisations or numbers hold the words."""
        words = value.strip()
        found = (
            Q(reference__icontains=words)
            | Q(description__icontains=words)
            | Q(project_name__icontains=words)
            | Q(project_code__iexact=words)
            | Q(recipient__name__icontains=words)
            | Q(donor__name__icontains=words) & self.donor_is_known()
        )
        if words.isdecimal() and len(words) < 19:
            found |= Q(fts_id=int(words)) | Q(pk=int(words))
        return queryset.filter(found)

    def donor_is_known(self) -> Q:
        """Flows whose donor the reader may know."""
        return known_donors(getattr(self.request, "user", None))


class FlowPageFilter(FlowFilter):
    """The filters of the list of flows, with its order."""

    SORTS = {
        "date": (F("flow_on"), F("pk")),
        "amount": (F("amount_usd"), F("pk")),
        "donor": (Case(When(is_donor_anonymous=False, then=F("donor__name"))), F("pk")),
        "recipient": (F("recipient__name"), F("pk")),
        "status": (F("status"), F("pk")),
    }
    DEFAULT_SORT = "-date"
    FIRST = ("search", "plan", "year", "country", "status")
    MORE = ("sector", "donor", "recipient", "type")

    sort = filters.ChoiceFilter(
        choices=[(f"{sign}{key}", key) for key in SORTS for sign in ("", "-")],
        method="in_order",
        label=_("Order"),
        widget=forms.HiddenInput,
    )

    class Meta(FlowFilter.Meta):
        form = PlainForm

    def filter_queryset(self, queryset):
        """The filtered flows in the order asked for, newest first without one."""
        queryset = super().filter_queryset(queryset)
        sort = self.form.cleaned_data.get("sort") or self.DEFAULT_SORT
        keys = self.SORTS[sort.removeprefix("-")]
        return queryset.order_by(*[key.desc() if sort.startswith("-") else key.asc() for key in keys])

    @property
    def first_fields(self) -> list:
        """The fields that the page shows at once."""
        return [self.form[name] for name in self.FIRST]

    @property
    def more_fields(self) -> list:
        """The fields that the page shows when asked."""
        return [self.form[name] for name in self.MORE]

    @property
    def has_more(self) -> bool:
        """Whether a field that is not shown at once narrows the list, or is refused."""
        return any(field.value() or field.errors for field in self.more_fields)

    @property
    def carried_fields(self) -> list:
        """Fields that only links set: kept when another filter is chosen."""
        shown = (*self.FIRST, *self.MORE, "sort")
        return [field for field in self.form if field.name not in shown and field.value()]

    def in_order(self, queryset, name, value):
        """Left to `filter_queryset`, which orders last."""
        return queryset


class FigureFilter(filters.FilterSet):
    """Figures by plan, year, level, country, sector, partner and donor."""

    plan = PlanCodeFilter()
    year = filters.NumberFilter(label=_("Year"))
    level = filters.ChoiceFilter(choices=Figure.Level.choices, label=_("Level"))
    country = CountryFilter()
    place = filters.ChoiceFilter(choices=Place.choices, label=_("Place"))
    sector = filters.ModelChoiceFilter(
        field_name="sector__sector",
        queryset=Sector.objects.order_by("position", "name"),
        to_field_name="code",
        label=_("Sector"),
    )
    split = filters.ChoiceFilter(choices=SectorSplit.choices, label=_("Sectors"))
    partner = filters.ModelChoiceFilter(
        queryset=Organisation.objects.standing(), label=_("Partner"), widget=forms.NumberInput
    )
    donor = filters.ModelChoiceFilter(
        queryset=Organisation.objects.standing(), label=_("Donor"), widget=forms.NumberInput
    )

    class Meta:
        model = Figure
        fields: list[str] = []
