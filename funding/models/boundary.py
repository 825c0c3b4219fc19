"""Exceptions to what counts as inside a plan."""

import pghistory
from django.db import models
from django.utils.translation import gettext_lazy as _

from planning.models import Plan
from rrp_portal.reference.models import Organisation


@pghistory.track()
class BoundaryException(models.Model):
    """An organisation that one plan counts as outside its boundary, such as a pooled fund (BR-09): data, not code."""

    plan = models.ForeignKey(Plan, models.CASCADE, related_name="boundary_exceptions", verbose_name=_("plan"))
    organisation = models.ForeignKey(
        Organisation,
        models.PROTECT,
        related_name="boundary_exceptions",
        verbose_name=_("organisation counted as outside"),
    )
    reason = models.TextField(_("reason"))

    class Meta:
        verbose_name = _("exception to the boundary of a plan")
        verbose_name_plural = _("exceptions to the boundary of a plan")
        constraints = [
            models.UniqueConstraint(
                fields=["plan", "organisation"],
                name="one_boundary_exception_per_plan_and_organisation",
                violation_error_message=_("The plan already has this exception."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.plan}: {self.organisation}"
