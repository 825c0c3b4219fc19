"""What FTS says about one flow, in the portal's words and without the database (domain: funding enumerations, BR-06 to BR-17)."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from django.utils.translation import gettext_noop

from funding.imports.report import RowRefused
from funding.imports.texts import clean, text
from funding.models import Flow

CENT = Decimal("0.01")
RATE = Decimal("0.0000000001")
LARGEST_RATE = Decimal(10) ** 10
LARGEST = Decimal(10) ** 15

STATUSES = {
    "pledge": Flow.Status.PLEDGE,
    "commitment": Flow.Status.COMMITMENT,
    "paid": Flow.Status.PAID,
    "paid contribution": Flow.Status.PAID,
}
TYPES = {
    "standard": Flow.Type.STANDARD,
    "parked": Flow.Type.PARKED,
    "pass through": Flow.Type.PASS_THROUGH,
    "carryover": Flow.Type.CARRY_OVER,
}
CONTRIBUTIONS = {"financial": Flow.ContributionType.FINANCIAL, "in kind": Flow.ContributionType.IN_KIND}
METHODS = {
    "traditional aid": Flow.Method.TRADITIONAL,
    "cash transfer programming (ctp)": Flow.Method.CASH,
    "cash transfer programming": Flow.Method.CASH,
}
EARMARKINGS = {
    "unearmarked": Flow.Earmarking.UNEARMARKED,
    "softly earmarked": Flow.Earmarking.SOFTLY,
    "earmarked": Flow.Earmarking.EARMARKED,
    "tightly earmarked": Flow.Earmarking.TIGHTLY,
}

NO_ID = gettext_noop("It has no flow id.")
NO_AMOUNT = gettext_noop("Its amount in US dollars is missing or not a number: “%(found)s”.")
NO_STATUS = gettext_noop("Its status is “%(found)s”; the portal knows pledge, commitment and paid.")
NO_DATE = gettext_noop("“%(found)s” is not a date.")
NO_NUMBER = gettext_noop("“%(found)s” is not a whole number.")
NO_YEAR = gettext_noop("“%(found)s” is not a year.")
NO_OBJECTS = gettext_noop("Its source or destination is not a list of objects as FTS gives them.")
UNKNOWN_WORD = gettext_noop("“%(found)s” is not a value that the portal knows; “%(taken)s” was taken.")


@dataclass(frozen=True, slots=True)
class Thing:
    """An organisation, location, plan, cluster … that a flow names on one of its sides."""

    id: int | None
    name: str
    is_single: bool = True
    code: str = ""
    types: tuple[str, ...] = ()
    subtypes: tuple[str, ...] = ()
    levels: tuple[str, ...] = ()


@dataclass(slots=True)
class Side:
    """Where a flow comes from, or where it goes."""

    organisations: list[Thing] = field(default_factory=list)
    locations: list[Thing] = field(default_factory=list)
    plans: list[Thing] = field(default_factory=list)
    clusters: list[Thing] = field(default_factory=list)
    global_clusters: list[Thing] = field(default_factory=list)
    projects: list[Thing] = field(default_factory=list)
    emergencies: list[Thing] = field(default_factory=list)
    years: list[int] = field(default_factory=list)


@dataclass(slots=True)
class FtsFlow:
    """One flow as FTS published it: its plain values under the names of `Flow`, its two sides, and where it was read."""

    id: int
    values: dict[str, Any]
    source: Side
    destination: Side
    parent_id: int | None = None
    currency: str = ""
    is_from_api: bool = True
    notes: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    line: int | None = None
    file: str = ""

    @property
    def subject(self) -> str:
        """How reports name it."""
        return f"FTS {self.id}"


_SIDES = {
    "Organization": "organisations",
    "Location": "locations",
    "Plan": "plans",
    "Cluster": "clusters",
    "GlobalCluster": "global_clusters",
    "Project": "projects",
    "Emergency": "emergencies",
}


def whole(value: Any) -> int | None:
    """A whole number, also where a spreadsheet wrote 423.0; None for nothing; RowRefused for anything else."""
    if value is None or value == "" or isinstance(value, bool):
        return None
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 10:
        return int(value)
    try:
        number = Decimal(str(value))
        if number != number.to_integral_value() or not 0 <= number < 2**31:
            raise RowRefused(NO_NUMBER, found=value)
        return int(number)
    except InvalidOperation:
        raise RowRefused(NO_NUMBER, found=value) from None


def year_of(value: Any) -> int | None:
    """A year; None for nothing; RowRefused for anything that is none."""
    found = whole(value)
    if found is not None and not 1900 < found < 2200:
        raise RowRefused(NO_YEAR, found=value)
    return found


def money(value: Any, places: Decimal = CENT, largest: Decimal = LARGEST) -> Decimal | None:
    """An amount with two decimals, half up; None for nothing; RowRefused for anything that is no amount."""
    if value is None or value == "" or isinstance(value, bool):
        return None
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        raise RowRefused(NO_AMOUNT, found=value) from None
    if not amount.is_finite() or abs(amount) >= largest:
        raise RowRefused(NO_AMOUNT, found=value)
    return amount.quantize(places, ROUND_HALF_UP)


def moment(value: Any) -> datetime | None:
    """A moment in UTC from an ISO date or date-time; None for nothing; RowRefused for anything else."""
    if not value:
        return None
    try:
        found = datetime.fromisoformat(str(value))
    except ValueError:
        raise RowRefused(NO_DATE, found=value) from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def day(value: Any) -> date | None:
    """The day of a moment."""
    found = moment(value)
    return found.date() if found else None


def word(flow: FtsFlow, words: dict[str, Any], value: Any, default: Any) -> Any:
    """The portal's word for one of FTS; an unknown one becomes the default, and the report says so."""
    found = text(value).casefold()
    if not found:
        return default
    if found not in words:
        flow.notes.append((UNKNOWN_WORD, {"found": text(value), "taken": str(default)}))
        return default
    return words[found]


