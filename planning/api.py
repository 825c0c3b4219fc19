"""Plans, their versions, chapters and requirement lines over REST."""

import django_filters as filters
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Exists, Max, OuterRef, Subquery
from django.db.models.functions import JSONObject
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from planning.filters import PlanCodeFilter, PlanFilter, RequirementFilter
from planning.models import Chapter, Plan, PlanSector, PlanVersion, Requirement
from planning.models.version import APPROVED_SENTENCE
from planning.serializers import ChapterSerializer, PlanSerializer, RequirementSerializer, VersionSerializer
from rrp_portal.api.resources import Reading, Writing
from rrp_portal.reference.models import Country, Organisation


def with_contents(plans):
    """The plans with everything that their resource shows, in one query whatever their number."""
    of_plan = {"plan": OuterRef("pk")}
    newest = PlanVersion.objects.filter(status=PlanVersion.Status.APPROVED, **of_plan).order_by("-major", "-minor")
    shown = ("id", "major", "minor", "approved_on", "people_in_need", "people_targeted", "source")
    chapters = Chapter.objects.filter(**of_plan)
    leads = Organisation.objects.filter(led_plans=OuterRef("pk")).order_by("name", "pk")
    sectors = PlanSector.objects.filter(**of_plan).order_by("position", "name", "pk")
    populations = Plan.populations.through.objects.filter(plan=OuterRef("pk")).order_by("populationgroup")
    return plans.select_related("situation").annotate(
        version_in_force=Subquery(newest.values(json=JSONObject(**{name: name for name in shown}))[:1]),
        countries=ArraySubquery(chapters.exclude(country=None).order_by("country").values("country")),
        has_regional_chapter=Exists(chapters.filter(country=None)),
        leads=ArraySubquery(leads.values(json=JSONObject(id="id", name="name"))),
        plan_sectors=ArraySubquery(sectors.values(json=JSONObject(id="id", code="sector__code", name="name"))),
        population_codes=ArraySubquery(populations.values("populationgroup")),
    )


class PlanResource(Reading):
    """Plans that the reader may see: everybody the published ones."""

    serializer_class = PlanSerializer
    queryset = Plan.objects.none()
    filterset_class = PlanFilter
    lookup_field = "code"
    ordering = ("-starts_on", "code")
    file_name = "plans"

    def get_queryset(self):
        """Visible plans."""
        return with_contents(Plan.objects.visible_to(self.request.user))


class VersionFilter(filters.FilterSet):
    """Versions by plan and status."""

    plan = PlanCodeFilter()
    status = filters.ChoiceFilter(choices=PlanVersion.Status.choices)

    class Meta:
        model = PlanVersion
        fields: list[str] = []


class VersionResource(Reading):
    """Versions of plans: approved ones for everybody, drafts for those who may see them."""

    serializer_class = VersionSerializer
    queryset = PlanVersion.objects.none()
    filterset_class = VersionFilter
    file_name = "versions"

    def get_queryset(self):
        """Visible versions."""
        return PlanVersion.objects.visible_to(self.request.user).select_related("plan")


class ChapterFilter(filters.FilterSet):
    """Chapters by plan and country."""

    plan = PlanCodeFilter()
    country = filters.ModelChoiceFilter(
        queryset=Country.objects.order_by("name"), to_field_name="iso3", label=gettext_lazy("Country")
    )

    class Meta:
        model = Chapter
        fields: list[str] = []


class ChapterResource(Reading):
    """Chapters of the plans that the reader may see."""

    serializer_class = ChapterSerializer
    queryset = Chapter.objects.none()
    filterset_class = ChapterFilter
    file_name = "chapters"

    def get_queryset(self):
        """Chapters of visible plans."""
        plans = Plan.objects.visible_to(self.request.user)
        return Chapter.objects.filter(plan__in=plans.values("pk")).select_related("plan", "country")


class RequirementResource(Writing):
    """Requirement lines: those of approved versions for everybody; within a draft they are written by partner and coordinator.

    Send the ETag of the line as If-Match, and a change to a line that somebody else has changed meanwhile is refused with 412.
    """

    serializer_class = RequirementSerializer
    queryset = Requirement.objects.none()
    filterset_class = RequirementFilter
    file_name = "requirements"

    def get_queryset(self):
        """Visible lines."""
        lines = Requirement.objects.visible_to(self.request.user)
        return lines.select_related("version__plan", "chapter__country", "sector__sector", "subsector", "partner")

    def state_of(self, line):
        """The number of its latest history row."""
        return str(line.events.aggregate(latest=Max("pgh_id"))["latest"] or 0)

    def refusal(self, line):
        """An approved version says how it can be changed after all."""
        return _(APPROVED_SENTENCE) if line.version.status == PlanVersion.Status.APPROVED else ""
