"""What a page of the portal may load: its own files, and nothing else."""

from collections.abc import Callable
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse


def policy(sign_on_url: str) -> str:
    """The policy; where single sign-on is set up, the button that begins it may lead to its server."""
    sign_on = urlsplit(sign_on_url)
    return "; ".join(
        (
            "default-src 'self'",
            "img-src 'self' data:",  # the QR code of two-step sign-in
            "object-src 'none'",
            "base-uri 'self'",
            f"form-action 'self' {sign_on.scheme}://{sign_on.netloc}" if sign_on.netloc else "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )


POLICY = policy(settings.OIDC_SERVER_URL)


class ContentSecurityPolicyMiddleware:
    """Puts the policy on every answer, so that a script smuggled into a text cannot run."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request with the policy in its headers."""
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", POLICY)
        return response
