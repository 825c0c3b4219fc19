"""What a funding tracker says about a flow."""

from django import forms
from django.utils.translation import gettext_lazy as _

from funding.forms.fields import DayInput, MoneyField, OrganisationField
from funding.models import Flow
from funding.services import Confirm
from rrp_portal.reference.models import Currency

TYPES = [
    ("", _("Decided by the portal from donor and years")),
    *[choice for choice in Flow.Type.choices if choice[0] not in {Flow.Type.STANDARD, Flow.Type.REVERSAL}],
]
TOUCHED = ("donor", "recipient", "parent", "currency")


class FlowForm(forms.Form):
    """One flow. Its refusals come from `record_flow` and `change_flow`, and land beside the field."""

    donor = OrganisationField(
        label=_("Who gave it?"), help_text=_("Name or acronym of the organisation. Only a pledge may leave it open."), required=False,
        widget=forms.TextInput({"list": "donors", "autocomplete": "off"}),
    )  # fmt: skip
    is_donor_anonymous = forms.BooleanField(
        label=_("The donor wishes to stay anonymous: show “Not specified”"), required=False
    )
    recipient = OrganisationField(
        label=_("Who received it?"),
        help_text=_("Only a pledge may leave it open."),
        required=False,
        widget=forms.TextInput({"list": "recipients", "autocomplete": "off"}),
    )
    original_amount = MoneyField(label=_("How much?"))
    currency = forms.ModelChoiceField(queryset=Currency.objects.none(), label=_("Currency"), empty_label=None)
    units_per_usd = forms.DecimalField(
        label=_("Exchange rate, units per US dollar"), required=False, max_digits=20, decimal_places=10,
        widget=forms.TextInput({"inputmode": "decimal"}),
        help_text=_("Leave empty to use the portal's rate of the decision date."),
    )  # fmt: skip
    rate_source = forms.CharField(
        label=_("Where does this rate come from?"), required=False, max_length=200,
        help_text=_("Needed when you give a rate."),
    )  # fmt: skip
    status = forms.ChoiceField(
        choices=Flow.Status.choices, label=_("Status"), initial=Flow.Status.COMMITMENT,
        help_text=_("A pledge is shown and not counted. A commitment and what is paid are counted."),
    )  # fmt: skip
    decided_on = forms.DateField(
        label=_("When did the donor decide?"),
        required=False,
        widget=DayInput,
        help_text=_("Only a pledge may leave it open. The exchange rate is the one of this day."),
    )
    type = forms.ChoiceField(choices=TYPES, label=_("Kind of flow"), required=False)
    parent = forms.ModelChoiceField(
        queryset=Flow.objects.none(), label=_("Part of which flow?"), required=False,
        widget=forms.TextInput({"inputmode": "numeric", "list": "parents", "autocomplete": "off"}),
        help_text=_("The number of the flow that this money was part of; it stands in the address of its page."),
        error_messages={"invalid_choice": _("There is no such flow. Copy its number from its page.")},
    )  # fmt: skip
    is_new_money = forms.BooleanField(
        label=_("It is new money"), required=False, initial=True,
        help_text=_("Money carried over, passed on, or allocated from a pooled fund is never new; the portal sees to it."),
    )  # fmt: skip
    contribution_type = forms.ChoiceField(choices=Flow.ContributionType.choices, label=_("Money, goods or services?"))
    valuation_basis = forms.CharField(
        label=_("How were goods or services valued?"), required=False, max_length=200,
        help_text=_("Needed for what is not money, for example “market price”."),
    )  # fmt: skip
    method = forms.ChoiceField(choices=Flow.Method.choices, label=_("Delivery method"))
    earmarking = forms.ChoiceField(
        choices=[("", _("Not known")), *Flow.Earmarking.choices], label=_("Earmarking"), required=False
    )
    reference = forms.CharField(label=_("The donor's reference"), required=False, max_length=200)
    description = forms.CharField(label=_("Description"), required=False, widget=forms.Textarea({"rows": 3}))
    reason = forms.CharField(
        label=_("Reason"), required=False, widget=forms.Textarea({"rows": 2}),
        help_text=_("Needed when a status goes back, a flow is cancelled, or a suspected twin is another flow."),
    )  # fmt: skip
    lines_in = forms.ChoiceField(
        choices=[("original", _("The currency of the flow")), ("usd", _("US dollars"))],
        label=_("The lines below are in"),
    )
    confirm_pass_through = forms.BooleanField(label=_("Yes, this money is passed on inside the plan"), required=False)
    confirm_twin = forms.BooleanField(label=_("This is another flow; the reason below says why"), required=False)
    version = forms.CharField(required=False, widget=forms.HiddenInput)

    NOT_DATA = ("lines_in", "confirm_pass_through", "confirm_twin", "version")

    def __init__(self, *args, user, flow=None, **options):
        super().__init__(*args, **options)
        self.flow = flow
        self.fields["currency"].queryset = Currency.objects.active().order_by("position", "code")
        self.fields["parent"].queryset = Flow.objects.visible_to(user)
        if flow is not None and flow.type == Flow.Type.REVERSAL:
            self.fields["type"].choices = [(Flow.Type.REVERSAL, Flow.Type.REVERSAL.label)]

    @property
    def confirmed(self) -> list[str]:
        """What the person was asked and confirmed."""
        asked = {Confirm.PASS_THROUGH: "confirm_pass_through", Confirm.TWIN: "confirm_twin"}
        return [answer for answer, field in asked.items() if self.cleaned_data.get(field)]

    def data_for_service(self) -> dict:
        """The fields as `record_flow` and `change_flow` take them."""
        data = {name: value for name, value in self.cleaned_data.items() if name not in self.NOT_DATA}
        return data | {"type": data["type"] or Flow.Type.STANDARD}

    @classmethod
    def initial_of(cls, flow: Flow) -> dict:
        """A stored flow as the form shows it; lines are then in US dollars, as they are frozen."""
        names = [name for name in cls.base_fields if name not in cls.NOT_DATA]
        initial = {name: getattr(flow, name) for name in names} | {
            "parent": flow.parent_id,
            "currency": flow.currency_id,
        }
        if flow.type in {Flow.Type.STANDARD, Flow.Type.PARKED}:
            initial["type"] = ""
        if flow.units_per_usd is not None:
            initial["units_per_usd"] = f"{flow.units_per_usd.normalize():f}" if flow.currency_id != "USD" else ""
        if flow.original_amount is None:
            initial |= {"original_amount": flow.amount_usd, "currency": "USD"}
        return initial | {"lines_in": "usd"}
