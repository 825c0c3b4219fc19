"""The requirement line: the one place where a plan says what is needed (BR-02)."""

import pghistory
import pgtrigger
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from planning.models.plan import Chapter, Plan, PlanSector
from planning.models.version import APPROVED_SENTENCE, PlanVersion
from rrp_portal.reference.models import Grant, Organisation, PopulationGroup, Sector
from rrp_portal.reference.roles import Permission, Scope

NO_IDP = _(
    "Internally displaced people never stand in a refugee response plan. Their needs belong in the humanitarian plan."
)
RMRP_ONLY = _("Migrants stand only in a refugee and migrant response plan. Choose another population group.")
NO_GOVERNMENT = _(
    "An organisation of this type cannot own a requirement in a refugee response plan. "
    "A government's needs belong in its national plan, which is shown beside this one."
)
OUTSIDE_PERIOD = _("The line lies outside the plan's period. Choose a year and dates within it.")
OTHER_PLAN = _("The chapter and the sector must belong to the same plan as the version.")

_LAWFUL = f"""
    SELECT v.plan_id, v.status INTO version_plan, version_status FROM planning_planversion v WHERE v.id = NEW.version_id FOR SHARE;
    IF version_status = 'approved' THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'approved_version_immutable',
            MESSAGE = '{APPROVED_SENTENCE}';
    END IF;
    SELECT * INTO plan FROM planning_plan p WHERE p.id = version_plan;
    IF NEW.partner_id IS NOT NULL AND NOT (
        SELECT t.may_own_requirement AND COALESCE(kept_type.may_own_requirement, true)
          FROM reference_organisation o JOIN reference_organisationtype t ON t.code = o.type_id
          LEFT JOIN reference_organisation kept ON kept.id = o.merged_into_id
          LEFT JOIN reference_organisationtype kept_type ON kept_type.code = kept.type_id
         WHERE o.id = NEW.partner_id FOR SHARE OF o) THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'requirement_partner_may_appeal',
            MESSAGE = 'An organisation of this type cannot own a requirement in a refugee response plan.';
    END IF;
    SELECT g.eligibility INTO group_eligibility FROM reference_populationgroup g WHERE g.code = NEW.population_group_id;
    IF group_eligibility = 'never' THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'requirement_no_idp',
            MESSAGE = 'Internally displaced people never stand in a refugee response plan.';
    ELSIF group_eligibility = 'rmrp_only' AND plan.type <> 'rmrp' THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'requirement_migrants_only_in_rmrp',
            MESSAGE = 'Migrants stand only in a refugee and migrant response plan.';
    END IF;
    IF NEW.year < date_part('year', plan.starts_on) OR NEW.year > date_part('year', plan.ends_on)
       OR NEW.starts_on < plan.starts_on OR NEW.ends_on > plan.ends_on THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'requirement_inside_plan_period',
            MESSAGE = 'The line lies outside the plan''s period.';
    END IF;
    IF NOT EXISTS (SELECT 1 FROM planning_chapter c WHERE c.id = NEW.chapter_id AND c.plan_id = version_plan)
       OR (NEW.sector_id IS NOT NULL AND NOT EXISTS (
           SELECT 1 FROM planning_plansector s WHERE s.id = NEW.sector_id AND s.plan_id = version_plan)) THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'requirement_of_one_plan',
            MESSAGE = 'The chapter and the sector must belong to the same plan as the version.';
    END IF;
    RETURN NEW;
"""


def _refusal(sentence, code: str) -> ValidationError:
    """A sentence with the name of the database rule that says the same: the code that machines read."""
    return ValidationError(sentence, code=code)


