"""Refusals gathered by field, so that a person reads all of them at once, the same on the page and from the API."""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError

Sentence = Any


class Refusals:
    """Sentences by field, each with a code for machines; `line(2, "year")` names a field of the third line."""

    def __init__(self) -> None:
        self.errors: dict[str, list[ValidationError]] = {}

    def add(self, field: str, sentence: Sentence, code: str = "invalid", **params: Any) -> None:
        """Refuse a field with a sentence whose placeholders are filled from `params`."""
        self.errors.setdefault(field, []).append(ValidationError(sentence, code=code, params=params or None))

    def take(self, error: ValidationError, prefix: str = "") -> None:
        """Add what a model refused."""
        found: Mapping[str, list[ValidationError]] = (
            error.error_dict if hasattr(error, "error_dict") else {NON_FIELD_ERRORS: error.error_list}
        )
        for field, errors in found.items():
            key: str
            if field == NON_FIELD_ERRORS and not prefix:
                key = NON_FIELD_ERRORS
            else:
                key = prefix + ("amount" if field in {NON_FIELD_ERRORS, "amount_usd"} and prefix else field)
            self.errors.setdefault(key, []).extend(errors)

    def check(self) -> None:
        """Raise ValidationError when anything was refused."""
        if self.errors:
            raise ValidationError({field: list(errors) for field, errors in self.errors.items()})


def line_field(index: int, field: str) -> str:
    """The key of a line's field in a refusal: `lines-2-year` is the year of the third line."""
    return f"lines-{index}-{field}"
