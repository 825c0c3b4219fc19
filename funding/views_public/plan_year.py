"""Everything about one plan that its pages have in common: who may see it, its versions, its years, and what was asked."""

from dataclasses import dataclass
from datetime import date, datetime

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _

from funding.models import PlanYear
from funding.tables import Explainer
from funding.views_public.asked import Asked, asked_of_plan, years_of
from planning.models import Plan, PlanVersion
from rrp_portal.formats import day
from rrp_portal.reference.models import Organisation


@dataclass(frozen=True, slots=True)
class PlanPage:
    """One plan as a reader sees it in one year, on one day."""

    plan: Plan
    asked: Asked
    years: list[int]
    plan_year: PlanYear | None
    versions: list[PlanVersion]

    @property
    def version(self) -> PlanVersion | None:
        """The version in force on the day, newest first."""
        return self.versions[0] if self.versions else None

    @property
    def original(self) -> PlanVersion | None:
        """The first approved version."""
        return self.versions[-1] if self.versions else None

    @property
    def version_label(self) -> str:
        """The version in force with the day of its approval, in words."""
        if self.version is None:
            return _("No approved version")
        values = {"version": self.version.label, "day": day(self.version.approved_on)}
        return _("Version %(version)s, approved %(day)s") % values

    @property
    def as_of(self) -> date | datetime | None:
        """The day that was asked for, or the moment the figures were computed; None while they are not."""
        if self.asked.as_of:
            return self.asked.as_of
        return self.plan_year.computed_at if self.plan_year else None

    @property
    def is_published_basis(self) -> bool:
        """Whether the plan-year shows totals that OCHA published, because its flows are not known one by one."""
        return self.plan_year is not None and self.plan_year.basis == PlanYear.Basis.PUBLISHED

    @property
    def source(self) -> str:
        """Where the funding figures come from, in words."""
        if self.plan.is_demonstration:
            return _("demonstration data")
        if self.is_published_basis:
            return _("totals published by OCHA FTS")
        if self.plan.fts_id:
            return _("flows recorded by OCHA FTS and reports of partners")
        return _("reports of partners and funding trackers")

    @property
    def explainer(self) -> Explainer:
        """Writes the addresses of the rows behind the figures of this page."""
        return Explainer(self.plan, self.asked.query)


def open_plan(request: HttpRequest, code: str) -> PlanPage:
    """The plan of an address in the year and on the day asked for, in three queries. Raises Http404 where it is not visible."""
    leads = Organisation.objects.filter(led_plans=OuterRef("pk")).order_by("name").values("name")
    plans = Plan.objects.visible_to(request.user).select_related("situation").annotate(leads=ArraySubquery(leads))
    plan = get_object_or_404(plans, code=code)
    plan_years = list(PlanYear.objects.filter(plan=plan))
    asked = asked_of_plan(request, plan, plan_years)
    return PlanPage(
        plan=plan,
        asked=asked,
        years=years_of(plan, plan_years),
        plan_year=next((row for row in plan_years if row.year == asked.year), None),
        versions=list(PlanVersion.objects.filter(plan=plan).in_force(asked.as_of)),
    )
