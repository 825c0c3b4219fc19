"""Recording and changing a flow with its lines, in one transaction."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import pghistory
from django.apps import apps
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from funding.models import Flow, FlowLine
from funding.services import boundary, guards, twins
from funding.services.guards import Confirm
from funding.services.lines import VALUES, check_sum, read_lines, replace_lines
from funding.services.money import freeze
from funding.services.refusals import Refusals
from rrp_portal.reference.models import Organisation

Lines = Sequence[Mapping[str, Any]]

FIELDS = frozenset(
    {"reference", "description", "status", "type", "contribution_type", "method", "is_new_money", "earmarking", "earmarking_modality",
     "original_amount", "currency", "units_per_usd", "rate_source", "valuation_basis", "budget_year", "decided_on", "first_reported_on",
     "donor", "is_donor_anonymous", "recipient", "parent", "reason", "keywords", "project_name", "project_code"}
)  # fmt: skip
"""What a person says about a flow. Everything else follows: US dollars, the date of the rate, the boundary, the channel."""

MONEY = ("original_amount", "currency_id", "units_per_usd", "rate_source")
FTS_KEEPS_IT = _(
    "This flow is kept by OCHA FTS, and the next import would undo the change. Ask FTS to correct it, and import again."
)
CHANGED_MEANWHILE = _(
    "Somebody changed this flow while you were writing. Compare both below, then save again; nothing is lost."
)


def flow_version(flow: Flow) -> str:
    """A token that differs after every change of the flow or its lines, by whatever way it was made."""
    flow_event, line_event = apps.get_model("funding", "FlowEvent"), apps.get_model("funding", "FlowLineEvent")
    newest = flow_event.objects.filter(pgh_obj=flow.pk).aggregate(at=Max("pgh_id"))["at"]
    lines = line_event.objects.filter(flow=flow.pk).aggregate(at=Max("pgh_id"))["at"]
    return f"{newest or 0}-{lines or 0}"


def record_flow(
    *,
    user: Any,
    lines: Lines,
    confirmed: Collection[str] = (Confirm.PASS_THROUGH,),
    channel: str = Flow.Channel.FORM,
    **data: Any,
) -> Flow:
    """Record a flow with its lines and return it; its type may have become pass-through or parked, which `notes_on` says.

    `data` holds any of FIELDS, `lines` mappings with any of LINE_FIELDS; `original_amount` is in `currency`, lines are in it too
    (`amount`) or in US dollars (`amount_usd`). `confirmed` says what the person was asked and confirmed: a pass-through, a twin (with
    a `reason`). Raises ValidationError with the fields' names, lines as `lines-0-year`. Sources: BR-01, BR-06 to BR-17, BR-25.
    """
    flow = Flow(channel=channel, status=Flow.Status.PLEDGE)
    with transaction.atomic(), written_by(user):
        return _save(flow, None, data, lines, user, confirmed)


def change_flow(
    flow: Flow, *, user: Any, lines: Lines | None = None, version: str = "", confirmed: Collection[str] = (Confirm.PASS_THROUGH,),
    **data: Any,
) -> Flow:  # fmt: skip
    """Change what `data` and `lines` name and return the fresh flow; `lines` None keeps them, and what is frozen stays frozen.

    The US dollars are computed anew only where the amount, the currency or the rate changes (an empty rate is looked up). `version` is
    the token of `flow_version` that the person started from; raises ValidationError with the code `stale` when it is no longer true.
    """
    with transaction.atomic(), written_by(user):
        flow = (
            Flow.objects.select_for_update(of=("self",))
            .select_related("donor__type", "recipient", "parent")
            .get(pk=flow.pk)
        )
        if flow.channel == Flow.Channel.FTS:
            raise ValidationError({NON_FIELD_ERRORS: ValidationError(FTS_KEEPS_IT, code="kept_by_fts")})
        if version and version != flow_version(flow):
            raise ValidationError({NON_FIELD_ERRORS: ValidationError(CHANGED_MEANWHILE, code="stale")})
        was = Flow.objects.get(pk=flow.pk)
        return _save(flow, was, data, lines, user, confirmed)


def written_by(user: Any) -> Any:
    """Names the person in the history of every row written inside, also where no web request does."""
    return pghistory.context(user=user.pk if user else None)


def _save(
    flow: Flow, was: Flow | None, data: Mapping[str, Any], lines: Lines | None, user: Any, confirmed: Collection[str]
) -> Flow:
    refusals = Refusals()
    _assign(flow, data)
    _follow_merges(flow)
    flow.flow_on = flow.decided_on or (was.flow_on if was else None) or timezone.localdate()
    flow.first_reported_on = flow.first_reported_on or timezone.localdate()
    _lock_recipient(flow)
    if was is None or any(getattr(flow, key) != getattr(was, key) for key in MONEY):
        _thaw(flow, was)
        freeze(flow, refusals)
    typed = _stored_lines(flow) if lines is None else lines
    new_lines = read_lines(flow, typed, refusals)
    if not any(line.plan_id for line in new_lines):
        refusals.add(NON_FIELD_ERRORS, _("Name the plan that the money is for in at least one line."), "required")
    check_sum(flow, new_lines, refusals)
    _guard(flow, was, new_lines, user, confirmed, refusals)
    refusals.check()
    replace_lines(flow, new_lines, typed)
    if was is not None and flow.status != was.status:
        _follow_status(flow)
    return Flow.objects.get(pk=flow.pk)


def _guard(
    flow: Flow, was: Flow | None, lines: Sequence[FlowLine], user: Any, confirmed: Collection[str], refusals: Refusals
) -> None:
    guards.check_basics(flow, refusals)
    if was is not None:
        guards.check_status(flow, was, refusals)
    guards.check_parent(flow, user, refusals)
    guards.check_type(flow, lines, was, refusals)
    asked_for = flow.type
    bound = boundary.Boundary.of(flow, lines)
    boundary.settle(flow, lines, bound, refusals)
    if flow.type == Flow.Type.PASS_THROUGH != asked_for and Confirm.PASS_THROUGH not in confirmed:
        refusals.add("donor", boundary.PASSED_ON, Confirm.PASS_THROUGH, donor=flow.donor)
    guards.check_carry_over(flow, lines, refusals)
    guards.check_chain(flow, refusals)
    try:
        flow.full_clean(exclude=set(refusals.errors) | ({"amount_usd"} if flow.amount_usd is None else set()))
    except ValidationError as error:
        _take_new(error, refusals)
    if not refusals.errors:
        twins.check_twins(flow, was, user, confirmed, refusals)


def _take_new(error: ValidationError, refusals: Refusals) -> None:
    """What the model refuses beyond the guards: a row rule repeats what a field was already told."""
    found = dict(error.error_dict)
    if refusals.errors:
        found.pop(NON_FIELD_ERRORS, None)
    if found:
        refusals.take(ValidationError(found))


def _assign(flow: Flow, data: Mapping[str, Any]) -> None:
    if unknown := set(data) - FIELDS:
        raise TypeError(f"A flow has no {', '.join(sorted(unknown))} to be given.")
    for name, value in data.items():
        if name == "currency" and isinstance(value, str):
            flow.currency_id = value or None
        else:
            setattr(flow, name, value)


def _follow_merges(flow: Flow) -> None:
    for name in ("donor", "recipient"):
        organisation = getattr(flow, name)
        if organisation is not None and organisation.merged_into_id:
            setattr(flow, name, organisation.merged_into)


def _lock_recipient(flow: Flow) -> None:
    """Two people entering the same flow at the same moment come one after the other, so that the second is shown the first."""
    if flow.recipient_id:
        Organisation.objects.select_for_update(no_key=True, of=("self",)).filter(pk=flow.recipient_id).first()


def _thaw(flow: Flow, was: Flow | None) -> None:
    """Forget the date of the old rate; another currency does not keep the rate of the one before."""
    flow.rate_on = None
    if was is not None and flow.currency_id != was.currency_id and flow.units_per_usd == was.units_per_usd:
        flow.units_per_usd, flow.rate_source = None, ""


def _stored_lines(flow: Flow) -> Lines:
    return [
        {"id": line.pk, **{name: getattr(line, name) for name in VALUES}}
        for line in flow.lines.select_related("plan", "sector")
    ]


def _follow_status(flow: Flow) -> None:
    """A reversal has the status of what it reverses, so that a cancelled flow leaves nothing negative behind."""
    for reversal in flow.corrections.select_for_update().exclude(status__in=[Flow.Status.CANCELLED, flow.status]):
        reversal.status = flow.status
        reversal.save()
