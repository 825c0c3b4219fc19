"""Everything needs signing in, except the pages listed here by name."""

from django.urls import URLPattern, get_resolver
from rest_framework.views import APIView

# Pages that a visitor may open. A page that is missing here and open, or here and closed, fails the test.
PUBLIC = {
    "home",
    "plan-detail",
    "plan-explain",
    "plan-table",
    "plan-rows",
    "country-list",
    "country-detail",
    "organisation-list",
    "organisation-detail",
    "donor-list",
    "donor-detail",
    "methodology",
    "data",
    "funding:flow-list",
    "funding:flow-table",
    "funding:flow-detail",
    "api:docs",
    "api:schema",
    "invitation",
    "healthz",
    "readyz",
    "set_language",
    "account_login",
    "account_logout",
    "account_signup",
    "account_inactive",
    "account_confirm_email",
    "account_confirm_login_code",
    "account_email_verification_sent",
    "account_reset_password",
    "account_reset_password_done",
    "account_reset_password_from_key",
    "account_reset_password_from_key_done",
    "mfa_authenticate",
    "openid_connect_login",
    "openid_connect_callback",
    "socialaccount_login_cancelled",
    "socialaccount_signup",
    "admin:login",
}


def patterns(resolver=None, namespace=""):
    """Every route of the site as (name with its namespace, pattern); one without a name goes by its address."""
    for pattern in (resolver or get_resolver()).url_patterns:
        if isinstance(pattern, URLPattern):
            yield f"{namespace}{pattern.name or pattern.pattern}", pattern
        else:
            yield from patterns(pattern, namespace + (f"{pattern.namespace}:" if pattern.namespace else ""))


def is_api(view) -> bool:
    """Whether REST framework decides about access: tests of the API say what a visitor gets there."""
    return issubclass(getattr(view, "cls", object), APIView)


def needs_signing_in(view) -> bool:
    return getattr(view, "login_required", True)


def test_only_the_listed_pages_are_public():
    pages = {name: pattern.callback for name, pattern in patterns() if not is_api(pattern.callback)}
    assert {name for name, view in pages.items() if not needs_signing_in(view)} == PUBLIC
