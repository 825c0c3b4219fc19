"""Plans: what kind, for whom, when, under which code; their sectors and chapters."""

import pghistory
import pgtrigger
from django.db import models
from django.db.models import Exists, F, Q
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from rrp_portal.reference.models import Country, Grant, Organisation, PopulationGroup, Sector, Situation
from rrp_portal.reference.roles import Permission, Scope


class ChapterQuerySet(models.QuerySet):
    """Which chapters a grant reaches."""

    def within(self, user, permission):
        """The chapters that a grant of the user with this permission spans; a sector grant spans no whole chapter."""
        if user.is_superuser:
            return self
        grants = Grant.objects.giving(user, permission)
        return self.filter(
            Exists(grants.filter(scope=Scope.GLOBAL))
            | Q(country__bureau__in=grants.filter(scope=Scope.BUREAU).values("bureau"))
            | Q(country__in=grants.filter(scope=Scope.COUNTRY).values("country"))
            | Q(plan__in=grants.filter(scope=Scope.PLAN).values("plan"))
            | Q(pk__in=grants.filter(scope=Scope.CHAPTER).values("chapter"))
        )


class PlanQuerySet(models.QuerySet):
    """Which plans a person may see and change."""

    def published(self):
        """Plans that everybody may see."""
        return self.filter(published_on__isnull=False)

    def within(self, user, permission):
        """The plans that a grant of the user with this permission covers; a chapter or sector grant covers its plan.

        A bureau or country grant covers every plan with a chapter there. One subquery per kind of scope, no row twice.
        """
        if user.is_superuser:
            return self
        grants = Grant.objects.giving(user, permission)
        reached = Chapter.objects.filter(
            Q(country__bureau__in=grants.filter(scope=Scope.BUREAU).values("bureau"))
            | Q(country__in=grants.filter(scope=Scope.COUNTRY).values("country"))
            | Q(pk__in=grants.filter(scope__in=[Scope.CHAPTER, Scope.SECTOR]).values("chapter"))
        )
        return self.filter(
            Exists(grants.filter(scope=Scope.GLOBAL))
            | Q(pk__in=grants.filter(scope=Scope.PLAN).values("plan"))
            | Q(pk__in=reached.values("plan"))
        )

    def visible_to(self, user):
        """Published plans for everybody; a draft for those whose grant shows it, and for partners with a line in it."""
        if user.is_superuser:
            return self
        if not user.is_authenticated:
            return self.published()
        own = (
            Grant.objects.giving(user, Permission.EDIT_OWN_LINES)
            .filter(scope=Scope.ORGANISATION)
            .values("organisation")
        )
        plans = self.model.objects
        return self.filter(
            Q(published_on__isnull=False)
            | Q(pk__in=plans.within(user, Permission.VIEW_DRAFTS).values("pk"))
            | Q(pk__in=plans.filter(versions__requirements__partner__in=own).values("pk"))
        )

    def editable_by(self, user):
        """The plans whose contents the user may edit."""
        return self.within(user, Permission.EDIT_PLAN)


