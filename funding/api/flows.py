"""Flows over REST: read with their lines, written through the services that the form uses."""

from collections.abc import Callable
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import BooleanField, ExpressionWrapper, Prefetch, Q, QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.decorators import action

from funding import services
from funding.api.fts import COLUMNS, rows_of
from funding.api.listed import listed, read
from funding.api.written import FlowWritten, ReversalWritten, beside_fields, refuse_unwritable_lines
from funding.filters import FlowFilter
from funding.models import Flow, FlowLine
from funding.serializers import FlowDetailSerializer, FlowSerializer
from rrp_portal.access import save_within_reach
from rrp_portal.api.resources import Writing
from rrp_portal.api.written import refuse_unwritable


def with_donors_known_to(flows, user):
    """The flows with `is_donor_known`: whether the reader may learn who gave; a donor's wish to stay anonymous is kept."""
    known = Q(is_donor_anonymous=False)
    if user.is_authenticated:
        known |= Q(pk__in=Flow.objects.editable_by(user).values("pk"))
    return flows.annotate(is_donor_known=ExpressionWrapper(known, output_field=BooleanField()))


@extend_schema_view(
    create=extend_schema(request=FlowWritten, responses={201: FlowDetailSerializer}),
    partial_update=extend_schema(request=FlowWritten, responses=FlowDetailSerializer),
    retrieve=extend_schema(responses=FlowDetailSerializer),
)
class FlowResource(Writing):
    """Flows of money with their lines, newest first. As CSV, the columns of OCHA FTS, one row per line.

    A flow changes status and keeps its history: it is never deleted. Send its ETag as If-Match to be told when it has changed meanwhile.
    """

    serializer_class = FlowSerializer
    queryset = Flow.objects.none()
    filterset_class = FlowFilter
    http_method_names = ["get", "post", "patch", "head", "options"]
    ordering = ("-pk",)
    file_name = "flows"

    def get_queryset(self):
        """Visible flows; one flow with everything that is shown, in two queries. Lists read plain columns of their own."""
        if self.action == "list":
            return with_donors_known_to(Flow.objects.visible_to(self.request.user), self.request.user)
        lines = FlowLine.objects.select_related("plan", "country", "sector__sector", "global_sector").order_by("pk")
        flows = Flow.objects.visible_to(self.request.user)
        flows = flows.select_related("donor__type", "recipient__type", "source_plan", "source_country")
        return with_donors_known_to(flows, self.request.user).prefetch_related(Prefetch("lines", lines))

    def get_serializer_class(self):
        """One flow also says what a person should know about it."""
        return FlowSerializer if self.action == "list" else FlowDetailSerializer

    def page_of(self, rows):
        """The flows of the page as one flow is shown, without its notes."""
        return listed(self.paginate_queryset(read(rows)))

    def csv_columns(self):
        """The columns of OCHA FTS."""
        return list(COLUMNS)

    def csv_rows(self, rows):
        """One row per line of each flow."""
        flows = rows if isinstance(rows, QuerySet) else self.get_queryset().filter(pk__in=[flow.pk for flow in rows])
        return rows_of(flows)

    def state_of(self, flow):
        """The numbers of the latest history rows of the flow and its lines."""
        return services.flow_version(flow)

    def create(self, request, *args, **kwargs):
        """Record a flow with its lines."""
        said = self._said(FlowWritten)
        return self._save(
            lambda: services.record_flow(user=request.user, channel=Flow.Channel.API, **{"lines": []} | said), 201
        )

    def partial_update(self, request, *args, **kwargs):
        """Change what the body names; lines that are sent replace all lines of the flow."""
        with transaction.atomic():
            flow = self.locked()
            said = self._said(FlowWritten, self.get_object())
            return self._save(lambda: services.change_flow(flow, user=request.user, **said))

    @extend_schema(request=ReversalWritten, responses={201: FlowDetailSerializer})
    @action(detail=True, methods=["post"])
    def reverse(self, request, pk=None):
        """Record that part of the flow, or all of it, was taken back: a negative flow that cites it."""
        with transaction.atomic():
            flow = self.locked()
            said = self._said(ReversalWritten)
            return self._save(lambda: services.reverse_flow(flow, user=request.user, **said), 201)

    def _said(self, serializer_class, flow: Flow | None = None) -> dict[str, Any]:
        serializer = serializer_class(
            data=self.request.data, partial=flow is not None, context=self.get_serializer_context()
        )
        shown = None if flow is None else FlowDetailSerializer(flow).data
        known = {*serializer.fields, *FlowDetailSerializer().fields}
        refuse_unwritable(self.request.data, writable=serializer.fields, shown=shown, known=known)
        refuse_unwritable_lines(self.request.data.get("lines"), shown["lines"] if shown else [])
        serializer.is_valid(raise_exception=True)
        return serializer.said() if hasattr(serializer, "said") else serializer.validated_data

    def _save(self, write: Callable[[], Flow], status: int = 200):
        try:
            with transaction.atomic():
                flow = save_within_reach(write, self.request.user)
                return self.answer(flow.pk, status)
        except ValidationError as error:
            raise beside_fields(error) from error
