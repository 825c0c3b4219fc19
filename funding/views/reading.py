"""Reading flows: the list with its filters and its CSV, and one flow with everything that is known of it."""

from collections.abc import Iterator

from django.contrib.auth.decorators import login_not_required
from django.db.models import BooleanField, ExpressionWrapper, Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from funding import history, rollups
from funding.filters import FlowPageFilter, known_donors
from funding.models import Flow, FlowLine
from funding.paging import Window
from funding.services import notes_on
from funding.views.rows import Rows, read
from funding.views_public.files import csv_answer
from planning.models import Plan
from rrp_portal.reference.roles import Permission

COLUMNS = (
    "flow", "fts_id", "date", "decision_date", "first_reported_on", "donor", "recipient", "status", "flow_type", "contribution_type",
    "method", "new_money", "earmarking", "amount_usd", "original_amount", "original_currency", "units_per_usd", "rate_source", "rate_date",
    "line_amount_usd", "plan", "usage_year", "place", "country", "sectors", "sector", "parent_flow", "corrects_flow",
    "out_of_plan", "reference", "description",
)  # fmt: skip


def flows_for(user):
    """The flows that the person may see, with `is_donor_known`: whether they may also learn who gave."""
    known = ExpressionWrapper(known_donors(user), output_field=BooleanField())
    return Flow.objects.visible_to(user).annotate(is_donor_known=known)


def with_lines(flows):
    """The flows with donor, recipient and lines, in two queries."""
    lines = FlowLine.objects.select_related("plan", "country", "sector__sector").order_by("-amount_usd", "pk")
    return flows.select_related("donor", "recipient").prefetch_related(Prefetch("lines", lines))


def tracks(user) -> bool:
    """Whether the person may record flows for some plan."""
    return user.is_authenticated and Plan.objects.within(user, Permission.TRACK_FUNDING).exists()


@login_not_required
@require_safe
def flow_list(request: HttpRequest) -> HttpResponse:
    """The flows that the reader may see, newest first, with filters and order in the address."""
    chosen = FlowPageFilter(request.GET, queryset=flows_for(request.user), request=request)
    valid = chosen.is_valid()
    page = Window(read(chosen.qs) if valid else Flow.objects.none(), request.GET.get("page"))
    context = {
        "filter": chosen,
        "page": page,
        "rows": Rows().of(page),
        "as_of": timezone.localdate(),
        "may_record": tracks(request.user),
    }
    return render(request, "funding/flow_list.html", context, status=200 if valid else 422)


@login_not_required
@require_safe
def flow_table(request: HttpRequest) -> HttpResponse:
    """The same flows as a CSV file, one row per line of a flow, sent while it is read."""
    chosen = FlowPageFilter(request.GET, queryset=flows_for(request.user), request=request)
    if not chosen.is_valid():
        context = {
            "filter": chosen,
            "page": Window(Flow.objects.none(), None),
            "as_of": timezone.localdate(),
            "may_record": False,
        }
        return render(request, "funding/flow_list.html", context, status=422)
    flows = with_lines(chosen.qs).select_related("donor", "recipient", "source_plan")
    return csv_answer("flows", COLUMNS, _rows(flows.iterator(chunk_size=1000)), stream=True)


def _rows(flows) -> Iterator[list]:
    for flow in flows:
        donor = flow.donor if flow.is_donor_known else None
        head = [
            flow.pk, flow.fts_id, flow.flow_on, flow.decided_on, flow.first_reported_on, donor.name if donor else _("Not specified"),
            flow.recipient.name if flow.recipient else _("Not specified"), flow.status, flow.type, flow.contribution_type, flow.method,
            flow.is_new_money, flow.earmarking, flow.amount_usd, flow.original_amount, flow.currency_id,
            None if flow.units_per_usd is None else f"{flow.units_per_usd.normalize():f}", flow.rate_source, flow.rate_on,
        ]  # fmt: skip
        tail = [
            flow.parent_id,
            flow.corrects_id,
            flow.source_plan.code if flow.source_plan else None,
            flow.reference,
            flow.description,
        ]
        for line in list(flow.lines.all()) or [None]:
            yield [*head, *_cells(line), *tail]


def _cells(line: FlowLine | None) -> list:
    if line is None:
        return [None] * 7
    plan, sector = line.plan.code if line.plan else None, line.sector.name if line.sector else None
    return [line.amount_usd, plan, line.year, line.place, line.country_id, line.split, sector]


@login_not_required
@require_safe
def flow_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One flow: every field in words, its lines and why each counts or not, its family, and its history."""
    related = ("donor", "recipient", "currency", "source_plan", "source_country", "source_sector__sector", "corrects")
    flow = get_object_or_404(flows_for(request.user).select_related(*related), pk=pk)
    lines = list(
        flow.lines.select_related("plan", "country", "sector__sector", "global_sector").order_by(
            "plan", "year", "-amount_usd", "pk"
        )
    )
    kinds = rollups.classes_of(flow)
    for line in lines:
        line.counts, line.why = _why(flow, line, kinds.get(line.pk))
    family = list(
        flows_for(request.user)
        .filter(pk__in=_family(flow))
        .select_related("donor", "recipient")
        .order_by("-flow_on", "-pk")[:200]
    )
    context = {
        "flow": flow,
        "lines": lines,
        "notes": notes_on(flow, lines, names_donor=flow.is_donor_known),
        "left": rollups.unallocated(flow, lines),
        "parent": next((other for other in family if other.pk == flow.parent_id), None),
        "corrected": next((other for other in family if other.pk == flow.corrects_id), None),
        "children": [other for other in family if other.parent_id == flow.pk],
        "corrections": [other for other in family if other.corrects_id == flow.pk],
        "versions": history.versions_of(flow, request.user, with_donor=flow.is_donor_known),
        "may_edit": _may_edit(flow, request.user),
        "as_of": timezone.localdate(),
    }
    return render(request, "funding/flow_detail.html", context)


def _family(flow: Flow):
    """The ids of the flows that this one is part of, corrects, or that are part of it or correct it."""
    below = Flow.objects.filter(parent=flow).values("pk").union(Flow.objects.filter(corrects=flow).values("pk"))
    return [row["pk"] for row in below] + [pk for pk in (flow.parent_id, flow.corrects_id) if pk]


def _may_edit(flow: Flow, user) -> bool:
    return flow.channel != Flow.Channel.FTS and Flow.objects.editable_by(user).filter(pk=flow.pk).exists()


def _why(flow: Flow, line: FlowLine, kind: str | None) -> tuple[bool, str]:
    """Whether the line counts as funding of its plan-year, and the sentence that says why."""
    if line.plan_id is None:
        return False, _("It names no plan, so that it counts for none.")
    if kind is None:
        return False, str(rollups.REASONS["years_shared"])
    return kind == "incoming", str(rollups.REASONS[kind])
