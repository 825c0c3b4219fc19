"""What waits for me: a person's first page, from their grants and from what the portal knows now."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from funding.models import FlowLine
from funding.services import suspected_twins
from planning.models import Plan, PlanVersion
from rrp_portal import formats
from rrp_portal.jobs.models import Job
from rrp_portal.reference.models import Invitation, Organisation, User
from rrp_portal.reference.roles import Permission

Item = dict[str, Any]

EACH = 20  # of one kind at most; the lists behind them hold the rest
FAILED_FOR = timedelta(days=14)
EXPIRES_WITHIN = timedelta(days=5)


@require_safe
@never_cache
def todo(request: HttpRequest) -> HttpResponse:
    """What waits for the reader, the most urgent first, and what they can do; a constant number of queries."""
    user = request.user
    grants = list(
        user.grants.select_related(
            "bureau", "country", "plan", "chapter__country", "chapter__plan", "sector", "organisation"
        )
    )
    may = set(Permission) if user.is_superuser else {permission for grant in grants for permission in grant.permissions}
    items = sorted(_waiting(user, may), key=lambda item: (item["days"] is None, item["days"] or 0))
    context = {"items": items, "todo_count": len(items) or "", "grants": grants, "can": _can(user, may)}
    return render(request, "todo.html", context)


def _waiting(user: User, may: set[Permission]) -> Iterator[Item]:
    yield from _jobs(user)
    yield from _invitations(user)
    if Permission.APPROVE_PLAN in may:
        yield from _to_approve(user)
    if Permission.MANAGE_PLAN in may:
        yield from _drafts(user)
    if Permission.TRACK_FUNDING in may:
        yield from _twins(user)
        yield from _unsplit(user)
    if Permission.ADMINISTER in may:
        yield from _unverified(user)


def _item(title: str, href: str, *, note: str = "", action: str = "", days: int | None = None) -> Item:
    return {"title": title, "href": href, "note": note, "action": action, "days": days}


def _jobs(user: User) -> Iterator[Item]:
    """My jobs that run, and those that failed in the last two weeks."""
    failed = Q(state=Job.State.FAILED, finished_at__gte=timezone.now() - FAILED_FOR)
    mine = Job.objects.filter(owner=user).filter(failed | Q(state__in=[Job.State.WAITING, Job.State.RUNNING]))
    for job in mine.defer("arguments", "result").order_by("-created_at")[:EACH]:
        href = reverse("jobs:detail", args=[job.pk])
        if job.state == Job.State.FAILED:
            when = formats.moment(job.finished_at)
            note = _("It failed on %(when)s. Its page says why and what to do.") % {"when": when}
            yield _item(job.title, href, note=note, action=_("Read why"))
        else:
            yield _item(job.title, href, note=job.get_state_display(), action=_("See how far it is"))


def _invitations(user: User) -> Iterator[Item]:
    """My invitations that nobody has accepted and that expire soon, or have just expired."""
    now = timezone.now()
    waiting = Invitation.objects.filter(invited_by=user, accepted_at=None, withdrawn_at=None)
    soon = waiting.filter(expires_at__range=(now - FAILED_FOR, now + EXPIRES_WITHIN)).order_by("expires_at")
    for invitation in soon[:EACH]:
        days = (timezone.localtime(invitation.expires_at).date() - timezone.localdate()).days
        title = _("Invitation of %(person)s") % {"person": invitation.name or invitation.email}
        note = _("It has expired. Send it again.") if invitation.expires_at <= now else _("Nobody has accepted it yet.")
        yield _item(title, reverse("people-invitations"), note=note, action=_("See invitations"), days=days)


def _to_approve(user: User) -> Iterator[Item]:
    """Versions frozen for review, in the plans that I approve."""
    plans = Plan.objects.within(user, Permission.APPROVE_PLAN)
    frozen = PlanVersion.objects.filter(status=PlanVersion.Status.FROZEN, plan__in=plans).select_related("plan")
    for version in frozen.order_by("created_at")[:EACH]:
        title = _("%(version)s of %(plan)s waits for approval") % {"version": version.label, "plan": version.plan.name}
        yield _item(title, version.plan.get_absolute_url(), note=version.get_scope_display(), action=_("Open the plan"))


def _drafts(user: User) -> Iterator[Item]:
    """Working drafts of the plans that I coordinate."""
    plans = Plan.objects.within(user, Permission.MANAGE_PLAN)
    drafts = PlanVersion.objects.filter(status=PlanVersion.Status.DRAFT, plan__in=plans).select_related("plan")
    for version in drafts.annotate(lines=Count("requirements")).order_by("-created_at")[:EACH]:
        title = _("%(version)s of %(plan)s is a draft") % {"version": version.label, "plan": version.plan.name}
        note = ngettext("%(count)s requirement line so far.", "%(count)s requirement lines so far.", version.lines) % {
            "count": formats.number(version.lines)
        }
        yield _item(title, version.plan.get_absolute_url(), note=note, action=_("Open the plan"))


def _twins(user: User) -> Iterator[Item]:
    """Flows of the plans I track that may be recorded twice."""
    plans = Plan.objects.within(user, Permission.TRACK_FUNDING).values("pk")
    for flow in suspected_twins(plans, limit=EACH):
        title = _("Flow %(number)s may be recorded twice") % {"number": flow.pk}
        note = _(
            "%(amount)s US dollars to %(recipient)s. Compare it with flow %(twin)s; cancel one of them, or give the reason why both stand."
        ) % {"amount": formats.usd(flow.amount_usd), "recipient": flow.recipient, "twin": flow.twin}
        yield _item(title, flow.get_absolute_url(), note=note, action=_("Compare"))


def _unsplit(user: User) -> Iterator[Item]:
    """Plans I track with money that no year counts yet, because nobody has said how it is split."""
    plans = Plan.objects.within(user, Permission.TRACK_FUNDING).values("pk")
    unsplit = FlowLine.objects.filter(plan__in=plans, year=None).exclude(
        Q(flow__channel="fts") | Q(flow__status="cancelled")
    )
    for row in (
        unsplit.order_by()
        .values("plan__code", "plan__name")
        .annotate(flows=Count("flow", distinct=True))
        .order_by("plan__code")[:EACH]
    ):
        title = ngettext(
            "%(count)s flow of %(plan)s is not yet split between its years",
            "%(count)s flows of %(plan)s are not yet split between their years",
            row["flows"],
        ) % {"count": formats.number(row["flows"]), "plan": row["plan__name"]}
        href = f"{reverse('funding:flow-list')}?plan={row['plan__code']}&unsplit=true"
        yield _item(title, href, note=_("No year counts this money until somebody splits it."), action=_("Split"))


def _unverified(user: User) -> Iterator[Item]:
    """Organisations that came in with an import and that nobody has looked at."""
    count = len(
        Organisation.objects.standing().filter(is_verified=False, is_demonstration=False).values_list("pk")[:1001]
    )
    if not count or not user.is_staff:
        return
    title = ngettext("%(count)s organisation is not verified", "%(count)s organisations are not verified", count) % {
        "count": _("More than 1,000") if count > 1000 else formats.number(count)
    }
    note = _("They came in with an import. Check their type, and merge twins.")
    href = f"{reverse('admin:reference_organisation_changelist')}?is_verified__exact=0"
    yield _item(title, href, note=note, action=_("Check them"))


def _can(user: User, may: set[Permission]) -> list[dict[str, str]]:
    """What the person can begin by themselves, as links."""
    links = [
        (Permission.TRACK_FUNDING, "funding:flow-create", _("Record a flow of money")),
        (Permission.GRANT, "people", _("Give people a role")),
        (None, "home", _("Read the plans")),
        (None, "funding:flow-list", _("Read the flows")),
    ]
    return [
        {"href": reverse(name), "label": label}
        for permission, name, label in links
        if permission is None or permission in may
    ]
