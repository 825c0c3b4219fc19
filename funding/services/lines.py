"""The lines of a flow: read from what was typed, checked, and replaced in an order that no database rule trips over."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.utils.translation import gettext_lazy as _

from funding import rollups
from funding.models import Flow, FlowLine, Place, SectorSplit
from funding.models.flow import LINES_WITHIN_FLOW
from funding.services.money import ONE, USD, shares_in_usd
from funding.services.refusals import Refusals, line_field

LINE_FIELDS = frozenset(
    {"id", "amount", "amount_usd", "plan", "year", "place", "country", "split", "sector", "global_sector",
     "named_years", "named_countries", "named_sectors"}
)  # fmt: skip
"""What a line may say. `amount` is in the currency of the flow, `amount_usd` in US dollars; neither means: all that is left."""


def read_lines(flow: Flow, typed: Sequence[Mapping[str, Any]], refusals: Refusals) -> list[FlowLine]:
    """Unsaved lines from what was typed, with amounts in US dollars; what is wrong is added to the refusals."""
    lines = [_read_line(values) for values in typed]
    if flow.amount_usd is not None:
        _set_amounts(flow, lines, typed, refusals)
    for index, line in enumerate(lines):
        try:
            line.full_clean(exclude=["flow"] if line.amount_usd is not None else ["flow", "amount_usd"])
        except ValidationError as error:
            refusals.take(error, line_field(index, ""))
        if line.plan_id:
            _check_years(line, index, refusals)
        if flow.amount_usd is not None and line.amount_usd is not None and line.amount_usd * flow.amount_usd < 0:
            refusals.add(
                line_field(index, "amount"),
                _("A line has the same sign as its flow. Record what goes back as a reversal."),
            )
    return lines


def check_sum(flow: Flow, lines: Sequence[FlowLine], refusals: Refusals) -> None:
    """Refuse lines that add up to more than their flow, with the sentence of the database rule."""
    if flow.amount_usd is not None and all(line.amount_usd is not None for line in lines):
        total = rollups.lines_total(lines)
        if abs(total) > abs(flow.amount_usd) or total * flow.amount_usd < 0:
            refusals.add(NON_FIELD_ERRORS, _(LINES_WITHIN_FLOW), "lines_within_flow")


def _read_line(values: Mapping[str, Any]) -> FlowLine:
    if unknown := set(values) - LINE_FIELDS:
        raise TypeError(f"A line of a flow has no {', '.join(sorted(unknown))}.")
    stated = {key: value for key, value in values.items() if key not in {"id", "amount"} and value not in (None, "")}
    line = FlowLine(**stated)
    if "place" not in stated and line.country_id:
        line.place = Place.COUNTRY
    if "split" not in stated and line.sector_id:
        line.split = SectorSplit.SINGLE
    line.named_years = sorted(set(line.named_years))
    if line.year is None and len(line.named_years) == 1:
        line.year, line.named_years = line.named_years[0], []
    return line


def _set_amounts(flow: Flow, lines: list[FlowLine], typed: Sequence[Mapping[str, Any]], refusals: Refusals) -> None:
    originals = [
        (line, values["amount"]) for line, values in zip(lines, typed, strict=True) if values.get("amount") is not None
    ]
    rate = flow.units_per_usd or (ONE if flow.currency_id in {None, USD} else None)
    if originals and rate:
        shares = shares_in_usd([amount for _line, amount in originals], rate)
        for (line, _amount), share in zip(originals, shares, strict=True):
            line.amount_usd = share
    empty = [index for index, line in enumerate(lines) if line.amount_usd is None]
    for index in empty[1:]:
        refusals.add(
            line_field(index, "amount"),
            _("Only one line may be left without an amount: it takes all that is left."),
            "required",
        )
    if empty:
        given = [line for index, line in enumerate(lines) if index not in empty]
        lines[empty[0]].amount_usd = rollups.unallocated(flow, given)
        for index in empty[1:]:
            lines[index].amount_usd = flow.amount_usd * 0


def _check_years(line: FlowLine, index: int, refusals: Refusals) -> None:
    years = line.plan.years if line.plan else range(0)
    outside = _("The plan %(plan)s runs from %(first)s to %(last)s. Choose a usage year within it.")
    if line.year is None and not line.named_years:
        refusals.add(
            line_field(index, "year"),
            _("Give the usage year. If the money is for several years and not yet split, name these years instead."),
            "required",
        )
    elif (line.year is not None and line.year not in years) or (
        line.year is None and not set(line.named_years) & set(years)
    ):
        refusals.add(
            line_field(index, "year"), outside, "outside_period", plan=line.plan, first=years[0], last=years[-1]
        )


def _key(line: FlowLine) -> tuple[Any, ...]:
    return (line.plan_id, line.year, line.place, line.country_id, line.split, line.sector_id)


def _pair(
    stored: list[FlowLine], lines: Sequence[FlowLine], typed: Sequence[Mapping[str, Any]]
) -> list[FlowLine | None]:
    """The stored line that each new line continues: the one it names, else one with the same plan, year, place and sector."""
    left = {line.pk: line for line in stored}
    pairs: list[FlowLine | None] = [left.pop(values["id"], None) if values.get("id") else None for values in typed]
    for index, line in enumerate(lines):
        if pairs[index] is None:
            same = next((old for old in left.values() if _key(old) == _key(line)), None)
            pairs[index] = left.pop(same.pk) if same else None
    return pairs


VALUES = ("amount_usd", "plan", "year", "place", "country", "split", "sector", "global_sector",
          "named_years", "named_countries", "named_sectors")  # fmt: skip


def replace_lines(flow: Flow, lines: Sequence[FlowLine], typed: Sequence[Mapping[str, Any]]) -> None:
    """Save the flow and its lines: removals and reductions first, then the flow, then what grows and what is new.

    At every statement the stored lines add up to no more than the stored flow, and a line that only changes keeps its id.
    """
    stored = list(flow.lines.select_for_update()) if flow.pk else []
    pairs = _pair(stored, lines, typed)
    kept = {old.pk for old in pairs if old}
    FlowLine.objects.filter(pk__in=[old.pk for old in stored if old.pk not in kept]).delete()
    later = []
    for line, old in zip(lines, pairs, strict=True):
        if old is None:
            later.append(line)
            continue
        shrinks = abs(line.amount_usd) <= abs(old.amount_usd)
        unchanged = all(getattr(old, name) == getattr(line, name) for name in VALUES)
        for name in VALUES:
            setattr(old, name, getattr(line, name))
        if unchanged:
            continue
        if shrinks:
            old.save()
        else:
            later.append(old)
    flow.save()
    for line in later:
        line.flow = flow
        line.save()
