"""Invitations that carry a grant: sent by mail, accepted once within fourteen days, withdrawn, sent again."""

from datetime import timedelta

from allauth.account.models import EmailAddress
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from rrp_portal.people import mail
from rrp_portal.people.services import TARGETS, give_grant, may_grant, out_of_reach
from rrp_portal.reference.models import Grant, Invitation, User
from rrp_portal.reference.models.people import new_invitation_key
from rrp_portal.workflow import Refused

VALID_FOR = timedelta(days=14)


def account_with(email: str) -> User | None:
    """The account with this e-mail address, whatever its capitals."""
    return User.objects.filter(email__iexact=email).first()


def grant_from(invitation: Invitation, user: User | None = None) -> Grant:
    """The grant, not saved, that the invitation carries."""
    target = {name: getattr(invitation, name) for name in TARGETS}
    return Grant(user=user, role=invitation.role, scope=invitation.scope, **target)


def still_open() -> Q:
    """Invitations that can still be accepted."""
    return Q(accepted_at=None, withdrawn_at=None, expires_at__gt=timezone.now())


def invite(invitation: Invitation, *, by: User, origin: str) -> bool:
    """Save the invitation and send it by mail; returns whether the mail server took the mail.

    `origin` is the site's address, for example https://rrp.example.org. Raises PermissionDenied with the reason, or
    ValidationError where the grant makes no sense or the same invitation is still open.
    """
    account = account_with(invitation.email)
    if reason := may_grant(by, grant_from(invitation, account)):
        raise PermissionDenied(reason)
    invitation.invited_by = by
    invitation.expires_at = timezone.now() + VALID_FOR
    with transaction.atomic():
        User.objects.select_for_update(of=("self",)).get(pk=by.pk)  # pressed twice is one invitation
        _check(invitation, account)
        invitation.save(force_insert=True)
    return _send(invitation, origin)


def _check(invitation: Invitation, account: User | None) -> None:
    invitation.full_clean()
    grant = grant_from(invitation, account)
    grant.granted_by = invitation.invited_by
    grant.full_clean(exclude=None if account else ["user"])
    same = {name: getattr(invitation, name) for name in ("role", "scope", *TARGETS)}
    if Invitation.objects.filter(still_open(), email__iexact=invitation.email, **same).exists():
        raise ValidationError(
            _("This person is already invited to this role. Send that invitation again if it got lost.")
        )


def _send(invitation: Invitation, origin: str) -> bool:
    account = account_with(invitation.email)
    address = origin.rstrip("/") + reverse("invitation", args=[invitation.key])
    return mail.send_invitation(invitation, address, account.language if account else "")


def resend(invitation: Invitation, *, by: User, origin: str) -> bool:
    """Send the invitation again with a new link, valid for fourteen days; the old link stops working.

    Returns whether the mail server took the mail. Raises PermissionDenied (not you) or Refused (not any more).
    """
    if reason := out_of_reach(by, grant_from(invitation)):
        raise PermissionDenied(reason)
    with transaction.atomic():
        fresh = Invitation.objects.select_for_update(of=("self",)).get(pk=invitation.pk)
        if fresh.accepted_at or fresh.withdrawn_at:
            raise Refused(
                _("This invitation has been accepted or withdrawn. Invite the person anew if they need another role.")
            )
        fresh.key, fresh.expires_at = new_invitation_key(), timezone.now() + VALID_FOR
        fresh.save(update_fields=["key", "expires_at"])
    return _send(fresh, origin)


def withdraw(invitation: Invitation, *, by: User) -> None:
    """Make the link useless. Raises PermissionDenied (not you) or Refused (already accepted). Twice does no harm."""
    if invitation.invited_by_id != by.pk and (reason := out_of_reach(by, grant_from(invitation))):
        raise PermissionDenied(reason)
    open_ones = Invitation.objects.filter(pk=invitation.pk, accepted_at=None)
    if not open_ones.update(withdrawn_at=timezone.now()):
        raise Refused(_("This invitation has been accepted. Withdraw the grant instead."))


def obstacle(invitation: Invitation) -> str | None:
    """Why the invitation cannot be accepted now, in a sentence that says what to do; None when it can."""
    ask = {"name": str(invitation.invited_by)}
    if invitation.accepted_at:
        return _("This invitation has already been used. Sign in with your e-mail address and password.")
    if invitation.withdrawn_at:
        return _("This invitation has been withdrawn. Ask %(name)s if you think that is a mistake.") % ask
    if invitation.expires_at <= timezone.now():
        return _("This invitation has expired. Ask %(name)s to send it again.") % ask
    if out_of_reach(invitation.invited_by, grant_from(invitation)):
        return _("%(name)s can no longer give this role. Ask the coordinator of the plan for a new invitation.") % ask
    return None


@transaction.atomic
def accept(invitation: Invitation, *, user: User) -> User:
    """Give the user what the invitation carries, once; a user who is not saved yet gets their account. Returns the user.

    Raises PermissionDenied when the invitation is for another address, Refused with the reason when it cannot be accepted.
    """
    invitation = Invitation.objects.select_for_update(of=("self",)).select_related("invited_by").get(pk=invitation.pk)
    if reason := obstacle(invitation):
        raise Refused(reason)
    if user.email.casefold() != invitation.email.casefold():
        raise PermissionDenied(_("This invitation is for another e-mail address. Sign out, then open the link again."))
    if user.pk is None:
        _open_account(user)
    same = {name: getattr(invitation, name) for name in ("role", "scope", *TARGETS)}
    if not user.grants.filter(**same).exists():
        give_grant(grant_from(invitation, user), by=invitation.invited_by, tell=False)
    invitation.accepted_at = timezone.now()
    invitation.save(update_fields=["accepted_at"])
    return user


def _open_account(user: User) -> None:
    """Save a new account; its address is verified, because the link came by mail to it."""
    user.full_clean()
    user.save()
    EmailAddress.objects.create(user=user, email=user.email.lower(), verified=True, primary=True)


def waiting(queryset: QuerySet[Invitation]) -> QuerySet[Invitation]:
    """Those that are neither accepted nor withdrawn, newest first; expired ones can be sent again."""
    return queryset.filter(accepted_at=None, withdrawn_at=None).order_by("-invited_at", "-pk")