def texts(values: Any, length: int) -> list[str]:
    """The texts of a list that are not empty, no longer than the column."""
    if not isinstance(values, list):
        return []
    return [text(value)[:length] for value in values if text(value)]


def read_flow(row: dict[str, Any]) -> FtsFlow:
    """A flow of the FTS API; raises RowRefused with the reason when it cannot be taken."""
    flow = begin(row)
    flow.source, flow.destination = _side(row.get("sourceObjects")), _side(row.get("destinationObjects"))
    flow.parent_id = whole(row.get("parentFlowId"))
    earmarkings = set(texts(row.get("grandBargainEarmarkingType"), 50))
    flow.values |= {
        "fts_version": whole(row.get("versionId")),
        "is_new_money": row.get("newMoney") is not False,
        "full_parked_usd": money(row.get("fullParkedAmountUSD")),
        "earmarking": word(flow, EARMARKINGS, earmarkings.pop(), "") if len(earmarkings) == 1 else "",
        "keywords": texts(row.get("keywords"), 100),
        "emergencies": [thing.name[:200] for thing in flow.destination.emergencies],
        "project_name": "; ".join(thing.name for thing in flow.destination.projects),
        "project_code": "; ".join(thing.code for thing in flow.destination.projects if thing.code)[:100],
        "report_details": _details(row.get("reportDetails")),
    }
    return flow


def _details(value: Any) -> list[dict[str, Any]]:
    return [clean(entry) for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def begin(row: dict[str, Any]) -> FtsFlow:
    """What JSON and CSV name alike."""
    fts_id = whole(row.get("id"))
    if not fts_id:
        raise RowRefused(NO_ID)
    amount = money(row.get("amountUSD"))
    if amount is None:
        raise RowRefused(NO_AMOUNT, found="")
    status = STATUSES.get(text(row.get("status")).casefold())
    if status is None:
        raise RowRefused(NO_STATUS, found=text(row.get("status")))
    flow = FtsFlow(fts_id, {}, Side(), Side())
    rate = money(row.get("exchangeRate"), RATE, LARGEST_RATE)
    flow.currency = text(row.get("originalCurrency")).upper()
    flow.values = {
        "fts_id": fts_id,
        "status": status,
        "type": word(flow, TYPES, row.get("flowType"), Flow.Type.STANDARD),
        "contribution_type": word(flow, CONTRIBUTIONS, row.get("contributionType"), Flow.ContributionType.FINANCIAL),
        "method": word(flow, METHODS, row.get("method"), Flow.Method.TRADITIONAL),
        "amount_usd": amount,
        "original_amount": money(row.get("originalAmount")),
        "units_per_usd": rate if rate and rate > 0 else None,
        "reference": text(row.get("refCode"))[:200],
        "description": text(row.get("description")),
        "budget_year": year_of(row.get("budgetYear")),
        "flow_on": day(row.get("date")),
        "decided_on": day(row.get("decisionDate")),
        "first_reported_on": day(row.get("firstReportedDate")),
        "source_updated_at": moment(row.get("updatedAt")),
    }
    return flow


def _side(objects: Any) -> Side:
    side = Side()
    if not isinstance(objects, list):
        raise RowRefused(NO_OBJECTS)
    for entry in objects:
        if not isinstance(entry, dict):
            raise RowRefused(NO_OBJECTS)
        kind = text(entry.get("type"))
        if kind == "UsageYear":
            if year := year_of(entry.get("name")):
                side.years.append(year)
        elif kind in _SIDES:
            getattr(side, _SIDES[kind]).append(_thing(entry, kind))
    side.years.sort()
    return side


def _thing(entry: dict[str, Any], kind: str) -> Thing:
    """The thing that an object stands for. Most come up again and again: they are made once."""
    lists = [entry.get(name) for name in ("organizationTypes", "organizationSubTypes", "organizationLevels")]
    words = tuple(tuple(value) if isinstance(value, list) else () for value in lists)
    try:
        return _made(kind, entry.get("id"), entry.get("name"), entry.get("behavior"), entry.get("code"), words)
    except TypeError:  # something in it is a list or an object, which no real one has
        return _made.__wrapped__(kind, *(entry.get(name) for name in ("id", "name", "behavior", "code")), words)


@lru_cache(maxsize=20_000, typed=True)
def _made(kind: str, fts_id: Any, name: Any, behavior: Any, code: Any, words: tuple[tuple[Any, ...], ...]) -> Thing:
    found = whole(fts_id) or None
    types, subtypes, levels = (tuple(texts(list(values), 120)) for values in words)
    return Thing(
        id=found,
        name=(text(name) or (f"FTS {found}" if found else ""))[:255],
        is_single=text(behavior) in {"single", ""},
        code=text(code)[:50] if kind == "Plan" else text(code),
        types=types,
        subtypes=subtypes,
        levels=levels,
    )
