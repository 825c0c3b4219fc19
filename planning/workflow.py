"""The steps of a plan version, as a table."""

from planning.models import Plan, PlanVersion
from rrp_portal.reference.models import User
from rrp_portal.reference.roles import Permission
from rrp_portal.workflow import Transition, by_name

DRAFT, FROZEN, APPROVED = PlanVersion.Status.DRAFT, PlanVersion.Status.FROZEN, PlanVersion.Status.APPROVED


def approves(version: PlanVersion, user: User) -> bool:
    """Whether the user holds an approver's grant that covers the version's plan."""
    return Plan.objects.within(user, Permission.APPROVE_PLAN).filter(pk=version.plan_id).exists()


VERSION = by_name(
    Transition("approve", (DRAFT, FROZEN), APPROVED, may=approves),
)
"""How a version becomes immutable."""
