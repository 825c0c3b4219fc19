"""ETags: an unchanged answer costs 304 and no body, and a change made to an outdated row is refused with 412."""

import hashlib

from django.http import HttpResponse
from django.utils.cache import get_conditional_response, patch_vary_headers
from rest_framework.request import Request

from rrp_portal.api.refusals import Stale

DEPENDS_ON = ("Accept", "Accept-Language", "Authorization", "Cookie")


def tag(state: str, body: bytes) -> str:
    """The ETag of an answer: the state of the row, where it has one, and the hash of what is sent."""
    digest = hashlib.sha256(body).hexdigest()[:24]
    return f'"{state}.{digest}"' if state else f'"{digest}"'


def with_tag(request: Request, response: HttpResponse, state: str = "") -> HttpResponse:
    """The rendered answer with its ETag, or 304 when the reader has it already."""
    response.headers["ETag"] = tag(state, response.content)
    response.headers.setdefault("Cache-Control", "no-cache")
    patch_vary_headers(response, DEPENDS_ON)
    return get_conditional_response(request._request, etag=response.headers["ETag"], response=response)


def require_fresh(request: Request, state: str) -> None:
    """Raise Stale when If-Match names another state of the row than this one. Call it while the row is locked."""
    given = request.headers.get("If-Match", "").strip()
    if not given or given == "*":
        return
    states = {item.strip().removeprefix("W/").strip('"').partition(".")[0] for item in given.split(",")}
    if state not in states:
        raise Stale
