"""Administration of plans: a way in for corrections, under the same rules as everywhere."""

from django.contrib import admin
from django.db import models
from django.http import HttpRequest

from planning.models import Chapter, Plan, PlanSector, PlanVersion, PlanVersionStep, Requirement
from rrp_portal.reference.admin.base import PortalAdmin


class PlanSectorInline(admin.TabularInline):
    """The plan's sectors."""

    model = PlanSector
    extra = 0
    autocomplete_fields = ["sector"]
    show_change_link = True


class ChapterInline(admin.TabularInline):
    """The plan's chapters, whose country is settled when they are made."""

    model = Chapter
    extra = 0
    autocomplete_fields = ["country"]
    show_change_link = True


class StepInline(admin.TabularInline):
    """What happened to the version; append-only."""

    model = PlanVersionStep
    extra = 0
    fields = readonly_fields = ["transition", "source", "target", "user", "comment", "made_at"]

    def get_queryset(self, request: HttpRequest) -> models.QuerySet:
        """The steps with who made them."""
        return super().get_queryset(request).select_related("user")

    def has_add_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        """Steps are made by the workflow."""
        return False

    has_change_permission = has_delete_permission = has_add_permission


@admin.register(Plan)
class PlanAdmin(PortalAdmin):
    """Plans."""

    list_display = ["code", "name", "type", "starts_on", "ends_on", "fts_id", "published_on", "is_demonstration"]
    list_display_links = ["code", "name"]
    list_filter = ["type", "is_emergency", ("published_on", admin.EmptyFieldListFilter), "starts_on"]
    search_fields = ["code", "name", "=fts_id", "fts_code"]
    ordering = ["-starts_on", "name", "id"]
    autocomplete_fields = ["situation", "lead_organisations", "populations", "related_plans"]
    readonly_fields = ["changes"]
    inlines = [PlanSectorInline, ChapterInline]


@admin.register(PlanVersion)
class PlanVersionAdmin(PortalAdmin):
    """Versions of plans; an approved one cannot change."""

    list_display = ["plan", "label", "scope", "status", "approved_on", "people_in_need", "people_targeted"]
    list_display_links = ["plan", "label"]
    list_filter = ["status", "scope", "approved_on"]
    list_select_related = ["plan"]
    search_fields = ["plan__code", "plan__name"]
    ordering = ["-id"]
    autocomplete_fields = ["plan"]
    inlines = [StepInline]

    def get_readonly_fields(self, request: HttpRequest, obj: PlanVersion | None = None) -> list[str]:
        """A version stays with its plan; its status is the workflow's."""
        return ["status", "created_at", "changes"] + (["plan"] if obj else [])


@admin.register(Chapter)
class ChapterAdmin(PortalAdmin):
    """Chapters of plans."""

    list_display = ["plan", "country", "title", "position", "overlap_with_hrp_usd"]
    list_display_links = ["plan", "country"]
    list_filter = ["country__bureau"]
    list_select_related = ["plan", "country"]
    search_fields = ["plan__code", "plan__name", "country__name", "title"]
    ordering = ["-plan_id", "position", "id"]
    autocomplete_fields = ["plan", "country"]

    def get_queryset(self, request: HttpRequest) -> models.QuerySet:
        """With the country, which is the chapter's name."""
        return super().get_queryset(request).select_related("plan", "country")

    def get_readonly_fields(self, request: HttpRequest, obj: Chapter | None = None) -> list[str]:
        """A chapter stays with its plan and its country."""
        return ["changes"] + (["plan", "country"] if obj else [])


@admin.register(PlanSector)
class PlanSectorAdmin(PortalAdmin):
    """Sectors of plans."""

    list_display = ["name", "plan", "sector", "fts_id", "position"]
    list_filter = ["sector"]
    list_select_related = ["plan", "sector"]
    search_fields = ["name", "plan__code", "plan__name", "=fts_id"]
    ordering = ["-plan_id", "position", "id"]
    autocomplete_fields = ["plan", "sector"]

    def get_readonly_fields(self, request: HttpRequest, obj: PlanSector | None = None) -> list[str]:
        """A sector stays with its plan."""
        return ["plan"] if obj else []


@admin.register(Requirement)
class RequirementAdmin(PortalAdmin):
    """Requirement lines; those of approved versions cannot change."""

    list_display = ["version", "chapter", "sector", "partner", "year", "amount_usd", "status"]
    list_display_links = ["version", "chapter"]
    list_filter = ["version__status", "status", "source", "year", "population_group"]
    list_select_related = ["version__plan", "chapter__country", "sector", "partner"]
    search_fields = ["version__plan__code", "partner__name", "partner__acronym", "activity"]
    ordering = ["-id"]
    autocomplete_fields = ["version", "chapter", "sector", "subsector", "partner", "population_group"]
    readonly_fields = ["amount_usd", "status", "source", "created_at", "changed_at", "changes"]
