"""What a funding tracker says when money was taken back."""

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from funding.forms.fields import DayInput, MoneyField


class ReversalForm(forms.Form):
    """How much was taken back, when and why; from which lines, where the flow has several."""

    amount = MoneyField(
        label=_("How much was taken back?"), help_text=_("Without a minus sign, in the currency of the flow.")
    )
    decided_on = forms.DateField(label=_("When was this decided?"), widget=DayInput, initial=timezone.localdate)
    reason = forms.CharField(label=_("Why?"), widget=forms.Textarea({"rows": 3}))

    def __init__(self, *args, lines, ask_lines: bool, **options):
        super().__init__(*args, **options)
        self.lines = lines if ask_lines else []
        for line in self.lines:
            self.fields[f"line_{line.pk}"] = MoneyField(
                required=False, min_value=0, label=_("Of it from: %(line)s") % {"line": line.label}
            )

    @property
    def typed_lines(self) -> list[dict] | None:
        """The lines from which the money was taken, in the flow's currency; None where there is only one to take it from."""
        if not self.lines:
            return None
        cells = (
            "plan",
            "year",
            "place",
            "country",
            "split",
            "sector",
            "named_years",
            "named_countries",
            "named_sectors",
        )
        back = [(line, self.cleaned_data.get(f"line_{line.pk}")) for line in self.lines]
        named = [(line, amount) for line, amount in back if amount] or [(self.lines[0], 0)]
        return [{"amount": amount} | {name: getattr(line, name) for name in cells} for line, amount in named]
