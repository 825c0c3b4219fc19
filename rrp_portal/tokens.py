"""API tokens: a key is shown once, only its SHA-256 is stored, it reads or also writes, it ends, it can be revoked."""

import hashlib
import secrets
from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import SAFE_METHODS, BasePermission

from rrp_portal.reference.models import ApiToken, User

KEY_PREFIX = "rrp_"
USED_AT_PRECISION = timedelta(minutes=1)


def digest_of(key: str) -> str:
    """The SHA-256 of a key, in hexadecimal: all that is stored. A key holds 256 random bits, so it needs no salt."""
    return hashlib.sha256(key.encode()).hexdigest()


def issue_token(user: User, *, name: str, access: str, expires_at: datetime | None) -> tuple[ApiToken, str]:
    """Make a token; returns it and its key, which is not stored and can be shown only now. Raises ValidationError."""
    key = KEY_PREFIX + secrets.token_urlsafe(32)
    token = ApiToken(user=user, name=name, access=access, expires_at=expires_at, prefix=key[:12], digest=digest_of(key))
    token.full_clean()
    token.save()
    return token, key


def revoke_token(token: ApiToken) -> None:
    """Refuse the token from now on; revoking it again changes nothing."""
    ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=timezone.now())


def refusal_of(token: ApiToken) -> str | None:
    """Why the token is refused, in a sentence that says what to do; None while it is good."""
    if token.revoked_at:
        return _("This API token has been revoked. Make a new one on the page “API tokens”.")
    if token.expires_at and token.expires_at <= timezone.now():
        return _("This API token has expired. Make a new one on the page “API tokens”.")
    if not token.user.is_active:
        return _("The account of this API token is closed. Ask an administrator of the portal.")
    return None


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer rrp_…`: the request acts as the token's owner, and `request.auth` is the token."""

    def authenticate(self, request):
        """The owner and the token; None where the request carries no bearer token. One query, rarely two."""
        scheme, _space, key = get_authorization_header(request).partition(b" ")
        if scheme.lower() != b"bearer":
            return None
        digest = digest_of(key.strip().decode("latin-1"))
        token = ApiToken.objects.select_related("user").filter(digest=digest).first()
        if token is None:
            raise AuthenticationFailed(_("This API token is not known. Copy the whole token, which begins with rrp_."))
        if reason := refusal_of(token):
            raise AuthenticationFailed(reason)
        self._note_use(token)
        return token.user, token

    def authenticate_header(self, request) -> str:
        """What a 401 asks for."""
        return 'Bearer realm="api"'

    def _note_use(self, token: ApiToken) -> None:
        stale = timezone.now() - USED_AT_PRECISION
        if token.last_used_at is None or token.last_used_at < stale:
            unused_since = Q(last_used_at=None) | Q(last_used_at__lt=stale)
            ApiToken.objects.filter(unused_since, pk=token.pk).update(last_used_at=timezone.now())


class TokenAllowsMethod(BasePermission):
    """A token that only reads cannot write; requests without a token are not its business."""

    message = _("This API token may only read. Make a token with “Read and write” to change something.")
    code = "token_reads_only"

    def has_permission(self, request, view) -> bool:
        """Whether the token, if there is one, allows the method."""
        token = request.auth
        return (
            request.method in SAFE_METHODS or not isinstance(token, ApiToken) or token.access == ApiToken.Access.WRITE
        )


class TokenScheme(OpenApiAuthenticationExtension):
    """How the OpenAPI document describes the token."""

    target_class = "rrp_portal.tokens.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema):
        """A bearer token in the Authorization header."""
        return {"type": "http", "scheme": "bearer"}