@pghistory.track()
class Plan(models.Model):
    """A Refugee Response Plan, or another plan that is shown beside RRPs for reference and never summed with them."""

    class Type(models.TextChoices):
        COUNTRY_RRP = "country_rrp", _("Country RRP")
        COUNTRY_RRP_POPULATION = "country_rrp_population", _("Country RRP for one population")
        COUNTRY_RRP_AREA = "country_rrp_area", _("Country RRP for one area")
        REGIONAL_RRP = "regional_rrp", _("Regional RRP")
        RMRP = "rmrp", _("Refugee and Migrant Response Plan")
        THREE_RP = "3rp", _("Regional refugee and resilience plan (3RP)")
        JRP = "jrp", _("Joint response plan")
        HRP = "hrp", _("Humanitarian response plan")
        FLASH_APPEAL = "flash_appeal", _("Flash appeal")
        NATIONAL_PLAN = "national_plan", _("National plan")
        UNSDCF = "unsdcf", _("UN Sustainable Development Cooperation Framework")
        OTHER = "other", _("Other plan")

    REFERENCE_ONLY = (Type.HRP, Type.FLASH_APPEAL, Type.NATIONAL_PLAN, Type.UNSDCF, Type.OTHER)

    code = models.SlugField(
        _("code"), max_length=50, unique=True, help_text=_("For example RSSD26; it stands in the address.")
    )
    name = models.CharField(_("name"), max_length=255)
    names = models.JSONField(_("names by language"), default=dict, blank=True)
    type = models.CharField(_("type"), max_length=30, choices=Type)
    is_emergency = models.BooleanField(_("emergency plan"), default=False)
    onset_on = models.DateField(_("onset of the emergency"), null=True, blank=True)
    situation = models.ForeignKey(
        Situation, models.PROTECT, null=True, blank=True, related_name="plans", verbose_name=_("situation")
    )
    starts_on = models.DateField(_("starts on"))
    ends_on = models.DateField(_("ends on"))
    lead_organisations = models.ManyToManyField(
        Organisation, blank=True, related_name="led_plans", verbose_name=_("lead organisations")
    )
    populations = models.ManyToManyField(
        PopulationGroup, blank=True, related_name="plans", verbose_name=_("populations covered")
    )
    related_plans = models.ManyToManyField("self", blank=True, symmetrical=True, verbose_name=_("related plans"))
    fts_id = models.PositiveIntegerField(_("FTS plan id"), null=True, blank=True, unique=True)
    fts_code = models.CharField(_("FTS plan code"), max_length=50, blank=True)
    fts_type = models.CharField(_("plan type as FTS gives it"), max_length=100, blank=True)
    published_on = models.DateField(_("published on"), null=True, blank=True)
    is_demonstration = models.BooleanField(_("demonstration"), default=False, editable=False)

    objects = PlanQuerySet.as_manager()

    class Meta:
        verbose_name = _("plan")
        verbose_name_plural = _("plans")
        indexes = [models.Index(fields=["-starts_on", "name"], name="plan_newest_first")]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_on__gte=F("starts_on")),
                name="plan_period_in_order",
                violation_error_message=_("A plan cannot end before it starts."),
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="keeps_its_lines_lawful",
                operation=pgtrigger.UpdateOf("type", "starts_on", "ends_on"),
                when=pgtrigger.Before,
                func="""
                    IF EXISTS (SELECT 1 FROM planning_requirement r JOIN planning_planversion v ON v.id = r.version_id
                                WHERE v.plan_id = NEW.id
                                  AND (r.year < date_part('year', NEW.starts_on) OR r.year > date_part('year', NEW.ends_on)
                                       OR r.starts_on < NEW.starts_on OR r.ends_on > NEW.ends_on)) THEN
                        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'plan_period_holds_its_lines',
                            MESSAGE = 'The plan has requirement lines outside this period. Move them inside it first.';
                    END IF;
                    IF NEW.type <> 'rmrp' AND EXISTS (
                        SELECT 1 FROM planning_requirement r JOIN planning_planversion v ON v.id = r.version_id
                          JOIN reference_populationgroup g ON g.code = r.population_group_id
                         WHERE v.plan_id = NEW.id AND g.eligibility = 'rmrp_only'
                        UNION ALL
                        SELECT 1 FROM planning_plan_populations c JOIN reference_populationgroup g ON g.code = c.populationgroup_id
                         WHERE c.plan_id = NEW.id AND g.eligibility = 'rmrp_only') THEN
                        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'migrants_only_in_rmrp_plans',
                            MESSAGE = 'The plan has migrants, who stand only in a refugee and migrant response plan.';
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """The address of the plan's funding page."""
        return reverse("plan-detail", args=[self.code])

    @property
    def local_name(self) -> str:
        """The name in the reader's language, or as it was given where it is not translated."""
        return self.names.get(get_language() or "en") or self.name

    @property
    def years(self) -> range:
        """The calendar years of the plan; requirement and coverage are always per year."""
        return range(self.starts_on.year, self.ends_on.year + 1)

    @property
    def is_reference_only(self) -> bool:
        """Whether the plan is shown for reference and never summed with refugee response plans (BR-04)."""
        return self.type in self.REFERENCE_ONLY


class PlanSector(models.Model):
    """A sector as one plan uses it: activated, perhaps renamed, perhaps one of several FTS clusters of the same sector."""

    plan = models.ForeignKey(Plan, models.CASCADE, related_name="sectors", verbose_name=_("plan"))
    sector = models.ForeignKey(Sector, models.PROTECT, related_name="plan_sectors", verbose_name=_("sector"))
    name = models.CharField(_("name in this plan"), max_length=200)
    fts_id = models.PositiveIntegerField(_("FTS cluster id"), null=True, blank=True)
    position = models.PositiveSmallIntegerField(_("position"), default=0)

    class Meta:
        verbose_name = _("sector of a plan")
        verbose_name_plural = _("sectors of plans")
        constraints = [
            models.UniqueConstraint(
                fields=["plan", "name"],
                name="one_sector_per_plan_and_name",
                violation_error_message=_("The plan already has a sector with this name."),
            ),
            models.UniqueConstraint(
                fields=["plan", "fts_id"],
                name="one_sector_per_plan_and_fts_cluster",
                violation_error_message=_("The plan already has this FTS cluster."),
            ),
        ]
        triggers = [pgtrigger.ReadOnly(name="stays_with_its_plan", fields=["plan"])]

    def __str__(self) -> str:
        return self.name

    @property
    def local_name(self) -> str:
        """The plan's own name of the sector; in the reader's language where the plan kept the common name."""
        return self.sector.local_name if self.name == self.sector.name else self.name


@pghistory.track()
class Chapter(models.Model):
    """A plan's chapter for one country, or its one region-level chapter (no country). Stored once (BR-03)."""

    plan = models.ForeignKey(Plan, models.CASCADE, related_name="chapters", verbose_name=_("plan"))
    country = models.ForeignKey(
        Country, models.PROTECT, null=True, blank=True, related_name="chapters", verbose_name=_("country")
    )
    title = models.CharField(_("title"), max_length=200, blank=True)
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    overlap_with_hrp_usd = models.DecimalField(
        _("overlap with the humanitarian response plan, USD"), max_digits=17, decimal_places=2, default=0
    )

    objects = ChapterQuerySet.as_manager()

    class Meta:
        verbose_name = _("chapter")
        verbose_name_plural = _("chapters")
        constraints = [
            models.UniqueConstraint(
                fields=["plan", "country"],
                name="one_chapter_per_plan_and_country",
                nulls_distinct=False,
                violation_error_message=_(
                    "The plan already has a chapter for this country, or its region-level chapter."
                ),
            ),
            models.CheckConstraint(
                condition=Q(overlap_with_hrp_usd__gte=0),
                name="chapter_overlap_not_negative",
                violation_error_message=_("An overlap is zero or more."),
            ),
        ]
        triggers = [pgtrigger.ReadOnly(name="stays_with_its_plan", fields=["plan", "country"])]

    def __str__(self) -> str:
        return self.title or (str(self.country) if self.country_id else str(_("Regional")))
