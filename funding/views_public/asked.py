"""What a reader asked for in the address of a page about a plan: the year and the day, or the sentence that says what is wrong."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from funding.models import Figure, PlanYear
from planning.models import Plan
from rrp_portal.formats import day

DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True, slots=True)
class Asked:
    """A year and perhaps a past day; `problems` are the sentences about what could not be understood."""

    year: int
    as_of: date | None = None
    problems: list[str] = field(default_factory=list)

    @property
    def status(self) -> int:
        """The HTTP status of the answer."""
        return 422 if self.problems else 200

    @property
    def query(self) -> dict[str, object]:
        """The same as the parameters of an address."""
        return {"year": self.year} | ({"as_of": self.as_of.isoformat()} if self.as_of else {})


def default_year(years: Iterable[int], today: date | None = None) -> int:
    """The newest year that has begun, of those given; the first one where all lie ahead, and this year where there is none."""
    this_year = (today or timezone.localdate()).year
    years = sorted(years)
    begun = [year for year in years if year <= this_year]
    return begun[-1] if begun else years[0] if years else this_year


def years_with_figures(plans: QuerySet[Plan]) -> list[int]:
    """The years for which any of the plans has figures, oldest first; one query that reads only totals."""
    figures = Figure.objects.filter(level=Figure.Level.TOTAL, plan__in=plans.values("pk"))
    return sorted(figures.order_by().values_list("year", flat=True).distinct())


def years_of(plan: Plan, plan_years: Iterable[PlanYear]) -> list[int]:
    """The years of a plan: those of its period, and those for which it has figures."""
    return sorted({*plan.years, *(plan_year.year for plan_year in plan_years)})


def read_year(request: HttpRequest, years: list[int], otherwise: int) -> tuple[int, list[str]]:
    """The year in the address, or the other one and the sentence that says why."""
    text = request.GET.get("year", "").strip()
    if not text:
        return otherwise, []
    if text.isascii() and text.isdecimal() and int(text) in years:
        return int(text), []
    choices = ", ".join(str(year) for year in years[-6:]) or str(otherwise)
    sentence = _("There are no figures for the year “%(year)s”. Choose one of these: %(years)s.")
    return otherwise, [sentence % {"year": text[:20], "years": choices}]


def read_day(request: HttpRequest) -> tuple[date | None, list[str]]:
    """The past day in the address, or None and the sentence that says why."""
    text = request.GET.get("as_of", "").strip()
    if not text:
        return None, []
    try:
        asked = date.fromisoformat(text) if DAY.fullmatch(text) else None
    except ValueError:
        asked = None
    today = timezone.localdate()
    if asked is None:
        sentence = _("“%(text)s” is not a day. Write it as year-month-day, for example %(example)s.")
        return None, [sentence % {"text": text[:40], "example": today.isoformat()}]
    if asked > today:
        sentence = _("%(day)s has not come yet. Choose a day up to %(today)s.")
        return None, [sentence % {"day": day(asked), "today": day(today)}]
    return asked, []


def asked_of_plan(request: HttpRequest, plan: Plan, plan_years: Iterable[PlanYear]) -> Asked:
    """The year and day that a request asks of a plan."""
    plan_years = list(plan_years)
    years = years_of(plan, plan_years)
    year, year_problems = read_year(request, years, default_year([row.year for row in plan_years] or years))
    as_of, day_problems = read_day(request)
    return Asked(year, as_of, year_problems + day_problems)
