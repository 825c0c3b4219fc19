"""Whether money stays inside a plan: a donor who is itself a partner of the plan-year passes money on (BR-08, I17)."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from funding.models import BoundaryException, Flow, FlowLine
from funding.services.refusals import Refusals
from planning.models import PlanVersion, Requirement
from rrp_portal.reference.models import Organisation

Key = tuple[int, int]

OWN = (Flow.Type.CARRY_OVER, Flow.Type.UNEARMARKED_ALLOCATION)
PASSED_ON = _(
    "%(donor)s is a partner of this plan: this is money passed on inside the plan; it counts for the recipient and not again for the plan."
)


def plan_years(lines: Sequence[FlowLine]) -> set[Key]:
    """The plan-years that the lines name, also those among which a line is not yet split."""
    return {
        (line.plan_id, year)
        for line in lines
        if line.plan_id
        for year in ([line.year] if line.year else line.named_years)
    }


def appealing_in(organisation: Organisation, plan_ids: set[int]) -> set[Key]:
    """The plan-years of these plans in which the organisation has a requirement line in the version in force."""
    in_force = PlanVersion.objects.in_force().filter(plan__in=plan_ids).distinct("plan_id").values_list("pk", flat=True)
    lines = Requirement.objects.filter(version__in=list(in_force)).exclude(
        status__in=[Requirement.Status.RETURNED, Requirement.Status.WITHDRAWN]
    )
    own = lines.filter(partner=organisation) | lines.filter(partner__merged_into=organisation)
    return set(own.values_list("version__plan_id", "year").distinct())


def outside_of(organisation: Organisation | None, plan_ids: set[int]) -> set[int]:
    """The plans among these that count the organisation as outside their boundary (BR-09)."""
    found = BoundaryException.objects.filter(organisation=organisation, plan__in=plan_ids)
    return set(found.values_list("plan_id", flat=True)) if organisation else set()


@dataclass(frozen=True, slots=True)
class Boundary:
    """What a flow is to the plan-years of its lines: where its donor appeals too, and where the donor counts as outside."""

    named: frozenset[Key]
    inside: frozenset[Key]
    donor_outside: frozenset[int]

    @classmethod
    def of(cls, flow: Flow, lines: Sequence[FlowLine]) -> "Boundary":
        """The boundary of a flow with these lines, in at most three queries."""
        named = plan_years(lines)
        plans = {plan for plan, _year in named}
        if not flow.donor or not plans:
            return cls(frozenset(named), frozenset(), frozenset())
        outside = outside_of(flow.donor, plans)
        inside = {key for key in appealing_in(flow.donor, plans - outside) if key in named}
        return cls(frozenset(named), frozenset(inside), frozenset(outside))


def settle(flow: Flow, lines: Sequence[FlowLine], boundary: Boundary, refusals: Refusals) -> None:
    """Make the flow a pass-through where its donor is a partner, and an outside flow where it is not; refuse what is both."""
    if flow.type == Flow.Type.REVERSAL:
        return
    same = flow.donor is not None and flow.donor == flow.recipient
    own = flow.type in OWN and same
    if same and not own:
        refusals.add(
            "recipient",
            _("The donor and the recipient are the same organisation. Only a carry-over may be."),
            "same_organisation",
        )
        return
    if flow.type == Flow.Type.UNEARMARKED_ALLOCATION and not own:
        refusals.add(
            "type",
            _(
                "An allocation of unearmarked income is the agency's own money. Name the agency both as donor and as recipient."
            ),
        )
    chosen = flow.type == Flow.Type.PASS_THROUGH
    if own or not (boundary.inside or chosen):
        if flow.type == Flow.Type.CARRY_OVER and not own:
            refusals.add(
                "donor", _("A carry-over stays with its organisation. Name it both as donor and as recipient.")
            )
        _leave_outside(flow)
        return
    if chosen and boundary.donor_outside:
        refusals.add("type", _("This plan counts %(donor)s as outside, so its money is new to the plan. Choose the flow type “Standard”."),
                     donor=flow.donor)  # fmt: skip
    inside = boundary.inside or boundary.named
    if inside != boundary.named or len({plan for plan, _year in inside}) != 1:
        refusals.add(
            "donor",
            _(
                "%(donor)s is a partner of only some of the plans and years in the lines. "
                "Record what it passes on inside a plan as a flow of its own."
            ),
            "several_boundaries",
            donor=flow.donor,
        )
        return
    _pass_through(flow, lines, inside)


def _leave_outside(flow: Flow) -> None:
    flow.source_plan = flow.source_year = flow.source_country = flow.source_sector = None
    flow.source_place = flow.source_split = ""


def _pass_through(flow: Flow, lines: Sequence[FlowLine], inside: frozenset[Key]) -> None:
    """Out of the parent's cell where the parent has one, else out of the cell that the line goes to (an empty source)."""
    _leave_outside(flow)
    years = {year for _plan, year in inside}
    flow.type, flow.is_new_money = Flow.Type.PASS_THROUGH, False
    flow.source_plan_id = next(iter(inside))[0]
    flow.source_year = next(iter(years)) if len(years) == 1 else None
    if flow.parent is None:
        return
    cells = {
        (line.place, line.country_id, line.split, line.sector_id)
        for line in flow.parent.lines.filter(plan=flow.source_plan_id, year__in=years)
    }
    if len(cells) == 1:
        flow.source_place, flow.source_country_id, flow.source_split, flow.source_sector_id = cells.pop()
