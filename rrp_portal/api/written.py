"""What may stand in the body of a write: a misspelt field, or a change to what is computed, is refused and never ignored."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import gettext as _
from rest_framework.exceptions import ErrorDetail, ValidationError


def refuse_unwritable(
    data: Any, *, writable: Iterable[str], shown: Mapping[str, Any] | None, known: Iterable[str]
) -> None:
    """Raise ValidationError for names that do not exist, and for names that cannot be written.

    What the reader was `shown` may come back unchanged, so that a row can be fetched, edited and sent as a whole.
    """
    if not isinstance(data, Mapping):
        raise ValidationError([ErrorDetail(_("Send one object: {…}."), code="not_an_object")])
    writable, known = set(writable), set(known)
    errors: dict[str, list[ErrorDetail]] = {}
    for name, value in data.items():
        if name in writable:
            continue
        if name not in known:
            sentence = _("There is no field “%(name)s”. Fields that can be written: %(names)s.")
            names = ", ".join(sorted(writable))
            errors[name] = [ErrorDetail(sentence % {"name": name, "names": names}, code="unknown_field")]
        elif shown is None or shown.get(name) != value:
            sentence = _("This field follows from others and cannot be written. Leave it out.")
            errors[name] = [ErrorDetail(sentence, code="read_only")]
    if errors:
        raise ValidationError(errors)
