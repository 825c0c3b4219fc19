"""Forms whose inputs and selects are written without a template per option, for pages that show many choices."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from django import forms
from django.forms.renderers import BaseRenderer, get_default_renderer
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe


def attributes(attrs: Mapping[str, Any]) -> SafeString:
    """What Django's attrs.html writes: a name alone for True, nothing for False."""
    written = (
        (f' {name}="{{}}"', (value,)) if value is not True else (f" {name}", ())
        for name, value in attrs.items()
        if value is not False
    )
    return mark_safe("".join(format_html(form, *values) if values else form for form, values in written))  # noqa: S308


def select(widget: Mapping[str, Any]) -> SafeString:
    """A select with its options, and groups where the choices have them."""
    parts = []
    for group, options, _index in widget["optgroups"]:
        rows = ((option["value"], attributes(option["attrs"]), option["label"]) for option in options)
        written = format_html_join("\n", '<option value="{}"{}>{}</option>', rows)
        parts.append(format_html('<optgroup label="{}">{}</optgroup>', group, written) if group else written)
    opened = format_html('<select name="{}"{}>', widget["name"], attributes(widget["attrs"]))
    return mark_safe(f"{opened}{''.join(parts)}</select>")  # noqa: S308  (every part is escaped above)


def text_input(widget: Mapping[str, Any]) -> SafeString:
    """An input, with its value where it has one."""
    value = "" if widget["value"] is None else format_html(' value="{}"', widget["value"])
    return format_html(
        '<input type="{}" name="{}"{}{}>', widget["type"], widget["name"], value, attributes(widget["attrs"])
    )


class PlainRenderer(BaseRenderer):
    """Writes the plain widgets itself and leaves all else to the renderer of the settings."""

    WRITTEN = {
        "django/forms/widgets/select.html": select,
        "django/forms/widgets/text.html": text_input,
        "django/forms/widgets/number.html": text_input,
    }

    @cached_property
    def other(self) -> BaseRenderer:
        """The renderer for what is not written here."""
        return get_default_renderer()

    def get_template(self, template_name: str) -> Any:
        """The template of the settings' renderer."""
        return self.other.get_template(template_name)

    def render(self, template_name: str, context: Any, request: Any = None) -> str:
        """The HTML of a widget, of a list of errors or of a form."""
        write = self.WRITTEN.get(template_name)
        return write(context["widget"]) if write else self.other.render(template_name, context, request)


class PlainForm(forms.Form):
    """A form of plain inputs and selects."""

    default_renderer = PlainRenderer
