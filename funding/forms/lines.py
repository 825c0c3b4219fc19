"""The lines of a flow in the form: plan, year, place and sector, with the honest answers “shared” and “not specified”."""

from collections.abc import Sequence

from django import forms
from django.utils.translation import gettext_lazy as _

from funding.forms.fields import ListField, MoneyField, YearsField
from funding.models import FlowLine, Place, SectorSplit
from planning.models import Chapter, Plan, PlanSector
from rrp_portal.reference.models import Country

PLACES = [
    (Place.REGION, _("The region as a whole")),
    (Place.SHARED, _("Several countries, split not known")),
    (Place.NOT_SPECIFIED, _("Not specified")),
]
SPLITS = [(SectorSplit.SHARED, _("Several sectors, split not known")), (SectorSplit.NOT_SPECIFIED, _("Not specified"))]


SEVERAL = "several"


class Choices:
    """What the lines of a form may name: plans, their countries and their sectors, read in three queries for all lines."""

    def __init__(self, plans: Sequence[Plan], *, outside: bool = False) -> None:
        self.outside = outside
        self.plans = {plan.code: plan for plan in plans}
        self.countries = {
            chapter.country_id: chapter.country
            for chapter in Chapter.objects.filter(plan__in=plans, country__isnull=False)
            .select_related("country")
            .order_by("position", "country__name")
        }
        sectors = (
            PlanSector.objects.filter(plan__in=plans)
            .select_related("plan", "sector")
            .order_by("plan", "position", "name")
        )
        self.sectors = {str(sector.pk): sector for sector in sectors}

    def also_country(self, country: Country | None) -> None:
        """A country that a stored line names although the plan has no chapter for it."""
        if country is not None:
            self.countries.setdefault(country.pk, country)

    @property
    def of_plan(self) -> list:
        """Plans by code."""
        outside = [("", _("No plan"))] if self.outside else []
        return [*[(code, f"{code} · {plan.name}") for code, plan in self.plans.items()], *outside]

    @property
    def of_year(self) -> list:
        """Every year of the plans, newest last, and “several”."""
        years = sorted({year for plan in self.plans.values() for year in plan.years})
        return [*[(str(year), str(year)) for year in years], (SEVERAL, _("Several years, not yet split"))]

    @property
    def of_where(self) -> list:
        """Countries, then what is no single country."""
        return [*[(code, country.local_name) for code, country in self.countries.items()], *PLACES]

    @property
    def of_sector(self) -> list:
        """Sectors, by plan where there are several, then what is no single sector."""
        if len(self.plans) == 1:
            return [*[(pk, sector.local_name) for pk, sector in self.sectors.items()], *SPLITS]
        groups: dict[str, list] = {code: [] for code in self.plans}
        for pk, sector in self.sectors.items():
            groups[sector.plan.code].append((pk, sector.local_name))
        return [*groups.items(), *SPLITS]


class LineForm(forms.Form):
    """One line: how much for which plan, year, place and sector."""

    id = forms.IntegerField(required=False, widget=forms.HiddenInput)
    plan = forms.ChoiceField(label=_("Plan"), required=False)
    year = forms.ChoiceField(label=_("Usage year"))
    where = forms.ChoiceField(label=_("Country"), initial=Place.NOT_SPECIFIED)
    sector = forms.ChoiceField(label=_("Sector"), initial=SectorSplit.NOT_SPECIFIED)
    amount = MoneyField(label=_("Amount of this line"), required=False, help_text=_("Empty: all that is left."))
    named_years = YearsField(label=_("Years, where there are several"), required=False, max_length=200)
    named_countries = ListField(label=_("Countries, where it is shared"), required=False, max_length=1000)
    named_sectors = ListField(label=_("Sectors, where it is shared"), required=False, max_length=1000)

    # A field of the service -> the field of the form beside which its refusal stands.
    BESIDE = {
        "place": "where",
        "country": "where",
        "split": "sector",
        "amount_usd": "amount",
        "global_sector": "sector",
    }

    def __init__(self, *args, choices: Choices, **options):
        super().__init__(*args, **options)
        self.choices = choices
        self.fields["plan"].choices, self.fields["year"].choices = choices.of_plan, choices.of_year
        self.fields["where"].choices, self.fields["sector"].choices = choices.of_where, choices.of_sector
        if len(choices.of_plan) == 1:
            self.fields["plan"].widget = forms.HiddenInput()
            self.fields["plan"].initial = next(iter(choices.plans))
        self.fields["year"].initial = choices.of_year[0][0]

    def line(self, unit: str) -> dict:
        """The line as the service takes it; `unit` is `amount` (the flow's currency) or `amount_usd`."""
        data = self.cleaned_data
        country, sector = self.choices.countries.get(data["where"]), self.choices.sectors.get(data["sector"])
        return {
            "id": data["id"],
            unit: data["amount"],
            "plan": self.choices.plans.get(data["plan"]),
            "year": None if data["year"] == SEVERAL else int(data["year"]),
            "place": Place.COUNTRY if country else data["where"],
            "country": country,
            "split": SectorSplit.SINGLE if sector else data["sector"],
            "sector": sector,
            **{name: data[name] for name in ("named_years", "named_countries", "named_sectors")},
        }


class LinesFormSet(forms.BaseFormSet):
    """All lines of a flow; a line marked for removal is left out."""

    def __init__(self, *args, choices: Choices, **options):
        super().__init__(*args, form_kwargs={"choices": choices}, **options)

    def _construct_form(self, i, **kwargs):
        form = super()._construct_form(i, **kwargs)
        form.empty_permitted = False
        return form

    @property
    def kept(self) -> list[LineForm]:
        """The lines that stay, in their order."""
        return [form for form in self.forms if form not in self.deleted_forms]

    def lines(self, unit: str) -> list[dict]:
        """The lines as the service takes them."""
        return [form.line(unit) for form in self.kept]


make_lines = forms.formset_factory(
    LineForm, formset=LinesFormSet, extra=0, can_delete=True, max_num=200, absolute_max=200
)


def line_initial(line: FlowLine) -> dict:
    """A stored line as the form shows it, in US dollars."""
    return {
        "id": line.pk,
        "plan": line.plan.code if line.plan else "",
        "year": str(line.year or SEVERAL),
        "where": line.country_id or line.place,
        "sector": str(line.sector_id or line.split),
        "amount": line.amount_usd,
        "named_years": line.named_years,
        "named_countries": line.named_countries,
        "named_sectors": line.named_sectors,
    }
