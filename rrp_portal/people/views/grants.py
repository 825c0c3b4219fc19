"""People and grants: who holds which role where, giving and withdrawing roles, and the history of every grant."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from rrp_portal.people import forms, invitations, services
from rrp_portal.people.reach import grants_of
from rrp_portal.reference.models import Grant, Invitation, User

PER_PAGE = 50
TARGETS = ("bureau", "country", "plan", "chapter__plan", "chapter__country", "sector", "organisation")
GrantEvent = Grant.pgh_event_model
MAIL_REFUSED = gettext_lazy(
    "The invitation of %(email)s is saved, but the mail server did not take the mail. Send it again from the page Invitations."
)


def origin_of(request: HttpRequest) -> str:
    """The site's address as the reader sees it, for links in mails."""
    return f"{request.scheme}://{request.get_host()}"


def _page(request: HttpRequest, queryset):
    return Paginator(queryset, PER_PAGE).get_page(request.GET.get("page"))


@require_safe
def people(request: HttpRequest) -> HttpResponse:
    """The grants within the reader's reach, by person."""
    reach, roles = services.granting_reach(request.user)
    form = forms.FilterForm(request.GET)
    grants = form.narrow(reach.rows(Grant.objects.all()), "user").select_related("user", "granted_by", *TARGETS)
    page = _page(request, grants.order_by("user__name", "user__email", "pk"))
    withdrawable = {grant.pk for grant in page if grant.role in roles or grant.user_id == request.user.pk}
    return render(request, "people/grants.html", {"page": page, "form": form, "withdrawable": withdrawable})


@require_safe
def invitation_list(request: HttpRequest) -> HttpResponse:
    """The invitations within the reader's reach that wait for an answer."""
    reach, roles = services.granting_reach(request.user)
    form = forms.FilterForm(request.GET)
    waiting = form.narrow(invitations.waiting(reach.rows(Invitation.objects.all())), "")
    page = _page(request, waiting.select_related("invited_by", *TARGETS))
    return render(
        request, "people/invitations.html", {"page": page, "form": form, "roles": roles, "now": timezone.now()}
    )


@require_safe
def history(request: HttpRequest) -> HttpResponse:
    """Every grant given, changed or withdrawn within the reader's reach: what, when and by whom."""
    reach, _roles = services.granting_reach(request.user)
    form = forms.FilterForm(request.GET)
    events = form.narrow(reach.rows(GrantEvent.objects.all()), "user").select_related("pgh_context", *TARGETS)
    page = _page(request, events.order_by("-pgh_id"))
    page.object_list = with_people(page.object_list)
    return render(request, "people/history.html", {"page": page, "form": form})


def with_people(events) -> list:
    """The history rows with `person` and `made_by`, in one query more; None where the account is gone or nobody signed in."""
    events = list(events)
    for event in events:
        event.actor_id = (event.pgh_context.metadata.get("user") if event.pgh_context else None) or (
            event.granted_by_id if event.pgh_label == "insert" else None
        )
    wanted = {event.user_id for event in events} | {event.actor_id for event in events}
    found = User.objects.in_bulk([pk for pk in wanted if pk is not None])
    for event in events:
        event.person, event.made_by = found.get(event.user_id), found.get(event.actor_id)
    return events


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def give(request: HttpRequest) -> HttpResponse:
    """Give a role in two steps: which role for what (in the address), then to whom. New people are invited by mail."""
    reach, roles = services.granting_reach(request.user)
    scopes = forms.scopes_within(reach, [] if reach.everything else grants_of(request.user))
    query = request.GET if "what" in request.GET else None
    what = forms.WhatForm(query, reach=reach, roles=roles, scopes=scopes)
    form = None
    if what.is_complete:
        chosen = {"grant": what.grant, "reach": reach, "plan": what.cleaned_data.get("plan")}
        form = forms.GiveForm(request.POST if request.method == "POST" else None, **chosen)
    if request.method == "POST" and form and form.is_valid() and _give(request, form):
        return redirect("people")
    context = {"what": what, "form": form, "plans": forms.plans_to_choose(reach)}
    if form and "organisation" in form.fields:
        context["organisations"] = forms.organisations_to_choose(reach)
    return render(request, "people/give.html", context, status=422 if request.method == "POST" or what.errors else 200)


def _give(request: HttpRequest, form: forms.GiveForm) -> bool:
    """Give the role to an account, or invite; a refusal stands beside what was typed. Whether it was done."""
    account = form.account
    try:
        if account is not None:
            services.give_grant(form.as_grant(account), by=request.user)
            sentence, sent = _("%(name)s now has the role. They have been told by e-mail."), True
        else:
            sent = invitations.invite(form.as_invitation(), by=request.user, origin=origin_of(request))
            sentence = _("An invitation is on its way to %(name)s. It can be accepted for 14 days.")
    except PermissionDenied as refusal:
        form.add_error(None, str(refusal))
        return False
    except ValidationError as refusal:
        form.add_error(None, forms.forms.ValidationError(refusal.messages))
        return False
    if sent:
        messages.success(request, sentence % {"name": account or form.cleaned_data["email"]})
    else:
        messages.warning(request, MAIL_REFUSED % {"email": form.cleaned_data["email"]})
    return True


@require_safe
def organisation_choices(request: HttpRequest) -> HttpResponse:
    """The organisations behind what is being typed, as options of a list."""
    reach, _roles = services.granting_reach(request.user)
    found = forms.organisations_to_choose(reach, request.GET.get("organisation", "").strip()[:100], limit=20)
    return render(request, "people/_organisations.html", {"organisations": found})


@require_POST
def withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    """Withdraw a grant within reach, or one's own."""
    grant = Grant.objects.select_related("user", *TARGETS).filter(pk=pk, user=request.user).first()
    if grant is None:
        reach, _roles = services.granting_reach(request.user)
        grant = get_object_or_404(reach.rows(Grant.objects.select_related("user", *TARGETS)), pk=pk)
    services.withdraw_grant(grant, by=request.user)
    sentence = _("The role “%(role)s” of %(name)s has been withdrawn.")
    messages.success(request, sentence % {"role": grant.get_role_display(), "name": grant.user})
    return redirect("account_email" if grant.user_id == request.user.pk else "people")


@require_safe
def my_account(request: HttpRequest) -> HttpResponse:
    """The reader's address, which only an administrator changes, and the roles they hold."""
    grants = request.user.grants.select_related("granted_by", *TARGETS).order_by("-granted_at", "-pk")
    return render(request, "people/my_account.html", {"grants": grants[:200]})
