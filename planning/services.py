"""Writes over several rows of the planning room, each one call for pages, API, imports and jobs."""

from datetime import date

from django.db import transaction

from planning.models import PlanVersion
from planning.workflow import VERSION
from rrp_portal import workflow
from rrp_portal.reference.models import User


@transaction.atomic
def approve_version(
    version: PlanVersion, *, approved_on: date, user: User | None = None, comment: str = ""
) -> PlanVersion:
    """Approve a version as of a day, after which the database refuses every change to it; returns the approved version.

    `user` None is the portal itself, for a plan that was approved elsewhere and is imported. Raises PermissionDenied when the user is
    no approver of the plan, `workflow.Refused` when the version is approved already. Sources: I13, BR-22, BR-23.
    """
    version = PlanVersion.objects.select_for_update(of=("self",)).get(pk=version.pk)
    if version.status != PlanVersion.Status.APPROVED:
        version.approved_on = approved_on
        version.save(update_fields=["approved_on"])
    return workflow.make(version, VERSION["approve"], user, comment)