class RequirementQuerySet(models.QuerySet):
    """Which lines a person may see and change."""

    def _own(self, user):
        """The organisations whose lines the user keeps, as a subquery."""
        return (
            Grant.objects.giving(user, Permission.EDIT_OWN_LINES)
            .filter(scope=Scope.ORGANISATION)
            .values("organisation")
        )

    def visible_to(self, user):
        """Lines of approved versions of published plans; drafts for those who may see them; partners see their own."""
        if user.is_superuser:
            return self
        public = Q(version__status="approved", version__plan__in=Plan.objects.published().values("pk"))
        if not user.is_authenticated:
            return self.filter(public)
        drafts = Plan.objects.within(user, Permission.VIEW_DRAFTS)
        return self.filter(public | Q(version__plan__in=drafts.values("pk")) | Q(partner__in=self._own(user)))

    def editable_by(self, user):
        """Draft lines of chapters the user edits, of sectors the user leads in a chapter, of the user's own organisation."""
        if not user.is_authenticated:
            return self.none()
        drafts = self.filter(version__status="draft")
        if user.is_superuser:
            return drafts
        led = Grant.objects.giving(user, Permission.EDIT_SECTOR).filter(scope=Scope.SECTOR)
        return drafts.filter(
            Q(chapter__in=Chapter.objects.within(user, Permission.EDIT_PLAN).values("pk"))
            | Exists(led.filter(chapter=OuterRef("chapter"), sector=OuterRef("sector")))
            | Q(partner__in=self._own(user))
        )


