"""How the OpenAPI document describes our filters: rows of other tables by code or number, whole numbers as such."""

from django_filters import filters
from drf_spectacular.contrib.django_filters import DjangoFilterExtension
from drf_spectacular.drainage import has_override, set_override
from drf_spectacular.types import OpenApiTypes


class KnownFiltersExtension(DjangoFilterExtension):
    """The type and the meaning of every filter."""

    target_class = "rrp_portal.api.filters.KnownFilters"
    priority = 1

    def resolve_filter_field(self, auto_schema, model, filterset_class, field_name, filter_field):
        """The parameters that one filter takes."""
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
