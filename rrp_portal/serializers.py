"""The API obeys Model.full_clean(): a rule is written once, in the model, and is heard here. Knows no app."""

import copy
from typing import Any

from django.core.exceptions import ValidationError as ModelValidationError
from django.utils.translation import get_language
from rest_framework import serializers
from rest_framework.settings import api_settings

from rrp_portal.api.refusals import as_details


class CleanModelSerializer(serializers.ModelSerializer):
    """A serializer whose rules are those of its model, with the same sentences beside the same fields.

    The rules are tried on a copy, so that a refused PATCH leaves the instance as it was.
    """

    def get_validators(self) -> list:
        """None of the framework's own checks of uniqueness: the model's constraints say it better."""
        return []

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """The values, when the model accepts them. Raises ValidationError by field of this serializer."""
        attrs = super().validate(attrs)
        many = {field.name for field in self.Meta.model._meta.many_to_many}
        candidate = copy.copy(self.instance) if self.instance is not None else self.Meta.model()
        for name, value in attrs.items():
            if name not in many:
                setattr(candidate, name, value)
        try:
            candidate.full_clean(exclude=self.left_to_others())
        except ModelValidationError as error:
            raise serializers.ValidationError(self.as_errors(error)) from error
        return attrs

    def left_to_others(self) -> set[str]:
        """Fields of the model that something else fills and checks; empty unless a serializer says more."""
        return set()

    def as_errors(self, error: ModelValidationError) -> dict[str, list]:
        """The model's refusals under the names that the API gives to its fields."""
        names = {field.source: name for name, field in self.fields.items() if not field.read_only}
        return {
            field if field == api_settings.NON_FIELD_ERRORS_KEY else names.get(field, field): details
            for field, details in as_details(error).items()
        }


class _AmongVisible:
    """What is hidden from the writer does not exist."""

    def get_queryset(self):
        """The rows that may be named."""
        rows = super().get_queryset()
        request = self.context.get("request")
        return rows.visible_to(request.user) if request is not None and hasattr(rows, "visible_to") else rows


class NumberedField(_AmongVisible, serializers.PrimaryKeyRelatedField):
    """Another row by its number in the portal."""


class CodedField(_AmongVisible, serializers.SlugRelatedField):
    """Another row by its code."""


class LocalNameField(serializers.CharField):
    """The name of an entry in the reader's language (Accept-Language), in English where it is not translated."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"source": "*", "read_only": True} | options)

    def to_representation(self, value: Any) -> str:
        """The name."""
        return value.names.get(get_language() or "en") or value.name
