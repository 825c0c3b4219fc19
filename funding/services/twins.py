"""Suspected twins: the same flow entered twice, by hand, by import or by both (BR-25). Shown, confirmed, never summed unnoticed."""

from collections.abc import Collection
from datetime import timedelta
from typing import Any

from django.apps import apps
from django.core.exceptions import NON_FIELD_ERRORS
from django.db.models import (
    DateTimeField,
    DurationField,
    Exists,
    ExpressionWrapper,
    Min,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
)
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from funding.models import Flow, FlowLine
from funding.services.guards import Confirm
from funding.services.refusals import Refusals

TWIN_DAYS = 30
RECENT = timedelta(days=180)
NEWEST = 500


def twins_of(flow: Flow) -> QuerySet[Flow]:
    """Flows that may be this one entered before: same donor, recipient and reference, or amount and month (BR-25)."""
    if not (flow.donor_id and flow.recipient_id) or flow.amount_usd is None:
        return Flow.objects.none()
    day = flow.decided_on or flow.flow_on or timezone.localdate()
    same_money = Q(amount_usd=flow.amount_usd) | Q(original_amount=flow.original_amount, currency=flow.currency_id)
    alike = same_money & Q(flow_on__range=(day - timedelta(TWIN_DAYS), day + timedelta(TWIN_DAYS)))
    if flow.reference.strip():
        alike |= Q(reference__iexact=flow.reference.strip())
    others = Flow.objects.filter(alike, donor=flow.donor_id, recipient=flow.recipient_id)
    chain = [pk for pk in (flow.pk, flow.corrects_id, flow.parent_id) if pk]
    return others.exclude(Q(pk__in=chain) | Q(status=Flow.Status.CANCELLED) | Q(type=Flow.Type.REVERSAL)).order_by(
        "-flow_on", "-pk"
    )


TWIN_KEYS = ("donor_id", "recipient_id", "reference", "original_amount", "currency_id", "decided_on")


def check_twins(flow: Flow, was: Flow | None, user: Any, confirmed: Collection[str], refusals: Refusals) -> None:
    """Show suspected twins; they are accepted only when somebody confirms with a reason that it is another flow."""
    if flow.type == Flow.Type.REVERSAL or (
        was is not None and all(getattr(flow, key) == getattr(was, key) for key in TWIN_KEYS)
    ):
        return
    twins = twins_of(flow)
    if not twins.exists():
        return
    if Confirm.TWIN in confirmed:
        if not flow.reason.strip():
            refusals.add("reason", _("Say why this is not the same flow entered again."), "reason_required")
        return
    shown = twins if user is None else twins.filter(pk__in=Flow.objects.visible_to(user).values("pk"))
    numbers = list(shown.values_list("pk", flat=True)[:5])
    refusals.add(
        NON_FIELD_ERRORS,
        _("This flow may already be recorded: the donor and the recipient are the same, and so is the reference or the amount. "
          "Open the suspected twin and change it, or confirm that this is another flow and say why."),
        Confirm.TWIN,
        flows=numbers,
    )  # fmt: skip


def suspected_twins(plans: QuerySet, *, limit: int = 20) -> list[Flow]:
    """Flows entered here for these plans in the last half year that may be another flow too, and nobody has said why not.

    Each has `twin`, the number of the other flow. A reason given after the twin came in says why not. Looks at the newest `NEWEST`
    flows only, so that its cost does not grow with the table. One query.
    """
    entered = (
        Flow.objects.filter(Exists(FlowLine.objects.filter(flow=OuterRef("pk"), plan__in=plans)))
        .filter(recorded_at__gte=timezone.now() - RECENT, donor__isnull=False, recipient__isnull=False)
        .exclude(Q(channel=Flow.Channel.FTS) | Q(status=Flow.Status.CANCELLED) | Q(type=Flow.Type.REVERSAL))
        .order_by("-recorded_at", "-pk")[:NEWEST]
    )
    events = apps.get_model("funding", "FlowEvent").objects.filter(pgh_obj=OuterRef("pk"), reason=OuterRef("reason"))
    first_said = events.exclude(reason="").order_by().values("pgh_obj").annotate(at=Min("pgh_created_at")).values("at")
    beginning = timezone.now() - timedelta(days=36500)
    near = timedelta(days=TWIN_DAYS)
    days = (_day("flow_on", -near), _day("flow_on", near))
    by_money = _others().filter(amount_usd=OuterRef("amount_usd"), flow_on__range=days)
    by_reference = _others().filter(reference=OuterRef("reference")).exclude(reference="")
    return list(
        Flow.objects.filter(pk__in=entered.values("pk"))
        .annotate(reasoned_at=Coalesce(Subquery(first_said), Value(beginning), output_field=DateTimeField()))
        .annotate(twin=Coalesce(Subquery(by_money.values("pk")[:1]), Subquery(by_reference.values("pk")[:1])))
        .filter(twin__isnull=False)
        .select_related("donor", "recipient")
        .order_by("-recorded_at", "-pk")[:limit]
    )


def _others() -> QuerySet[Flow]:
    """Other standing flows between the same two organisations that came in since somebody gave a reason."""
    others = Flow.objects.filter(
        donor=OuterRef("donor"), recipient=OuterRef("recipient"), recorded_at__gt=OuterRef("reasoned_at")
    )
    family = Q(pk=OuterRef("pk")) | Q(pk=Coalesce(OuterRef("parent"), 0)) | Q(parent=OuterRef("pk"))
    return others.exclude(family | Q(status=Flow.Status.CANCELLED) | Q(type=Flow.Type.REVERSAL)).order_by("pk")


def _day(name: str, shift: timedelta) -> ExpressionWrapper:
    moved = OuterRef(name) + Value(shift, output_field=DurationField())
    return ExpressionWrapper(moved, output_field=DateTimeField())
