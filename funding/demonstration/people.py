"""One demonstration login per role, with a grant where the role works."""

import base64
import hashlib
import hmac
from datetime import date

from django.conf import settings

from funding.demonstration import regional_plan
from planning.models import Plan
from rrp_portal.reference.models import Bureau, Grant, Organisation, User
from rrp_portal.reference.roles import SCOPES, Role, Scope

DOMAIN = "demonstration.example"


def email(role: Role) -> str:
    """The address that signs in as this role."""
    return f"{role.value.replace('_', '.')}@{DOMAIN}"


def password(role: Role) -> str:
    """The role's password: derived from this installation's secret key, so that no two installations share it."""
    digest = hmac.new(settings.SECRET_KEY.encode(), email(role).encode(), hashlib.sha256).digest()
    return base64.b32encode(digest)[:16].decode().lower()


def logins() -> list[tuple[Role, str, str]]:
    """Role, address and password of every demonstration login that was loaded."""
    known = set(User.objects.filter(is_demonstration=True).values_list("email", flat=True))
    return [(role, email(role), password(role)) for role in Role if email(role) in known]


def load(today: date) -> int:
    """Create the missing people and set the passwords that fit this installation; returns how many were created."""
    plan = Plan.objects.get(code=regional_plan.CODE)
    administrator = User.objects.filter(email=email(Role.SYSTEM_ADMIN)).first()
    created = 0
    for role in Role:
        user, is_new = User.objects.get_or_create(
            email=email(role), defaults={"name": f"{role.label} (demonstration)", "is_demonstration": True}
        )
        created += is_new
        if is_new or not user.check_password(password(role)):
            user.set_password(password(role))
            user.save(update_fields=["password"])
        if role == Role.SYSTEM_ADMIN:
            user.is_staff = user.is_superuser = True
            user.save(update_fields=["is_staff", "is_superuser"])
            administrator = user
        scope, target = _target(role, plan)
        Grant.objects.get_or_create(
            user=user,
            role=role,
            scope=scope,
            **target,
            defaults={"granted_by": administrator if administrator != user else None},
        )
    return created


def _target(role: Role, plan: Plan) -> tuple[Scope, dict]:
    """The narrowest scope of the role that the demonstration plan offers, and what it names."""
    chapter = plan.chapters.filter(country__isnull=False).first()
    offers = {
        Scope.ORGANISATION: lambda: {"organisation": _organisation(role)},
        Scope.PLEDGE_ENTITY: lambda: {"organisation": _organisation(role)},
        Scope.SECTOR: lambda: {"chapter": chapter, "sector": plan.sectors.first()},
        Scope.PLAN: lambda: {"plan": plan},
        Scope.BUREAU: lambda: {"bureau": chapter.country.bureau or Bureau.objects.first()},
        Scope.GLOBAL: dict,
    }
    scope = next(scope for scope in offers if scope in SCOPES[role])
    return scope, offers[scope]()


def _organisation(role: Role) -> Organisation:
    name = {Role.DONOR: "Government of Aldermark", Role.PARTNER_FINANCE: "Bridge International"}.get(
        role, "Hope of the Displaced"
    )
    return Organisation.objects.get(name=name, is_demonstration=True)
