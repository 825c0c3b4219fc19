"""Plans as FTS names them: finding the portal's plan, or bringing an unknown one in with what FTS says of it."""

import re
from datetime import date

from django.db.models import Q
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext_noop

from funding.imports.report import Report
from planning.models import Plan

SOURCE = "OCHA FTS"

CREATED = gettext_noop("This plan was not known. It was added as “%(type)s”, from %(start)s to %(end)s.")
LINKED = gettext_noop("FTS plan %(fts_id)s has the same code as this plan; the two are now linked.")
DESCRIBED = gettext_noop("FTS says more about this plan now: %(changes)s.")
PERIOD_KEPT = gettext_noop(
    "FTS gives the period %(start)s to %(end)s, but the plan has lines outside it; its period stays."
)

_BY_NAME = (
    (Plan.Type.RMRP, r"refugee and migrant|\brmrp\b"),
    (Plan.Type.THREE_RP, r"\b3rp\b|refugee and resilience"),
    (Plan.Type.JRP, r"joint response plan|\bjrp\b"),
    (Plan.Type.REGIONAL_RRP, r"regional refugee response|refugee regional response|\brrp\b"),
    (Plan.Type.COUNTRY_RRP, r"refugee response plan"),
    (Plan.Type.FLASH_APPEAL, r"flash appeal"),
    (Plan.Type.HRP, r"humanitarian (needs and )?response plan|\bh(n)?rp\b"),
)


def guess_type(name: str, type_name: str = "", code: str = "") -> str:
    """The type of a plan from its name, from the type FTS gives it, and from its code (H for humanitarian plans)."""
    for words in (name, type_name):
        for plan_type, pattern in _BY_NAME:
            if re.search(pattern, words, re.IGNORECASE):
                return plan_type
    return Plan.Type.HRP if re.fullmatch(r"H[A-Z]{3}\d{2}", code) else Plan.Type.OTHER


def year_of(name: str, years: list[int]) -> int:
    """The year a plan is for: the one in its name, or the first that its money is for, or this year."""
    found = re.findall(r"\b(20\d\d|19\d\d)\b", name)
    return int(found[-1]) if found else (years[0] if years else timezone.localdate().year)


class Plans:
    """The plans that an import names, each found once."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._by_fts_id: dict[int, Plan] = {}
        self.created: set[int] = set()

    def load(self, fts_ids: set[int]) -> None:
        """Fetch the plans of a batch in one query."""
        missing = fts_ids - self._by_fts_id.keys()
        if missing:
            self._by_fts_id |= {plan.fts_id: plan for plan in Plan.objects.filter(fts_id__in=missing) if plan.fts_id}

    def known(self, fts_id: int) -> Plan | None:
        """The portal's plan with this FTS id, or None."""
        self.load({fts_id})
        return self._by_fts_id.get(fts_id)

    def get(
        self,
        fts_id: int,
        name: str,
        *,
        years: list[int],
        code: str = "",
        type_name: str = "",
        period: tuple[date, date] | None = None,
    ) -> Plan:
        """The plan with this FTS id, brought in when it is not known, completed when FTS now says more of it."""
        plan = self.known(fts_id) or self._link(fts_id, code)
        if plan is None:
            plan = self._create(fts_id, name, years, code, type_name, period)
        elif code or type_name or period:
            self._describe(plan, code, type_name, period)
        self._by_fts_id[fts_id] = plan
        return plan

    def _link(self, fts_id: int, code: str) -> Plan | None:
        if not code:
            return None
        twins = Plan.objects.filter(Q(fts_code=code) | Q(code=code), fts_id=None, is_demonstration=False)
        plan = twins.order_by("pk").first()
        if plan:
            plan.fts_id, plan.fts_code = fts_id, plan.fts_code or code
            plan.save(update_fields=["fts_id", "fts_code"])
            self._report.note(plan.name, LINKED, fts_id=fts_id)
        return plan

    def _create(
        self, fts_id: int, name: str, years: list[int], code: str, type_name: str, period: tuple[date, date] | None
    ) -> Plan:
        year = year_of(name, years)
        starts_on, ends_on = period or (date(year, 1, 1), date(year, 12, 31))
        plan = Plan.objects.create(
            code=self._free_code(fts_id, code),
            name=name,
            type=guess_type(name, type_name, code),
            starts_on=starts_on,
            ends_on=ends_on,
            fts_id=fts_id,
            fts_code=code,
            fts_type=type_name,
            is_emergency="flash" in name.casefold(),
            published_on=min(starts_on, timezone.localdate()),
        )
        self.created.add(plan.pk)
        self._report.note(plan.name, CREATED, type=plan.get_type_display(), start=starts_on, end=ends_on)
        return plan

    def _free_code(self, fts_id: int, code: str) -> str:
        wanted = slugify(code.replace("_", "-")).upper()[:40]
        if not wanted or Plan.objects.filter(code__iexact=wanted).exists():
            return f"fts-{fts_id}"
        return wanted

    def _describe(self, plan: Plan, code: str, type_name: str, period: tuple[date, date] | None) -> None:
        """Fill in what was guessed when only a flow had named the plan; what people entered stays."""
        changes: dict[str, object] = {}
        if code and not plan.fts_code:
            changes["fts_code"] = code
        if code and plan.fts_id and plan.code == f"fts-{plan.fts_id}":
            free = self._free_code(plan.fts_id, code)
            if free != plan.code:
                changes["code"] = free
        if type_name and not plan.fts_type:
            changes["fts_type"] = type_name
        if plan.type == Plan.Type.OTHER and (guessed := guess_type(plan.name, type_name, code)) != plan.type:
            changes["type"] = guessed
        if period and (plan.starts_on, plan.ends_on) != period and self._is_from_fts(plan):
            if self._has_lines_outside(plan, period):
                self._report.note(plan.name, PERIOD_KEPT, start=period[0], end=period[1])
            else:
                changes["starts_on"], changes["ends_on"] = period
        if not changes:
            return
        for name, value in changes.items():
            setattr(plan, name, value)
        plan.save(update_fields=list(changes))
        self._report.note(plan.name, DESCRIBED, changes=", ".join(f"{name} {value}" for name, value in changes.items()))

    @staticmethod
    def _is_from_fts(plan: Plan) -> bool:
        """Whether nobody here has written a version of the plan: all of them, if any, came from FTS."""
        return not plan.versions.exclude(source__startswith=SOURCE).exists()

    @staticmethod
    def _has_lines_outside(plan: Plan, period: tuple[date, date]) -> bool:
        lines = plan.versions.filter(requirements__isnull=False)
        outside = Q(requirements__year__lt=period[0].year) | Q(requirements__year__gt=period[1].year)
        return lines.filter(outside).exists()
