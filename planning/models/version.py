"""Versions of a plan: one working draft, frozen drafts, approved versions that nothing can change."""

import pghistory
import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from planning.models.plan import Plan
from rrp_portal.reference.models import Grant
from rrp_portal.reference.roles import Permission
from rrp_portal.reference.roles import Scope as RoleScope
from rrp_portal.workflow import Step

APPROVED_SENTENCE = gettext_noop(
    "This version is approved and cannot change. Start a correction or a revision instead."
)


class PlanVersionQuerySet(models.QuerySet):
    """Which version is in force, and who may see it."""

    def in_force(self, day=None):
        """Approved versions in force on the day (or now), newest first; the first one per plan is the plan's."""
        approved = self.filter(status=PlanVersion.Status.APPROVED)
        if day is not None:
            approved = approved.filter(approved_on__lte=day)
        return approved.order_by("plan_id", "-major", "-minor")

    def visible_to(self, user):
        """Approved versions of visible plans; drafts for those whose grant shows them, and for partners with a line in them."""
        if user.is_superuser:
            return self
        approved = Q(status=PlanVersion.Status.APPROVED, plan__in=Plan.objects.visible_to(user).values("pk"))
        if not user.is_authenticated:
            return self.filter(approved)
        own = (
            Grant.objects.giving(user, Permission.EDIT_OWN_LINES)
            .filter(scope=RoleScope.ORGANISATION)
            .values("organisation")
        )
        return self.filter(
            approved
            | Q(plan__in=Plan.objects.within(user, Permission.VIEW_DRAFTS).values("pk"))
            | Q(pk__in=PlanVersion.objects.filter(requirements__partner__in=own).values("pk"))
        )


@pghistory.track()
class PlanVersion(models.Model):
    """One version of a plan: v1 original, v1.1 correction without change of figures, v2 revision."""

    class Status(models.TextChoices):
        DRAFT = "draft", _("Draft")
        FROZEN = "frozen", _("Frozen for review")
        APPROVED = "approved", _("Approved")

    class Scope(models.TextChoices):
        ORIGINAL = "original", _("Original")
        CORRECTION = "correction", _("Correction, no figure changes")
        REVISION = "revision", _("Revision")
        EXTENSION = "extension", _("Extension")

    plan = models.ForeignKey(Plan, models.CASCADE, related_name="versions", verbose_name=_("plan"))
    major = models.PositiveSmallIntegerField(_("major number"), default=1)
    minor = models.PositiveSmallIntegerField(_("minor number"), default=0)
    scope = models.CharField(_("kind of version"), max_length=20, choices=Scope, default=Scope.ORIGINAL)
    status = models.CharField(_("status"), max_length=20, choices=Status, default=Status.DRAFT, editable=False)
    approved_on = models.DateField(_("approved on"), null=True, blank=True)
    reason = models.TextField(_("reason for the revision"), blank=True)
    source = models.CharField(_("source"), max_length=200, blank=True)
    people_in_need = models.PositiveBigIntegerField(_("people in need"), null=True, blank=True)
    people_targeted = models.PositiveBigIntegerField(_("people targeted"), null=True, blank=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    objects = PlanVersionQuerySet.as_manager()

    class Meta:
        verbose_name = _("version of a plan")
        verbose_name_plural = _("versions of plans")
        constraints = [
            models.UniqueConstraint(
                fields=["plan", "major", "minor"],
                name="one_version_per_plan_and_number",
                violation_error_message=_("The plan already has a version with this number."),
            ),
            models.UniqueConstraint(
                fields=["plan"],
                condition=Q(status="draft"),
                name="one_working_draft_per_plan",
                violation_error_message=_("The plan already has a working draft. Finish or withdraw it first."),
            ),
            models.CheckConstraint(
                condition=~Q(status="approved") | Q(approved_on__isnull=False),
                name="approved_version_has_its_date",
                violation_error_message=_("Give the day on which the version was approved."),
            ),
            models.CheckConstraint(
                condition=Q(people_targeted=None)
                | Q(people_in_need=None)
                | Q(people_targeted__lte=models.F("people_in_need")),
                name="people_targeted_within_need",
                violation_error_message=_("People targeted cannot be more than people in need."),
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="approved_is_immutable",
                operation=pgtrigger.Update | pgtrigger.Delete,
                when=pgtrigger.Before,
                condition=pgtrigger.Condition("OLD.status = 'approved'"),
                func=f"""
                    IF TG_OP = 'UPDATE' AND NEW IS NOT DISTINCT FROM OLD THEN RETURN NEW; END IF;
                    RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'approved_version_immutable',
                        MESSAGE = '{APPROVED_SENTENCE}';
                """,
            ),
            pgtrigger.ReadOnly(name="stays_with_its_plan", fields=["plan"]),
        ]

    def __str__(self) -> str:
        return f"{self.plan} {self.label}"

    @property
    def label(self) -> str:
        """The version's number as people write it: v1, v1.1, v2."""
        return f"v{self.major}.{self.minor}" if self.minor else f"v{self.major}"

    @property
    def is_editable(self) -> bool:
        """Whether its lines may still change."""
        return self.status == self.Status.DRAFT


class PlanVersionStep(Step):
    """One step of a version through its workflow: append-only, and the outbox of notices."""

    obj = models.ForeignKey(PlanVersion, models.CASCADE, related_name="steps", verbose_name=_("version"))

    class Meta:
        verbose_name = _("step of a version")
        verbose_name_plural = _("steps of versions")
