"""Reversing a flow, in whole or in part: a negative flow that cites what it corrects and gives its reason (BR-17)."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from funding import rollups
from funding.models import Flow
from funding.services import guards
from funding.services.lines import VALUES, check_sum, read_lines, replace_lines
from funding.services.money import to_usd
from funding.services.recording import FTS_KEEPS_IT, Lines, written_by
from funding.services.refusals import Refusals

SAME = ("reference", "status", "contribution_type", "method", "is_new_money", "earmarking", "earmarking_modality", "currency",
        "units_per_usd", "rate_source", "rate_on", "valuation_basis", "budget_year", "donor", "is_donor_anonymous", "recipient",
        "source_plan", "source_year", "source_place", "source_country", "source_split", "source_sector", "parent",
        "project_name", "project_code")  # fmt: skip


def reverse_flow(
    flow: Flow, *, user: Any, amount: Decimal, reason: str, lines: Lines | None = None, decided_on: date | None = None
) -> Flow:
    """Record that `amount` of the flow (in its original currency, positive) was taken back, and return the reversal.

    The rate is the flow's own, so that nothing is revalued. Without `lines` the whole amount is taken from the flow's only line; a flow
    with several lines needs `lines` (positive amounts) that say from which. Raises ValidationError by field.
    """
    with transaction.atomic(), written_by(user):
        root = Flow.objects.select_for_update(of=("self",)).get(pk=flow.pk)
        refusals = Refusals()
        _check_root(root, amount, reason, refusals)
        reversal = _reversal_of(root, amount, reason, decided_on)
        typed = _lines_back(root, refusals) if lines is None else [_negated(line) for line in lines]
        new_lines = read_lines(reversal, typed, refusals)
        check_sum(reversal, new_lines, refusals)
        guards.check_basics(reversal, refusals)
        try:
            reversal.full_clean(exclude=set(refusals.errors))
        except ValidationError as error:
            if not refusals.errors:
                refusals.take(error)
        refusals.check()
        replace_lines(reversal, new_lines, typed)
        return Flow.objects.get(pk=reversal.pk)


def _check_root(root: Flow, amount: Decimal, reason: str, refusals: Refusals) -> None:
    if root.channel == Flow.Channel.FTS:
        refusals.add(NON_FIELD_ERRORS, FTS_KEEPS_IT, "kept_by_fts")
    if root.type == Flow.Type.REVERSAL:
        refusals.add(
            NON_FIELD_ERRORS,
            _("A reversal is not reversed. Open the flow that it corrects, or cancel the reversal."),
            "reversal",
        )
    if root.status == Flow.Status.CANCELLED:
        refusals.add(NON_FIELD_ERRORS, _("The flow is cancelled: nothing of it is left to be reversed."), "cancelled")
    if not reason.strip():
        refusals.add("reason", _("Give the reason of the reversal."), "required")
    left = rollups.standing(root)
    limit = left.usd if left.original is None else left.original
    if amount <= 0:
        refusals.add("amount", _("Give the amount that was taken back, without a minus sign."), "required")
    elif amount > limit:
        refusals.add("amount", _("At most %(left)s %(currency)s are left of this flow."), "chain_below_zero",
                     left=limit, currency=root.currency_id or "USD")  # fmt: skip


def _reversal_of(root: Flow, amount: Decimal, reason: str, decided_on: date | None) -> Flow:
    """The negative flow; what takes back all that is left takes back its last cent in US dollars too."""
    left = rollups.standing(root)
    day = decided_on or timezone.localdate()
    reversal = Flow(
        type=Flow.Type.REVERSAL, corrects=root, reason=reason, decided_on=day, flow_on=day, first_reported_on=timezone.localdate(),
        channel=Flow.Channel.FORM, **{name: getattr(root, name) for name in SAME},
    )  # fmt: skip
    if root.original_amount is None or not root.units_per_usd:
        reversal.amount_usd, reversal.original_amount = -amount, None
        return reversal
    reversal.original_amount = -amount
    reversal.amount_usd = -left.usd if left.original == amount else -min(to_usd(amount, root.units_per_usd), left.usd)
    return reversal


def _lines_back(root: Flow, refusals: Refusals) -> Lines:
    """The flow's only line, to give back everything; a flow with several lines, or a part in none, needs to be told from which."""
    lines = list(root.lines.select_related("plan", "country", "sector"))
    if len(lines) != 1 or rollups.unallocated(root, lines):
        refusals.add(
            "amount",
            _(
                "This flow has several lines, or a part that is not yet allocated. Say from which lines the money was taken back."
            ),
            "lines_required",
        )
        return []
    return [{name: getattr(lines[0], name) for name in VALUES if name != "amount_usd"}]


def _negated(line: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: -value if name in {"amount", "amount_usd"} and value is not None else value
        for name, value in line.items()
    }
