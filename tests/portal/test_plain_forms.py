"""Plain forms write what Django's templates write."""

import re

from django import forms
from django.forms.renderers import get_default_renderer

from rrp_portal.forms import PlainForm

GROUPS = [("", "All"), ("Fruit", [("a&b", "Apples & “pears”"), ("c", "<b>")]), (None, "Nothing"), (5, "Five")]


class Example(PlainForm):
    words = forms.CharField(
        widget=forms.TextInput({"type": "search", "data-x": '"<', "data-on": True, "data-off": False})
    )
    count = forms.IntegerField(min_value=1, max_value=5, localize=False)
    choice = forms.ChoiceField(choices=GROUPS, disabled=True)
    on = forms.DateField(required=False)
    sure = forms.BooleanField()
    hidden = forms.CharField(widget=forms.HiddenInput)


def without_breaks(html: str) -> str:
    return re.sub(r"\s*\n\s*", "", html)


def test_a_plain_form_writes_what_the_templates_write():
    typed = {"words": '"><script>alert(1)</script>', "count": "9", "choice": "a&b", "on": "no day"}
    for data in (None, {}, typed):
        plain, usual = Example(data), Example(data, renderer=get_default_renderer())
        for name in plain.fields:
            assert without_breaks(str(plain[name])) == without_breaks(str(usual[name]))
            assert str(plain[name].errors) == str(usual[name].errors)
    assert "&lt;script&gt;" in str(Example(typed)["words"])
