"""After a request that may have changed figures, wakes the workers that recompute them."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from funding.tasks import wake_rollups

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


class WakeRollupsMiddleware:
    """One wake-up for pages, API and admin alike: by the time the answer is made, the transaction has committed."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request, then wake the workers if stale marks are waiting."""
        response = self.get_response(request)
        if request.method not in SAFE_METHODS:
            wake_rollups()
        return response
