"""What a person should know about a flow as it is stored: why it became a pass-through, what is not counted yet."""

from collections.abc import Sequence

from django.utils.translation import gettext as _

from funding import rollups
from funding.models import Flow, FlowLine
from funding.services.boundary import PASSED_ON, outside_of
from rrp_portal import formats


def notes_on(flow: Flow, lines: Sequence[FlowLine] | None = None, *, names_donor: bool | None = None) -> list[str]:
    """Sentences for the page and the API, none where everything counts as one would expect.

    `names_donor` says whether the reader may learn who gave; without it, an anonymous donor is not named.
    """
    named = not flow.is_donor_anonymous if names_donor is None else names_donor
    lines = list(flow.lines.select_related("plan")) if lines is None else lines
    notes = []
    if flow.type == Flow.Type.PASS_THROUGH:
        notes.append(str(PASSED_ON) % {"donor": flow.donor if named and flow.donor else _("The donor")})
    if flow.status == Flow.Status.PLEDGE:
        notes.append(str(rollups.REASONS["pledge"]))
    if any(line.plan_id and line.year is None for line in lines):
        notes.append(
            _(
                "The amount is for several years and not yet split, so that no year counts it. "
                "Give each year its own line as soon as it is known."
            )
        )
    if left := rollups.unallocated(flow, lines):
        notes.append(
            _("%(amount)s US dollars are not yet allocated to a plan and count nowhere until a line says so.")
            % {"amount": formats.usd(left)}
        )
    if outside_of(flow.recipient, {line.plan_id for line in lines if line.plan_id}):
        notes.append(str(rollups.REASONS["to_outside"]))
    return notes
