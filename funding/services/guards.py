"""What is refused when a flow is recorded or changed, each refusal a sentence that says what to do."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from funding import rollups
from funding.models import Flow, FlowLine
from funding.services.refusals import Refusals

ORDER = {Flow.Status.PLEDGE: 0, Flow.Status.COMMITMENT: 1, Flow.Status.PAID: 2, Flow.Status.CANCELLED: -1}


class Confirm(StrEnum):
    """What a person may confirm after having been asked."""

    PASS_THROUGH = "pass_through"  # noqa: S105 (not a password)
    TWIN = "twin"


def check_basics(flow: Flow, refusals: Refusals) -> None:
    """A counted flow names who gave, who received and when it was decided; goods say how they were valued (BR-14)."""
    if flow.status in {Flow.Status.COMMITMENT, Flow.Status.PAID}:
        if flow.donor is None:
            refusals.add(
                "donor",
                _("Name the donor. If the donor wishes to stay anonymous, say so below; the name is then not shown."),
                "required",
            )
        if flow.recipient is None:
            refusals.add("recipient", _("Name who received the money."), "required")
        if flow.decided_on is None:
            refusals.add("decided_on", _("Give the day on which the donor decided."), "required")
    if flow.decided_on and flow.decided_on > timezone.localdate():
        refusals.add(
            "decided_on",
            _("The decision date lies in the future. Record the flow when the donor has decided."),
            "future",
        )
    if flow.contribution_type != Flow.ContributionType.FINANCIAL and not flow.valuation_basis.strip():
        refusals.add("valuation_basis", _("Say how the contribution in kind was valued."), "required")
    if flow.amount_usd is not None and flow.amount_usd < 0 and flow.type != Flow.Type.REVERSAL:
        refusals.add(
            "original_amount",
            _("A negative amount is a reversal. Open the flow that it corrects and choose “Record a reversal”."),
            "negative",
        )


def check_status(flow: Flow, was: Flow, refusals: Refusals) -> None:
    """A status goes from pledge to commitment to paid; going back, or cancelling, needs a new reason (BR-06)."""
    if flow.status == was.status:
        return
    back = ORDER[Flow.Status(flow.status)] < ORDER[Flow.Status(was.status)] or was.status == Flow.Status.CANCELLED
    if back and (not flow.reason.strip() or flow.reason == was.reason):
        refusals.add(
            "reason",
            _("The status goes from “%(before)s” to “%(after)s”. Say why."),
            "reason_required",
            before=was.get_status_display(),
            after=flow.get_status_display(),
        )


def check_parent(flow: Flow, user: Any, refusals: Refusals) -> None:
    """The parent is a flow that the person sees, that went to this donor, and that is not part of this flow itself."""
    parent = flow.parent
    if parent is None:
        return
    if user is not None and not Flow.objects.visible_to(user).filter(pk=parent.pk).exists():
        refusals.add("parent", _("There is no such flow. Copy its number from its page."), "does_not_exist")
        return
    parked_here = parent.type == Flow.Type.PARKED and parent.donor_id == flow.donor_id
    if parent.recipient_id != flow.donor_id and not parked_here:
        refusals.add(
            "parent",
            _("The parent flow did not go to this donor. Choose the flow that this money was part of."),
            "other_recipient",
        )
    seen = {flow.pk}
    above: Flow | None = parent
    while above is not None:
        if above.pk in seen:
            refusals.add("parent", _("A flow cannot be part of itself."), "circle")
            return
        seen.add(above.pk)
        above = above.parent


def check_type(flow: Flow, lines: Sequence[FlowLine], was: Flow | None, refusals: Refusals) -> None:
    """Set what follows from the type: parked flows name no single year (BR-12), and only new money is new (BR-13)."""
    years = [line for line in lines if line.year is not None]
    unsplit = bool(lines) and not years and any(line.named_years for line in lines)
    if flow.type == Flow.Type.STANDARD and unsplit:
        flow.type = Flow.Type.PARKED
    elif flow.type == Flow.Type.PARKED and years:
        if was is not None and was.type == Flow.Type.PARKED and not was.children.exists():
            flow.type = Flow.Type.STANDARD
        else:
            refusals.add("type", _("A parked flow is not counted, so that its lines name no single year. "
                                   "Name the years between which it is not yet split, or choose another flow type."), "parked")  # fmt: skip
    turned = was is not None and (was.type == Flow.Type.REVERSAL) != (flow.type == Flow.Type.REVERSAL)
    if turned or (flow.type == Flow.Type.REVERSAL and not flow.corrects_id):
        refusals.add(
            "type",
            _("A reversal is a flow of its own. Open the flow that it corrects and choose “Record a reversal”."),
            "uncited",
        )
    if flow.type in {Flow.Type.CARRY_OVER, Flow.Type.UNEARMARKED_ALLOCATION} or (
        flow.donor and flow.donor.type_id == "pooled_fund"
    ):
        flow.is_new_money = False


def check_carry_over(flow: Flow, lines: Sequence[FlowLine], refusals: Refusals) -> None:
    """One opening balance per organisation, plan, year, country and sector (BR-13)."""
    if flow.type != Flow.Type.CARRY_OVER or flow.recipient is None:
        return
    for line in lines:
        if line.plan_id and line.year and (
            FlowLine.objects.filter(plan=line.plan_id, year=line.year, place=line.place, country=line.country_id,
                                    split=line.split, sector=line.sector_id)
            .filter(flow__type=Flow.Type.CARRY_OVER, flow__recipient=flow.recipient)
            .exclude(Q(flow__status=Flow.Status.CANCELLED) | Q(flow=flow.pk))
            .exists()
        ):  # fmt: skip
            refusals.add("type", _("%(recipient)s already has a carry-over here. Change that one instead."), "second_carry_over",
                         recipient=flow.recipient)  # fmt: skip
            return


def check_chain(flow: Flow, refusals: Refusals) -> None:
    """A flow and its reversals never go below zero together (BR-17)."""
    root, without = (flow.corrects, flow.pk) if flow.corrects_id else (flow, None)
    if (
        root is None
        or flow.amount_usd is None
        or flow.status == Flow.Status.CANCELLED
        or (root is flow and not flow.pk)
    ):
        return
    left = rollups.standing(root, without=without).usd
    if root is flow and left < 0:
        refusals.add(
            "original_amount",
            _("The reversals of this flow take back %(taken)s US dollars. Its amount cannot be less than that."),
            "chain_below_zero",
            taken=flow.amount_usd - left,
        )
    elif root is not flow and left + flow.amount_usd < 0:
        refusals.add(
            "original_amount",
            _("The reversals would take back more than the flow. At most %(left)s US dollars are left of it."),
            "chain_below_zero",
            left=left,
        )
