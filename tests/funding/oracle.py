"""The rules of figures once more, in plain Python and without SQL: what the ledger is compared with."""

from collections import defaultdict
from decimal import Decimal

from funding.models import BoundaryException, FlowLine, PlanYear
from planning.models import PlanVersion, Requirement

COUNTED = {"commitment", "paid"}
LEVELS = {
    "total": (),
    "country": ("place", "country"),
    "sector": ("split", "sector"),
    "partner": ("partner",),
    "donor": ("donor",),
    "country_sector": ("place", "country", "split", "sector"),
    "country_partner": ("place", "country", "partner"),
    "country_donor": ("place", "country", "donor"),
    "cell": ("place", "country", "split", "sector", "partner"),
}


def stands_for(organisation):
    return organisation and (organisation.merged_into_id or organisation.pk)


def required_lines(plan, year):
    versions = sorted(plan.versions.filter(status=PlanVersion.Status.APPROVED), key=lambda v: (v.major, v.minor))
    for which, version in (("required", versions[-1:]), ("original", versions[:1])):
        for line in Requirement.objects.filter(version__in=version, year=year).select_related("chapter", "partner"):
            if line.status in {"returned", "withdrawn"}:
                continue
            yield which, {
                "place": "country" if line.chapter.country_id else "region",
                "country": line.chapter.country_id,
                "split": "single" if line.sector_id else "not_specified",
                "sector": line.sector_id,
                "partner": stands_for(line.partner),
                "donor": "nobody",
            }, line.gross_usd - line.covered_elsewhere_usd  # fmt: skip


def is_internal(flow, line, plan, appealing, outside):
    if flow.type == "carry_over" or stands_for(flow.donor) in outside:
        return False
    if flow.source_plan_id == plan.pk and (flow.source_year or line.year) == line.year:
        return True
    return flow.channel != "fts" and flow.type != "unearmarked_allocation" and stands_for(flow.donor) in appealing


def sides(flow, line, plan, appealing, outside):
    """What a line of the plan-year does to cells: (cell, measures) once or twice."""
    amount = line.amount_usd
    here = {"place": line.place, "country": line.country_id, "split": line.split, "sector": line.sector_id}
    kind = {"paid": "paid", "commitment": "committed"}.get(flow.status)
    goods = {"in_kind": amount} if flow.contribution_type != "financial" else {}
    if flow.status == "cancelled" or stands_for(flow.recipient) in outside:
        return
    if is_internal(flow, line, plan, appealing, outside):
        if flow.status in COUNTED:
            there = here if not flow.source_place else {
                "place": flow.source_place, "country": flow.source_country_id,
                "split": flow.source_split or line.split,
                "sector": flow.source_sector_id if flow.source_split else line.sector_id,
            }  # fmt: skip
            yield here | {"partner": stands_for(flow.recipient), "donor": "nobody"}, {
                "funded": amount, kind: amount, "received": amount} | goods  # fmt: skip
            yield there | {"partner": stands_for(flow.donor), "donor": "nobody"}, {
                "funded": -amount, kind: -amount, "passed_on": amount} | {key: -value for key, value in goods.items()}  # fmt: skip
        return
    cell = here | {
        "partner": stands_for(flow.recipient),
        "donor": None if flow.is_donor_anonymous else stands_for(flow.donor),
    }
    if flow.status == "pledge":
        yield cell, {"pledged": amount}
        return
    measures = {"funded": amount, kind: amount, "incoming": amount} | goods
    if flow.type == "carry_over":
        measures["carry_over"] = amount
    if flow.is_new_money:
        measures["new_money"] = amount
    if flow.earmarking in {"unearmarked", "softly"}:
        measures["flexible"] = amount
    yield cell, measures


def figures(plan, year):
    """{level: {key: {measure: USD}}} of a plan-year whose funding comes from flows."""
    assert PlanYear.objects.filter(plan=plan, year=year, basis="published").count() == 0
    entries = []
    appealing = set()
    for which, cell, amount in required_lines(plan, year):
        entries.append((cell, {which: amount}))
        if which == "required":
            appealing.add(cell["partner"])
    outside = set(BoundaryException.objects.filter(plan=plan).values_list("organisation_id", flat=True))
    for line in FlowLine.objects.filter(plan=plan, year=year).select_related("flow__donor", "flow__recipient"):
        entries.extend(sides(line.flow, line, plan, appealing, outside))
    tables = {level: defaultdict(lambda: defaultdict(Decimal)) for level in LEVELS}
    for cell, measures in entries:
        for level, keys in LEVELS.items():
            if "donor" in keys and cell["donor"] == "nobody":
                continue
            for measure, amount in measures.items():
                tables[level][tuple(cell[key] for key in keys)][measure] += amount
    return {
        level: {key: {m: a for m, a in row.items() if a} for key, row in rows.items() if any(row.values())}
        for level, rows in tables.items()
    }
