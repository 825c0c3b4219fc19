"""Giving and withdrawing grants: the one place that says who may."""

from functools import partial

import pghistory
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from rrp_portal.people import mail
from rrp_portal.people.reach import Reach, grants_of, is_administrator, reach_with, roles_within
from rrp_portal.reference.models import Grant, User
from rrp_portal.reference.roles import PERMISSIONS, Permission, Role, Scope

TARGETS = ("bureau", "country", "plan", "chapter", "sector", "organisation")


def may_grant(user: User, grant: Grant) -> str | None:
    """Why the user may not give this grant, saved or not, in a sentence that says what to do; None when they may.

    Nobody grants to themselves, beyond the scope of their own grants, or a role with permissions that they lack there.
    """
    if grant.user_id is not None and grant.user_id == user.pk:
        return _("Nobody can grant a role to themselves. Ask another administrator or coordinator.")
    return out_of_reach(user, grant)


def out_of_reach(user: User, grant: Grant) -> str | None:
    """Why the scope or the role of the grant is beyond the user, whomever it is for; None when it is within."""
    held = grants_of(user)
    if is_administrator(user, held):
        return None
    if not reach_with(user, held, Permission.GRANT).spans(grant):
        if grant.scope == Scope.ORGANISATION:
            return _(
                "You can give roles for organisations that appeal in your plan and have no draft lines elsewhere. "
                "Ask an administrator of the portal."
            )
        return _(
            "This lies outside the plans that you coordinate. Ask their coordinator or an administrator of the portal."
        )
    needed = PERMISSIONS[Role(grant.role)]
    if any(not reach_with(user, held, permission).spans(grant) for permission in needed):
        return _(
            "The role “%(role)s” may do things here that you may not. Ask an administrator of the portal to give it."
        ) % {"role": Role(grant.role).label}
    return None


def may_withdraw(user: User, grant: Grant) -> str | None:
    """Why the user may not withdraw the grant; None when they may. Everybody may give up a role of their own."""
    if grant.role == Role.SYSTEM_ADMIN and not _other_administrators(grant.user).exists():
        return _("This is the last administrator of the portal. Give the role to somebody else first.")
    return None if grant.user_id == user.pk else out_of_reach(user, grant)


def granting_reach(user: User) -> tuple[Reach, list[Role]]:
    """How far the user's power to grant spans, and which roles they may be able to give.

    Raises PermissionDenied for those who grant nothing.
    """
    held = grants_of(user)
    if not is_administrator(user, held) and not any(Permission.GRANT in grant.permissions for grant in held):
        raise PermissionDenied(
            _(
                "Roles are given by the coordinator of a plan or by an administrator. Ask one of them if you need another role."
            )
        )
    return reach_with(user, held, Permission.GRANT), roles_within(user, held)


def give_grant(grant: Grant, *, by: User, tell: bool = True) -> Grant:
    """Give the grant, which is not saved yet, write who gave it, and tell the person by mail; returns it.

    Raises PermissionDenied with the reason, or ValidationError where the grant makes no sense or exists already.
    """
    if reason := may_grant(by, grant):
        raise PermissionDenied(reason)
    grant.granted_by = by
    grant.full_clean()
    try:
        with transaction.atomic(), pghistory.context(user=by.pk):
            grant.save(force_insert=True)
            if grant.role == Role.SYSTEM_ADMIN:  # who maintains code lists needs the administration pages
                User.objects.filter(pk=grant.user_id).update(is_staff=True)
    except IntegrityError as error:  # somebody else gave the same grant a moment ago
        raise ValidationError(_("This person already has this role here.")) from error
    if tell:
        transaction.on_commit(partial(mail.tell_grant, grant), robust=True)
    return grant


@transaction.atomic
def withdraw_grant(grant: Grant, *, by: User) -> None:
    """Take the grant back; its history stays. Raises PermissionDenied with the reason. Withdrawing it twice does no harm."""
    if grant.role == Role.SYSTEM_ADMIN:  # two who withdraw each other's role wait for one another
        list(
            Grant.objects.filter(role=Role.SYSTEM_ADMIN)
            .order_by("pk")
            .select_for_update(of=("self",))
            .values_list("pk")
        )
    if reason := may_withdraw(by, grant):
        raise PermissionDenied(reason)
    with pghistory.context(user=by.pk):
        Grant.objects.filter(pk=grant.pk).delete()
        if grant.role == Role.SYSTEM_ADMIN:
            User.objects.filter(pk=grant.user_id, is_superuser=False).update(is_staff=False)


def _other_administrators(user: User) -> QuerySet:
    grants = Grant.objects.filter(role=Role.SYSTEM_ADMIN, user__is_active=True).exclude(user=user)
    superusers = User.objects.filter(is_superuser=True, is_active=True)
    return superusers.values("pk").union(grants.values("user"))
