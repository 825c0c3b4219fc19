"""Administration of jobs: looking only. Jobs are started and read on their own pages."""

from django.contrib import admin

from rrp_portal.jobs.models import Job
from rrp_portal.reference.admin.base import ReadOnlyAdmin


@admin.register(Job)
class JobAdmin(ReadOnlyAdmin):
    """Long tasks."""

    list_display = ["title", "kind", "owner", "state", "percent", "created_at", "finished_at"]
    list_filter = ["state", "kind", "created_at"]
    list_select_related = ["owner"]
    search_fields = ["title", "kind", "owner__email", "error"]
    ordering = ["-created_at", "-id"]
