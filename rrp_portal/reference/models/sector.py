"""Sectors with their FTS global clusters and UNHCR outcome areas; population groups and age bands."""

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from rrp_portal.reference.models.codelist import CodeListItem


class OutcomeArea(CodeListItem):
    """A UNHCR outcome or enabling area (OA1 to EA21)."""

    code = models.CharField(_("code"), max_length=5, unique=True)

    class Meta:
        verbose_name = _("outcome area")
        verbose_name_plural = _("outcome areas")


class Sector(CodeListItem):
    """A sector of response, or a sub-sector where it has a parent."""

    code = models.CharField(_("code"), max_length=20, unique=True)
    parent = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="subsectors", verbose_name=_("parent sector")
    )
    outcome_areas = models.ManyToManyField(
        OutcomeArea, blank=True, related_name="sectors", verbose_name=_("outcome areas")
    )

    class Meta:
        verbose_name = _("sector")
        verbose_name_plural = _("sectors")


class GlobalCluster(models.Model):
    """A global cluster as OCHA FTS numbers it, and the sector it corresponds to."""

    fts_id = models.PositiveIntegerField(_("FTS id"), primary_key=True)
    name = models.CharField(_("name"), max_length=200)
    sector = models.ForeignKey(Sector, models.PROTECT, related_name="global_clusters", verbose_name=_("sector"))

    class Meta:
        verbose_name = _("FTS global cluster")
        verbose_name_plural = _("FTS global clusters")

    def __str__(self) -> str:
        return self.name


class PopulationGroup(CodeListItem):
    """A population group, and in which plans it may stand (I2, I3)."""

    class Eligibility(models.TextChoices):
        EVERY_PLAN = "every_plan", _("Every plan")
        RMRP_ONLY = "rmrp_only", _("Refugee and migrant response plans only")
        NEVER = "never", _("Never")

    code = models.CharField(_("code"), max_length=3, primary_key=True)
    unhcr_code = models.CharField(_("UNHCR code"), max_length=5, blank=True)
    eligibility = models.CharField(
        _("may stand in"), max_length=20, choices=Eligibility, default=Eligibility.EVERY_PLAN
    )
    shown_apart = models.BooleanField(_("always shown apart"), default=False)

    class Meta:
        verbose_name = _("population group")
        verbose_name_plural = _("population groups")
        constraints = [
            models.CheckConstraint(
                condition=~Q(code__in=["IDP", "RDP"]) | Q(eligibility="never"),
                name="internally_displaced_people_in_no_rrp",
                violation_error_message=_("Internally displaced people never stand in a refugee response plan."),
            ),
            models.CheckConstraint(
                condition=~Q(code="MIG") | ~Q(eligibility="every_plan"),
                name="migrants_only_in_rmrp",
                violation_error_message=_("Migrants stand only in a refugee and migrant response plan."),
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="keeps_plans_lawful",
                operation=pgtrigger.UpdateOf("code", "eligibility"),
                when=pgtrigger.Before,
                func="""
                    IF NEW.code <> OLD.code THEN
                        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'population_group_code_stays',
                            MESSAGE = 'The code of a population group cannot change. Make a new group instead.';
                    END IF;
                    IF NEW.eligibility <> 'every_plan' AND EXISTS (
                        SELECT 1 FROM planning_requirement r JOIN planning_planversion v ON v.id = r.version_id
                          JOIN planning_plan p ON p.id = v.plan_id
                         WHERE r.population_group_id = NEW.code AND (NEW.eligibility = 'never' OR p.type <> 'rmrp')
                        UNION ALL
                        SELECT 1 FROM planning_plan_populations c JOIN planning_plan p ON p.id = c.plan_id
                         WHERE c.populationgroup_id = NEW.code AND (NEW.eligibility = 'never' OR p.type <> 'rmrp')) THEN
                        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'population_group_keeps_its_lines_lawful',
                            MESSAGE = 'This population group stands in plans where it then could not. Take it out of them first.';
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]


class AgeBand(CodeListItem):
    """An age band as UNHCR publishes population figures."""

    code = models.CharField(_("code"), max_length=10, primary_key=True)
    min_age = models.PositiveSmallIntegerField(_("from age"), null=True, blank=True)
    max_age = models.PositiveSmallIntegerField(_("to age"), null=True, blank=True)

    class Meta:
        verbose_name = _("age band")
        verbose_name_plural = _("age bands")


class Sex(models.TextChoices):
    """Sex as population figures record it."""

    FEMALE = "F", _("Female")
    MALE = "M", _("Male")
    OTHER = "X", _("Other or unknown")
