"""How the OpenAPI document describes our resources, their filters, their CSV files and their refusals."""

import inspect
from typing import Any

from django_filters import filters
from drf_spectacular.contrib.django_filters import DjangoFilterExtension
from drf_spectacular.drainage import has_override, set_override
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.types import OpenApiTypes

OURS = "rrp_portal.api.resources"

REFUSAL = {
    "type": "object",
    "description": "Why a request was refused. Each message is a sentence that says what to do.",
    "required": ["type", "errors"],
    "properties": {
        "type": {
            "type": "string",
            "description": "validation, not_authenticated, permission, not_found, stale, throttled …",
        },
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "code", "message"],
                "properties": {
                    "field": {
                        "type": "string",
                        "nullable": True,
                        "description": "For example lines.0.year; null: no single field.",
                    },
                    "code": {
                        "type": "string",
                        "description": "For machines; a broken rule has the name of its constraint.",
                    },
                    "message": {"type": "string"},
                },
            },
        },
    },
}


class Described(AutoSchema):
    """A resource's own words where an operation is one of those that every resource has."""

    def get_description(self) -> str:
        """What the operation is for."""
        method = getattr(self.view, getattr(self.view, "action", None) or self.method.lower(), None)
        if self.view.__doc__ and getattr(method, "__module__", "") == OURS:
            return inspect.cleandoc(self.view.__doc__)
        return super().get_description()


def with_refusals(result: dict[str, Any], **_options: Any) -> dict[str, Any]:
    """The document with the one shape of every refusal, and CSV as text."""
    result["components"]["schemas"]["Refusal"] = REFUSAL
    refused = {
        "description": "Refused",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Refusal"}}},
    }
    for item in result["paths"].values():
        for operation in item.values():
            for response in operation["responses"].values():
                if "text/csv" in response.get("content", {}):
                    response["content"]["text/csv"]["schema"] = {"type": "string"}
            operation["responses"]["default"] = refused
    return result


class KnownFiltersExtension(DjangoFilterExtension):
    """The type and the meaning of every filter."""

    target_class = "rrp_portal.api.filters.KnownFilters"
    priority = 1

    def resolve_filter_field(self, auto_schema, model, filterset_class, field_name, filter_field):
        """The parameters that one filter takes: whole numbers as such, rows of other tables by code or number."""
        if not has_override(filter_field, "field"):
            if isinstance(filter_field, filters.ModelChoiceFilter):
                set_override(filter_field, "field", self._type_of(filter_field))
            elif isinstance(filter_field, filters.NumberFilter):
                set_override(filter_field, "field", OpenApiTypes.INT)
        parameters = super().resolve_filter_field(auto_schema, model, filterset_class, field_name, filter_field)
        for parameter in parameters:
            if label := filter_field.label:
                parameter.setdefault("description", str(label))
        return parameters

    def _type_of(self, filter_field) -> OpenApiTypes:
        rows = filter_field.extra.get("queryset")
        if filter_field.extra.get("to_field_name") or callable(rows) or rows is None:
            return OpenApiTypes.STR
        return OpenApiTypes.STR if rows.model._meta.pk.get_internal_type() == "CharField" else OpenApiTypes.INT
