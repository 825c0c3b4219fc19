"""Forms of the administration: entries of code lists with a name per language, and the merge of organisations."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib.admin.sites import AdminSite
from django.contrib.admin.widgets import AutocompleteSelect
from django.contrib.auth.forms import AdminUserCreationForm
from django.utils.translation import gettext_lazy as _

from rrp_portal.reference.models import Organisation, OrganisationType, User

# The languages of the portal and Russian, the sixth of the United Nations; English is the name itself.
LANGUAGES = [(code, name) for code, name in settings.LANGUAGES if code != "en"] + [("ru", "Русский")]


class NamesWidget(forms.MultiWidget):
    """One labelled line per language."""

    template_name = "admin/reference/_names.html"

    def __init__(self) -> None:
        directions = {code: "rtl" if code == "ar" else "ltr" for code, _name in LANGUAGES}
        widgets = {
            code.replace("-", "_"): forms.TextInput(
                {"placeholder": name, "lang": code, "dir": directions[code], "class": "vTextField"}
            )
            for code, name in LANGUAGES
        }
        super().__init__(widgets)

    def decompress(self, value: Any) -> list[str]:
        """The names in the order of the lines."""
        return [(value or {}).get(code, "") for code, _name in LANGUAGES]


class NamesField(forms.MultiValueField):
    """Names by language, as {code: name} without the empty ones."""

    widget = NamesWidget

    def __init__(self, **options: Any) -> None:
        fields = [forms.CharField(max_length=200, required=False) for _language in LANGUAGES]
        super().__init__(fields, require_all_fields=False, required=False, **options)

    def compress(self, values: list[str]) -> dict[str, str]:
        """The names that were given."""
        return {code: name for (code, _label), name in zip(LANGUAGES, values or [], strict=False) if name}

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compare names, not the English one beside them."""
        return super().has_changed(self.widget.decompress(initial), data)


class CodeListForm(forms.ModelForm):
    """An entry of a code list; its English name is its name."""

    names = NamesField(
        label=_("Names in other languages"), help_text=_("Where a name is missing, readers see the English one.")
    )

    def clean(self) -> dict[str, Any]:
        """Keep the English name among the names the same as the name."""
        cleaned = super().clean() or self.cleaned_data
        if "names" in cleaned and cleaned.get("name"):
            cleaned["names"] = {"en": cleaned["name"]} | cleaned["names"]
        return cleaned


class OrganisationTypeForm(CodeListForm):
    """A type of organisation; its FTS names one per line, since they contain commas and slashes."""

    fts_types = forms.CharField(
        label=_("FTS types"),
        required=False,
        widget=forms.Textarea({"rows": 6}),
        help_text=_("One per line: “type”, “type/subtype” or “type/*/level”, in the words of FTS."),
    )

    class Meta:
        model = OrganisationType
        exclude = ()  # noqa: DJ006 the administration shows every field

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["fts_types"] = "\n".join(self.instance.fts_types or [])

    def clean_fts_types(self) -> list[str]:
        """The lines."""
        return [line.strip() for line in self.cleaned_data["fts_types"].splitlines() if line.strip()]


class PersonCreationForm(AdminUserCreationForm):
    """A new account, known by its e-mail address; without a password it waits for a password reset."""

    class Meta:
        model = User
        fields = ("email", "name")


class MergeForm(forms.Form):
    """Into which organisation the chosen ones are merged, and why."""

    kept = forms.ModelChoiceField(Organisation.objects.standing(), label=_("Organisation to keep"))
    reason = forms.CharField(
        label=_("Reason"),
        widget=forms.Textarea({"rows": 3}),
        help_text=_("For example: the same organisation under two spellings."),
    )

    def __init__(self, *args: Any, merged: list[Organisation], site: AdminSite, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["kept"]
        field.queryset = (
            Organisation.objects.standing().exclude(pk__in=[one.pk for one in merged]).select_related("type")
        )
        field.widget = AutocompleteSelect(Organisation._meta.get_field("parent"), site, choices=field.choices)
