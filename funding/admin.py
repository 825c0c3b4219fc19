"""Administration of flows and figures: corrections under the same rules as everywhere; figures are only recomputed."""

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from funding import rollups
from funding.models import BoundaryException, Flow, FlowLine, PlanYear, PublishedTotal
from rrp_portal.reference.admin.base import PortalAdmin, ReadOnlyAdmin


class FlowLineInline(admin.StackedInline):
    """The flow's lines."""

    model = FlowLine
    extra = 0
    autocomplete_fields = ["plan", "country", "sector", "global_sector"]
    show_change_link = True


@admin.register(Flow)
class FlowAdmin(PortalAdmin):
    """Flows of money and goods."""

    list_display = ["id", "fts_id", "donor", "recipient", "amount_usd", "status", "type", "flow_on", "channel"]
    list_display_links = ["id", "fts_id"]
    list_filter = ["status", "type", "contribution_type", "channel", "is_new_money", "earmarking"]
    list_select_related = ["donor", "recipient"]
    search_fields = ["=id", "=fts_id", "=reference", "donor__name", "recipient__name"]
    ordering = ["-flow_on", "-id"]
    autocomplete_fields = [
        "donor", "recipient", "currency", "source_plan", "source_country", "source_sector"
    ]  # fmt: skip
    raw_id_fields = ["parent", "corrects"]
    readonly_fields = ["channel", "recorded_at", "changes"]
    inlines = [FlowLineInline]


@admin.register(FlowLine)
class FlowLineAdmin(PortalAdmin):
    """Lines of flows."""

    list_display = ["id", "flow", "plan", "year", "place", "country", "split", "sector", "amount_usd"]
    list_filter = ["place", "split", "year"]
    list_select_related = ["flow__donor", "flow__recipient", "plan", "country", "sector"]
    search_fields = ["=flow__id", "=flow__fts_id", "plan__code"]
    ordering = ["-id"]
    autocomplete_fields = ["plan", "country", "sector", "global_sector"]
    raw_id_fields = ["flow"]
    readonly_fields = ["recorded_at", "changes"]


@admin.register(BoundaryException)
class BoundaryExceptionAdmin(PortalAdmin):
    """Organisations that a plan counts as outside its boundary."""

    list_display = ["plan", "organisation", "reason"]
    list_select_related = ["plan", "organisation"]
    search_fields = ["plan__code", "plan__name", "organisation__name", "reason"]
    ordering = ["-plan_id", "organisation__name", "id"]
    autocomplete_fields = ["plan", "organisation"]
    readonly_fields = ["changes"]


@admin.register(PublishedTotal)
class PublishedTotalAdmin(ReadOnlyAdmin):
    """Totals that others published, as they came in."""

    list_display = ["plan", "year", "dimension", "country", "sector", "required_usd", "funded_usd", "source", "as_of"]
    list_filter = ["dimension", "year", "source"]
    list_select_related = ["plan", "country", "sector"]
    search_fields = ["plan__code", "plan__name", "=country__iso3"]
    ordering = ["-year", "-plan_id", "dimension", "id"]


@admin.register(PlanYear)
class PlanYearAdmin(ReadOnlyAdmin):
    """Plan-years and when their figures were computed."""

    list_display = ["plan", "year", "basis", "computed_at"]
    list_filter = ["basis", "year"]
    list_select_related = ["plan"]
    search_fields = ["plan__code", "plan__name"]
    ordering = ["-year", "-plan_id"]
    actions = ["recompute"]

    @admin.action(description=_("Recompute the figures"))
    def recompute(self, request: HttpRequest, queryset: models.QuerySet) -> None:
        """Recompute the figures of the chosen plan-years now."""
        keys = list(queryset.values_list("plan_id", "year"))
        for plan, year in keys:
            rollups.recompute(plan, year)
        sentence = ngettext(
            "The figures of %(number)s plan-year are recomputed.",
            "The figures of %(number)s plan-years are recomputed.",
            len(keys),
        )
        self.message_user(request, sentence % {"number": len(keys)})
