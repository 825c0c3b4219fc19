"""A person's own API tokens."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from rrp_portal.people.forms import TokenForm
from rrp_portal.reference.models import ApiToken
from rrp_portal.tokens import issue_token, revoke_token


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def tokens(request: HttpRequest) -> HttpResponse:
    """The reader's tokens and a form for a new one, whose key is shown once, in the answer to the form."""
    form, key, status = TokenForm(request.POST or None), "", 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            wanted = {"name": form.cleaned_data["name"], "access": form.cleaned_data["access"]}
            _token, key = issue_token(request.user, expires_at=form.expires_at, **wanted)
            form, status = TokenForm(), 201
    own = ApiToken.objects.filter(user=request.user).order_by("-created_at", "-pk")
    page = Paginator(own, 25).get_page(request.GET.get("page"))
    context = {"page": page, "form": form, "key": key, "now": timezone.now()}
    return render(request, "people/tokens.html", context, status=status)


@require_POST
def revoke(request: HttpRequest, pk: int) -> HttpResponse:
    """Revoke one of the reader's tokens."""
    token = get_object_or_404(ApiToken, user=request.user, pk=pk)
    revoke_token(token)
    messages.success(
        request, _("The token “%(name)s” is revoked. What used it is refused from now on.") % {"name": token.name}
    )
    return redirect("tokens")