@pghistory.track(exclude=["amount_usd"])
class Requirement(models.Model):
    """What one partner needs: version × chapter × sector × partner × population group × year, in US dollars (I8).

    `amount_usd` is net: the gross need less what another partner's budget already covers (R14).
    """

    class Source(models.TextChoices):
        PARTNER = "partner", _("Partner")
        FTS = "fts", _("OCHA FTS")

    class Status(models.TextChoices):
        PROPOSED = "proposed", _("Proposed")
        VETTED = "vetted", _("Vetted by the sector")
        ACCEPTED = "accepted", _("Accepted")
        RETURNED = "returned", _("Returned")
        WITHDRAWN = "withdrawn", _("Withdrawn")

    version = models.ForeignKey(PlanVersion, models.CASCADE, related_name="requirements", verbose_name=_("version"))
    chapter = models.ForeignKey(Chapter, models.PROTECT, related_name="requirements", verbose_name=_("chapter"))
    sector = models.ForeignKey(
        PlanSector, models.PROTECT, null=True, blank=True, related_name="requirements", verbose_name=_("sector")
    )
    subsector = models.ForeignKey(
        Sector, models.PROTECT, null=True, blank=True, related_name="requirements", verbose_name=_("sub-sector")
    )
    partner = models.ForeignKey(
        Organisation, models.PROTECT, null=True, blank=True, related_name="requirements", verbose_name=_("partner")
    )
    population_group = models.ForeignKey(
        PopulationGroup,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="requirements",
        verbose_name=_("population group"),
    )
    year = models.PositiveSmallIntegerField(_("year"))
    starts_on = models.DateField(_("starts on"), null=True, blank=True)
    ends_on = models.DateField(_("ends on"), null=True, blank=True)
    gross_usd = models.DecimalField(_("amount needed, USD"), max_digits=17, decimal_places=2)
    covered_elsewhere_usd = models.DecimalField(
        _("of it covered in another partner's budget, USD"), max_digits=17, decimal_places=2, default=0
    )
    amount_usd = models.GeneratedField(
        expression=F("gross_usd") - F("covered_elsewhere_usd"),
        output_field=models.DecimalField(_("net requirement, USD"), max_digits=17, decimal_places=2),
        db_persist=True,
    )
    people_targeted = models.PositiveBigIntegerField(_("people targeted"), null=True, blank=True)
    activity = models.TextField(_("activity"), blank=True)
    note = models.TextField(_("note"), blank=True)
    source = models.CharField(_("source"), max_length=10, choices=Source, default=Source.PARTNER, editable=False)
    status = models.CharField(_("status"), max_length=20, choices=Status, default=Status.PROPOSED, editable=False)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    changed_at = models.DateTimeField(_("changed at"), auto_now=True)

    objects = RequirementQuerySet.as_manager()

    class Meta:
        verbose_name = _("requirement line")
        verbose_name_plural = _("requirement lines")
        indexes = [models.Index(fields=["version", "year"], name="requirement_of_version_year")]
        constraints = [
            models.UniqueConstraint(
                fields=["version", "chapter", "sector", "subsector", "partner", "population_group", "year"],
                name="one_requirement_line_per_key",
                nulls_distinct=False,
                violation_error_message=_(
                    "There is already a line for this chapter, sector, partner, population group and year. Change that line."
                ),
            ),
            models.CheckConstraint(
                condition=Q(gross_usd__gte=0)
                & Q(covered_elsewhere_usd__gte=0)
                & Q(gross_usd__lt=10**15),  # NaN is more than all
                name="requirement_not_negative",
                violation_error_message=_("A requirement is zero or more."),
            ),
            models.CheckConstraint(
                condition=Q(covered_elsewhere_usd__lte=F("gross_usd")),
                name="requirement_covers_no_more_than_it_needs",
                violation_error_message=_("What another budget covers cannot be more than the amount needed."),
            ),
            models.CheckConstraint(
                condition=Q(source="fts") | Q(partner__isnull=False, sector__isnull=False),
                name="requirement_names_partner_and_sector",
                violation_error_message=_("Name the partner and the sector of the line."),
            ),
            models.CheckConstraint(
                condition=Q(starts_on=None) | Q(ends_on=None) | Q(ends_on__gte=F("starts_on")),
                name="requirement_period_in_order",
                violation_error_message=_("A line cannot end before it starts."),
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="is_lawful",
                operation=pgtrigger.Insert | pgtrigger.Update,
                when=pgtrigger.Before,
                declare=[
                    ("version_plan", "bigint"),
                    ("version_status", "text"),
                    ("plan", "planning_plan"),
                    ("group_eligibility", "text"),
                ],
                func=_LAWFUL,
            ),
            pgtrigger.Trigger(
                name="approved_stays",
                operation=pgtrigger.Update | pgtrigger.Delete,
                when=pgtrigger.Before,
                func=f"""
                    IF (SELECT status FROM planning_planversion WHERE id = OLD.version_id) = 'approved' THEN
                        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'approved_version_immutable',
                            MESSAGE = '{APPROVED_SENTENCE}';
                    END IF;
                    IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.chapter} · {self.sector} · {self.partner} · {self.year}"

    def clean(self) -> None:
        """Refuse what the database refuses, with the sentence beside the field (I1, I2, I3, I7)."""
        super().clean()
        errors: dict[str, ValidationError] = {}
        if self.partner_id and not self.partner.type.may_own_requirement:
            why = self.partner.type.why_no_requirement
            errors["partner"] = _refusal(_(why) if why else NO_GOVERNMENT, "requirement_partner_may_appeal")
        if self.version_id:
            errors |= self._refusals_of_plan(self.version.plan)
            if self.version.status == PlanVersion.Status.APPROVED:
                errors["version"] = _refusal(_(APPROVED_SENTENCE), "approved_version_immutable")
        if errors:
            raise ValidationError(errors)

    def _refusals_of_plan(self, plan: Plan) -> dict[str, ValidationError]:
        errors: dict[str, ValidationError] = {}
        if self.population_group_id:
            eligibility = self.population_group.eligibility
            if eligibility == PopulationGroup.Eligibility.NEVER:
                errors["population_group"] = _refusal(NO_IDP, "requirement_no_idp")
            elif eligibility == PopulationGroup.Eligibility.RMRP_ONLY and plan.type != Plan.Type.RMRP:
                errors["population_group"] = _refusal(RMRP_ONLY, "requirement_migrants_only_in_rmrp")
        if self.year is not None and self.year not in plan.years:
            errors["year"] = _refusal(OUTSIDE_PERIOD, "requirement_inside_plan_period")
        if self.starts_on and self.starts_on < plan.starts_on:
            errors["starts_on"] = _refusal(OUTSIDE_PERIOD, "requirement_inside_plan_period")
        if self.ends_on and self.ends_on > plan.ends_on:
            errors["ends_on"] = _refusal(OUTSIDE_PERIOD, "requirement_inside_plan_period")
        if self.chapter_id and self.chapter.plan_id != plan.pk:
            errors["chapter"] = _refusal(OTHER_PLAN, "requirement_of_one_plan")
        if self.sector_id and self.sector.plan_id != plan.pk:
            errors["sector"] = _refusal(OTHER_PLAN, "requirement_of_one_plan")
        return errors
