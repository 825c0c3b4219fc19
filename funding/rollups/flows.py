"""Sums within one flow: what its lines leave unallocated, and what its reversals leave of it."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from django.db import connection
from django.db.models import Q, Sum

from funding.models import Flow, FlowLine
from funding.rollups.ledger import with_ledger
from funding.rollups.rows import ZERO


def lines_total(lines: Iterable[FlowLine]) -> Decimal:
    """What the lines add up to, USD."""
    return sum((line.amount_usd for line in lines), ZERO)


def unallocated(flow: Flow, lines: Iterable[FlowLine]) -> Decimal:
    """What no line of the flow says anything about yet, USD; counted nowhere until a line does (BR-10)."""
    return flow.amount_usd - lines_total(lines)


@dataclass(frozen=True, slots=True)
class Standing:
    """What is left of a flow after its reversals: USD, and the original currency where all are in the same one."""

    usd: Decimal
    original: Decimal | None


def standing(flow: Flow, *, without: int | None = None) -> Standing:
    """What is left of the flow after its standing reversals, `without` one of them by its id (BR-17)."""
    taken = (
        Flow.objects.filter(corrects=flow)
        .exclude(Q(status=Flow.Status.CANCELLED) | Q(pk=without))
        .aggregate(
            usd=Sum("amount_usd", default=ZERO),
            original=Sum("original_amount", default=ZERO, filter=Q(currency=flow.currency_id)),
        )
    )
    original = None if flow.original_amount is None else flow.original_amount + taken["original"]
    return Standing(usd=flow.amount_usd + taken["usd"], original=original)


_SCOPE_FLOW = """
    SELECT DISTINCT l.plan_id, l.year, COALESCE(y.basis, 'flows') AS basis
      FROM funding_flowline l LEFT JOIN funding_planyear y ON y.plan_id = l.plan_id AND y.year = l.year
     WHERE l.flow_id = %(flow)s AND l.plan_id IS NOT NULL AND l.year IS NOT NULL
"""


def classes_of(flow: Flow) -> dict[int, str]:
    """What each line of the flow is to its plan-year, by the line's id: a key of REASONS; lines of no plan-year are left out."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"{with_ledger(_SCOPE_FLOW)} SELECT line_id, class FROM movement WHERE flow_id = %(flow)s",
            {"flow": flow.pk},
        )
        return dict(cursor.fetchall())
