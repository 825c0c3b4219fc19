"""The page behind the link of an invitation, and sending it again or withdrawing it."""

from allauth.account.utils import perform_login
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from rrp_portal.people import invitations, services
from rrp_portal.people.forms import WelcomeForm
from rrp_portal.people.views.grants import MAIL_REFUSED, TARGETS, origin_of
from rrp_portal.reference.models import Invitation
from rrp_portal.workflow import Refused


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def invitation(request: HttpRequest, key: str) -> HttpResponse:
    """Accept an invitation: somebody new opens an account, somebody known signs in and takes the role."""
    found = get_object_or_404(Invitation.objects.select_related("invited_by", *TARGETS), key=key)
    if reason := invitations.obstacle(found):
        return render(request, "people/invitation_over.html", {"reason": reason}, status=410)
    account = invitations.account_with(found.email)
    if account is None and not request.user.is_authenticated:
        return _open_account(request, found)
    is_theirs = account is not None and account == request.user
    if request.method == "POST":
        if not is_theirs:
            raise PermissionDenied(
                _("This invitation is for another e-mail address. Sign out, then open the link again.")
            )
        return _accept(request, found, account)
    context = {"invitation": found, "is_theirs": is_theirs, "account": account}
    return render(request, "people/invitation.html", context)


def _open_account(request: HttpRequest, found: Invitation) -> HttpResponse:
    form = WelcomeForm(request.POST or None, email=found.email.lower(), initial={"name": found.name})
    if request.method == "POST" and form.is_valid():
        try:
            user = invitations.accept(found, user=form.as_user())
        except Refused as refusal:
            return render(request, "people/invitation_over.html", {"reason": str(refusal)}, status=410)
        except ValidationError as refusal:
            form.add_error(None, ValidationError(refusal.messages))
        else:
            messages.success(request, _("Welcome. Your account is open."))
            return perform_login(request, user, redirect_url=None)
    context = {"invitation": found, "form": form}
    return render(request, "people/welcome.html", context, status=422 if request.method == "POST" else 200)


def _accept(request: HttpRequest, found: Invitation, account) -> HttpResponse:
    try:
        invitations.accept(found, user=account)
    except Refused as refusal:
        return render(request, "people/invitation_over.html", {"reason": str(refusal)}, status=410)
    messages.success(request, _("You now have the role “%(role)s”.") % {"role": found.get_role_display()})
    return redirect("account_email")


def _within_reach(request: HttpRequest, pk: int) -> Invitation:
    """The invitation, where it lies within the reader's reach or is their own; otherwise 404."""
    rows = Invitation.objects.select_related("invited_by", *TARGETS)
    if (own := rows.filter(pk=pk, invited_by=request.user).first()) is not None:
        return own
    reach, _roles = services.granting_reach(request.user)
    return get_object_or_404(reach.rows(rows), pk=pk)


@require_POST
def resend(request: HttpRequest, pk: int) -> HttpResponse:
    """Send an invitation again, with a new link and fourteen more days."""
    found = _within_reach(request, pk)
    try:
        sent = invitations.resend(found, by=request.user, origin=origin_of(request))
    except Refused as refusal:
        messages.error(request, str(refusal))
        return redirect("people-invitations")
    if sent:
        messages.success(request, _("The invitation is on its way to %(email)s again.") % {"email": found.email})
    else:
        messages.warning(request, MAIL_REFUSED % {"email": found.email})
    return redirect("people-invitations")


@require_POST
def withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    """Withdraw an invitation that is not accepted yet."""
    found = _within_reach(request, pk)
    try:
        invitations.withdraw(found, by=request.user)
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("The invitation of %(email)s has been withdrawn.") % {"email": found.email})
    return redirect("people-invitations")
