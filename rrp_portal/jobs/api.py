"""The reader's own jobs over REST."""

import django_filters as filters
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.permissions import IsAuthenticated

from rrp_portal.api.resources import Reading
from rrp_portal.jobs.models import Job


class JobSerializer(serializers.ModelSerializer):
    """A long task: how far it is, what came of it, what it could not do."""

    percent = serializers.IntegerField(allow_null=True, read_only=True)

    class Meta:
        model = Job
        fields = [
            "id",
            "kind",
            "title",
            "state",
            "percent",
            "done",
            "total",
            "step",
            "result",
            "error",
            "created_at",
            "started_at",
            "finished_at",
        ]


class JobFilter(filters.FilterSet):
    """Jobs by kind and state."""

    kind = filters.CharFilter(label=_("Kind"))
    state = filters.ChoiceFilter(choices=Job.State.choices, label=_("State"))


class JobResource(Reading):
    """The reader's own jobs, newest first."""

    serializer_class = JobSerializer
    queryset = Job.objects.none()
    permission_classes = [IsAuthenticated]
    filterset_class = JobFilter
    ordering = ("-pk",)
    file_name = "jobs"

    def get_queryset(self):
        """The reader's jobs; an administrator's view holds all."""
        return Job.objects.visible_to(self.request.user)
