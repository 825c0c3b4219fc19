"""Driving the administration's pages in tests."""

from django.urls import reverse


def address(model, page, *args):
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def values(instance, **changes):
    """What the form of the row would send, with these changes."""
    data = {}
    for field in instance._meta.concrete_fields:
        value = getattr(instance, field.attname)
        if field.editable and value is not None and value is not False:
            data[field.name] = "on" if value is True else value
    return data | changes


def nothing_in(*prefixes):
    """The management forms of inlines that stay empty."""
    return {f"{prefix}-{name}": 0 for prefix in prefixes for name in ("TOTAL_FORMS", "INITIAL_FORMS")}


def messages(response):
    return " ".join(str(message) for message in response.context["messages"])


def errors(response):
    return " ".join(str(error) for errors in response.context["errors"] for error in errors)
