"""Every refusal in one shape: {"type": …, "errors": [{"field", "code", "message"}]}, each message a sentence that says what to do."""

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, connections
from django.db.models import ProtectedError, RestrictedError
from django.http import Http404
from django.utils.translation import gettext as _
from rest_framework import exceptions, status
from rest_framework.response import Response
from rest_framework.settings import api_settings

from rrp_portal.workflow import Refused

TYPES = {
    status.HTTP_400_BAD_REQUEST: "validation",
    status.HTTP_401_UNAUTHORIZED: "not_authenticated",
    status.HTTP_403_FORBIDDEN: "permission",
    status.HTTP_404_NOT_FOUND: "not_found",
    status.HTTP_405_METHOD_NOT_ALLOWED: "method",
    status.HTTP_406_NOT_ACCEPTABLE: "not_acceptable",
    status.HTTP_409_CONFLICT: "conflict",
    status.HTTP_412_PRECONDITION_FAILED: "stale",
    status.HTTP_413_REQUEST_ENTITY_TOO_LARGE: "too_large",
    status.HTTP_415_UNSUPPORTED_MEDIA_TYPE: "media_type",
    status.HTTP_429_TOO_MANY_REQUESTS: "throttled",
}

CHECK_VIOLATION, UNIQUE_VIOLATION = "23514", "23505"
NOT_A_FIELD = frozenset({api_settings.NON_FIELD_ERRORS_KEY, "__all__", "detail"})


class Stale(exceptions.APIException):
    """The row has changed since the reader fetched it (412)."""

    status_code = status.HTTP_412_PRECONDITION_FAILED
    default_code = "stale"

    def __init__(self) -> None:
        super().__init__(
            _("This has changed since you read it. Fetch it again, compare, and send your change once more.")
        )


class Conflict(exceptions.APIException):
    """Something else stands in the way (409)."""

    status_code = status.HTTP_409_CONFLICT
    default_code = "conflict"


def explain_refusal(error: Exception, context: dict[str, Any]) -> Response | None:
    """The response for a refusal; None for a fault of ours, which Django then reports and answers with 500."""
    refusal = as_refusal(error)
    if refusal is None:
        return None
    for connection in connections.all(initialized_only=True):
        if connection.settings_dict["ATOMIC_REQUESTS"] and connection.in_atomic_block:
            connection.set_rollback(True)
    headers = {}
    if getattr(refusal, "auth_header", None):
        headers["WWW-Authenticate"] = refusal.auth_header
    if getattr(refusal, "wait", None):
        headers["Retry-After"] = str(int(refusal.wait) + 1)
    kind = "malformed" if isinstance(refusal, exceptions.ParseError) else TYPES.get(refusal.status_code, "refused")
    body = {"type": kind, "errors": list(entries(refusal.detail))}
    return Response(body, status=refusal.status_code, headers=headers)


def as_refusal(error: Exception) -> exceptions.APIException | None:
    """The error as the framework's own exception with our sentence, or None when it is no refusal."""
    match error:
        case exceptions.Throttled():
            return _slow_down(error)
        case exceptions.NotFound() | Http404():
            return exceptions.NotFound(_("There is nothing here that you may see. Check the address, or sign in."))
        case exceptions.NotAuthenticated():
            error.detail = exceptions.ErrorDetail(
                _("Sign in, or send an API token in the header “Authorization: Bearer …”."), code="not_authenticated"
            )
            return error
        case exceptions.ParseError():
            return exceptions.ParseError(_("The body cannot be read as JSON: %(reason)s") % {"reason": error.detail})
        case exceptions.APIException():
            return error
        case PermissionDenied():
            sentence = str(error) or _("You may not do this. Ask the coordinator of the plan for the role that may.")
            return exceptions.PermissionDenied(sentence)
        case ValidationError():
            return exceptions.ValidationError(as_details(error))
        case Refused():
            return exceptions.ValidationError({api_settings.NON_FIELD_ERRORS_KEY: [str(error)]}, code="refused")
        case ProtectedError() | RestrictedError():
            return Conflict(
                _("Other rows refer to this one, so that it cannot be deleted. Change or delete those first.")
            )
        case IntegrityError():
            return broken_rule(error)
    return None


def _slow_down(error: exceptions.Throttled) -> exceptions.Throttled:
    seconds = int(error.wait) + 1 if error.wait else 60
    sentence = _("Too many requests. Try again in %(seconds)s s; with an API token you may ask more often.")
    error.detail = exceptions.ErrorDetail(sentence % {"seconds": seconds}, code="throttled")
    return error


def as_details(error: ValidationError) -> dict[str, list[exceptions.ErrorDetail]]:
    """A model's ValidationError by field, each sentence with its machine code."""
    by_field = error.error_dict if hasattr(error, "error_dict") else {"__all__": error.error_list}
    return {
        api_settings.NON_FIELD_ERRORS_KEY if field == "__all__" else field: [
            exceptions.ErrorDetail(sentence, code=item.code or code_of(sentence))
            for item in items
            for sentence in item.messages
        ]
        for field, items in by_field.items()
    }


def code_of(sentence: str) -> str:
    """The name of the constraint that speaks this sentence, or "invalid"."""
    return next((c.name for c in _constraints() if str(c.violation_error_message) == sentence), "invalid")


def _constraints() -> Iterator[Any]:
    for model in apps.get_models():
        yield from model._meta.constraints


def broken_rule(error: IntegrityError) -> exceptions.APIException | None:
    """The refusal of a rule that the database itself keeps, with its sentence; the constraint's name is the code."""
    diagnosis = getattr(error.__cause__, "diag", None)
    state = getattr(error.__cause__, "pgcode", None)
    if diagnosis is None or state not in {CHECK_VIOLATION, UNIQUE_VIOLATION}:
        return None
    name = diagnosis.constraint_name or ""
    named = next((c for c in _constraints() if c.name == name), None)
    if named is not None:
        sentence = str(named.get_violation_error_message())
    elif state == UNIQUE_VIOLATION:
        sentence = _("Another row already has this value. Change that row, or choose another value.")
    else:
        said = diagnosis.message_primary
        sentence = (
            _(said) if said else _("A rule of the database refuses this. Check what you sent, and send it again.")
        )
    detail = exceptions.ErrorDetail(sentence, code=name or "invalid")
    return exceptions.ValidationError({api_settings.NON_FIELD_ERRORS_KEY: [detail]})


def entries(detail: Any, path: str = "") -> Iterator[dict[str, str | None]]:
    """The framework's nested details as a flat list; a field within a list is named like `lines.0.amount_usd`."""
    if isinstance(detail, dict):
        for name, inner in detail.items():
            own = path if name in NOT_A_FIELD else f"{path}.{name}" if path else str(name)
            yield from entries(inner, own)
    elif isinstance(detail, list):
        for position, inner in enumerate(detail):
            yield from entries(
                inner, path if isinstance(inner, str) else f"{path}.{position}" if path else str(position)
            )
    else:
        yield {"field": path or None, "code": getattr(detail, "code", "invalid"), "message": str(detail)}
