"""Flows over REST."""

from django.db.models import BooleanField, ExpressionWrapper, Prefetch, Q

from funding.filters import FlowFilter
from funding.models import Flow, FlowLine
from funding.serializers import FlowSerializer
from rrp_portal.api.resources import Reading


def with_donors_known_to(flows, user):
    """The flows with `is_donor_known`: whether the reader may learn who gave; a donor's wish to stay anonymous is kept."""
    known = Q(is_donor_anonymous=False)
    if user.is_authenticated:
        known |= Q(pk__in=Flow.objects.editable_by(user).values("pk"))
    return flows.annotate(is_donor_known=ExpressionWrapper(known, output_field=BooleanField()))


class FlowResource(Reading):
    """Flows of money with their lines, in the order in which they were recorded, newest first."""

    serializer_class = FlowSerializer
    queryset = Flow.objects.none()
    filterset_class = FlowFilter
    ordering = ("-pk",)
    file_name = "flows"

    def get_queryset(self):
        """Visible flows with everything that is shown, in two queries."""
        lines = FlowLine.objects.select_related("plan", "country", "sector__sector", "global_sector").order_by("pk")
        flows = Flow.objects.visible_to(self.request.user).select_related("donor", "recipient", "source_plan")
        return with_donors_known_to(flows, self.request.user).prefetch_related(Prefetch("lines", lines))
