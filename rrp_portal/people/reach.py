"""How far a person's grants span, as querysets: what they may grant, and whose grants they see.

Spanning is stricter than reaching: the coordinator of one chapter reaches its plan, but does not span it, so they appoint
people for the chapter and not for the plan.
"""

from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q, QuerySet

from planning.models import Chapter, Plan, PlanVersion, Requirement
from rrp_portal.reference.models import Bureau, Country, Grant, Organisation, User
from rrp_portal.reference.roles import PERMISSIONS, Permission, Role, Scope

# Who edits all lines of a plan may appoint those who edit some of them, and who tracks all its funding those who report theirs.
IMPLIED_BY = {Permission.EDIT_OWN_LINES: Permission.EDIT_PLAN, Permission.REPORT_FUNDING: Permission.TRACK_FUNDING}


@dataclass(frozen=True)
class Reach:
    """What some grants span. `everything` is a global grant or a superuser."""

    everything: bool
    bureaus: QuerySet[Bureau]
    countries: QuerySet[Country]
    plans: QuerySet[Plan]
    chapters: QuerySet[Chapter]
    organisations: QuerySet[Organisation]

    def spans(self, grant: Grant) -> bool:
        """Whether the scope of the grant, saved or not, lies wholly within this reach. One query at most."""
        if self.everything:
            return True
        match grant.scope:
            case Scope.BUREAU:
                return self.bureaus.filter(pk=grant.bureau_id).exists()
            case Scope.COUNTRY:
                return self.countries.filter(pk=grant.country_id).exists()
            case Scope.PLAN:
                return self.plans.filter(pk=grant.plan_id).exists()
            case Scope.CHAPTER | Scope.SECTOR:
                return self.chapters.filter(pk=grant.chapter_id).exists()
            case Scope.ORGANISATION:
                return self.organisations.filter(pk=grant.organisation_id).exists()
        return False

    def rows(self, queryset: QuerySet) -> QuerySet:
        """The grants, invitations or history rows whose scope lies within this reach."""
        if self.everything:
            return queryset
        return queryset.filter(
            Q(scope=Scope.BUREAU, bureau__in=self.bureaus.values("pk"))
            | Q(scope=Scope.COUNTRY, country__in=self.countries.values("pk"))
            | Q(scope=Scope.PLAN, plan__in=self.plans.values("pk"))
            | Q(scope__in=[Scope.CHAPTER, Scope.SECTOR], chapter__in=self.chapters.values("pk"))
            | Q(scope=Scope.ORGANISATION, organisation__in=self.organisations.values("pk"))
        )


def grants_of(user: User) -> list[Grant]:
    """The person's grants, in one query; none for someone whose account is closed."""
    return list(user.grants.all()) if user.is_authenticated and user.is_active else []


def is_administrator(user: User, grants: list[Grant]) -> bool:
    """Whether the person may do everything: a superuser or a system administrator."""
    return user.is_active and (user.is_superuser or any(grant.role == Role.SYSTEM_ADMIN for grant in grants))


def carries(role: str, permission: Permission) -> bool:
    """Whether the role has the permission, or one that implies it."""
    held = PERMISSIONS[Role(role)]
    return permission in held or IMPLIED_BY.get(permission) in held


def reach_with(user: User, grants: list[Grant], permission: Permission) -> Reach:
    """How far those of the person's grants span that carry the permission, or one that implies it. No query yet."""
    carrying = [grant for grant in grants if carries(grant.role, permission)]
    everything = is_administrator(user, grants) or any(grant.scope == Scope.GLOBAL for grant in carrying)

    def ids(scope: Scope) -> list:
        return [getattr(grant, f"{scope}_id") for grant in carrying if grant.scope == scope]

    bureaus, countries, plans = ids(Scope.BUREAU), ids(Scope.COUNTRY), ids(Scope.PLAN)
    there = Q(country__bureau__in=bureaus) | Q(country__in=countries)
    chapters = Chapter.objects.filter(there | Q(plan__in=plans) | Q(pk__in=ids(Scope.CHAPTER)))
    of_plan = Chapter.objects.filter(plan=OuterRef("pk"), country__isnull=False)
    return Reach(
        everything=everything,
        bureaus=Bureau.objects.all() if everything else Bureau.objects.filter(pk__in=bureaus),
        countries=Country.objects.all()
        if everything
        else Country.objects.filter(Q(bureau__in=bureaus) | Q(pk__in=countries)),
        plans=Plan.objects.all()
        if everything
        else Plan.objects.filter(Q(pk__in=plans) | (Exists(of_plan.filter(there)) & ~Exists(of_plan.exclude(there)))),
        chapters=Chapter.objects.all() if everything else chapters,
        organisations=Organisation.objects.standing() if everything else partners_only_of(chapters),
    )


def partners_only_of(chapters: QuerySet[Chapter]) -> QuerySet[Organisation]:
    """Organisations with a line in these chapters and no line in a draft elsewhere.

    A grant for an organisation opens its draft lines in every plan; approved lines are immutable and public anyway.
    """
    lines = Requirement.objects.filter(partner=OuterRef("pk"))
    drafts = lines.exclude(version__status=PlanVersion.Status.APPROVED)
    inside = chapters.values("pk")
    return Organisation.objects.standing().filter(
        Exists(lines.filter(chapter__in=inside)), ~Exists(drafts.exclude(chapter__in=inside))
    )


def roles_within(user: User, grants: list[Grant]) -> list[Role]:
    """The roles whose every permission the person holds somewhere: those they may be able to give."""
    if is_administrator(user, grants):
        return list(Role)
    return [
        role
        for role, needed in PERMISSIONS.items()
        if all(any(carries(grant.role, permission) for grant in grants) for permission in needed)
    ]
