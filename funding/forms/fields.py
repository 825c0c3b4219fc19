"""Fields that take what people type: amounts with spaces and commas, organisations by name, lists with commas."""

import re

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from rrp_portal.reference.models import Organisation

SPACES = re.compile(r"[\s\u00a0\u202f'’٬]")
GROUPED = re.compile(r"-?\d{1,3}([,.]\d{3})+")
NUMBER_AT_END = re.compile(r"#(\d{1,18})\)?\s*$")


def plain_number(text: str) -> str:
    """The number as a program writes it: 1 234 567,89 and 1,234,567.89 are the same; 1.234 keeps its dot."""
    text = SPACES.sub("", text).replace("٫", ".")
    comma, dot = text.rfind(","), text.rfind(".")
    if comma >= 0 and dot >= 0:
        group, point = (",", ".") if dot > comma else (".", ",")
        return text.replace(group, "").replace(point, ".")
    if comma >= 0:
        return text.replace(",", "") if GROUPED.fullmatch(text) else text.replace(",", ".", 1)
    return text.replace(".", "") if text.count(".") > 1 and GROUPED.fullmatch(text) else text


class MoneyField(forms.DecimalField):
    """An amount, typed as people write amounts."""

    widget = forms.TextInput

    def __init__(self, **options):
        options = {"max_digits": 19, "decimal_places": 2} | options
        super().__init__(**options)
        self.widget.attrs.setdefault("inputmode", "decimal")
        self.error_messages["invalid"] = _("Give an amount in figures, for example 26 657.")

    def to_python(self, value):
        """The decimal that was meant."""
        return super().to_python(plain_number(value) if isinstance(value, str) else value)


class OrganisationField(forms.CharField):
    """An organisation by its name or acronym, or by its number in the portal where names are not enough: #12."""

    def __init__(self, **options):
        super().__init__(max_length=300, **options)

    def prepare_value(self, value):
        """The name, which is enough to find the organisation again; with its number where another has the same name."""
        if not isinstance(value, Organisation):
            return value
        twins = Organisation.objects.standing().filter(name__iexact=value.name)[:2]
        return value.name if len(twins) == 1 else f"{value.name} #{value.pk}"

    def clean(self, value):
        """The organisation, None for an empty field; raises ValidationError with the names that would do."""
        words = super().clean(value)
        if not words:
            return None
        standing = Organisation.objects.standing()
        if (number := NUMBER_AT_END.search(words)) and (found := standing.filter(pk=int(number[1])).first()):
            return found
        for match in ({"name__iexact": words}, {"acronym__iexact": words}, {"name__icontains": words}):
            found = list(standing.filter(**match).order_by("name", "pk")[:6])
            if len(found) == 1:
                return found[0]
            if found:
                names = "; ".join(f"{organisation.name} #{organisation.pk}" for organisation in found[:5])
                raise ValidationError(
                    _("Several organisations have this name. Type one of them with its number: %(names)s."),
                    code="ambiguous",
                    params={"names": names},
                )
        raise ValidationError(
            _("No organisation has the name “%(name)s”. Check the spelling, or ask an administrator to add it."),
            code="unknown",
            params={"name": words},
        )


class ListField(forms.CharField):
    """Several values, separated by commas."""

    def prepare_value(self, value):
        """The values with commas between them."""
        return ", ".join(str(item) for item in value) if isinstance(value, list | tuple) else value

    def clean(self, value):
        """The values in their order, none for an empty field."""
        return [item.strip() for item in re.split(r"[,;،、]", super().clean(value) or "") if item.strip()]


class YearsField(ListField):
    """Several years, separated by commas."""

    def clean(self, value):
        """The years as numbers; raises ValidationError for what is no year."""
        years = super().clean(value)
        if not all(re.fullmatch(r"(19|20)\d\d", year) for year in years):
            raise ValidationError(_("Give years with commas between them, for example 2026, 2027."), code="invalid")
        return [int(year) for year in years]


class DayInput(forms.DateInput):
    """A day, in the form that every browser understands."""

    input_type = "date"

    def __init__(self, attrs=None):
        super().__init__(attrs, format="%Y-%m-%d")
