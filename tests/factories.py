"""Plain functions that make rows with sensible defaults; keyword arguments say what a test is about."""

from datetime import date
from decimal import Decimal
from itertools import count

from django.db.models import Q

from funding.models import Flow, FlowLine
from planning.models import Chapter, Plan, PlanSector, PlanVersion, Requirement
from planning.services import approve_version
from rrp_portal.reference.models import (
    Country,
    Currency,
    Grant,
    Organisation,
    OrganisationType,
    PopulationGroup,
    Sector,
    User,
)

_numbers = count(1)

TYPES = {
    "un_agency": (True, "international"),
    "ingo": (True, "international"),
    "nngo": (True, "local"),
    "local_ngo": (True, "local"),
    "rlo": (True, "local"),
    "gov_donor": (False, "none"),
    "gov_host": (False, "none"),
    "gov_local": (False, "none"),
    "pooled_fund": (False, "none"),
    "private": (True, "none"),
    "mdb": (False, "none"),
}


def make_organisation_type(code="un_agency"):
    may_own, localisation = TYPES.get(code, (False, "none"))
    return OrganisationType.objects.get_or_create(
        code=code, defaults={"name": code, "may_own_requirement": may_own, "localisation": localisation}
    )[0]


def make_organisation(name=None, type="un_agency", **fields):
    name = name or f"Organisation {next(_numbers)}"
    return Organisation.objects.create(name=name, type=make_organisation_type(type), **fields)


def make_country(iso3="XAA", **fields):
    return Country.objects.get_or_create(iso3=iso3, defaults={"name": f"Country {iso3}"} | fields)[0]


def make_sector(code="PROT", **fields):
    return Sector.objects.get_or_create(code=code, defaults={"name": code} | fields)[0]


def make_currency(code="EUR"):
    return Currency.objects.get_or_create(code=code, defaults={"name": code})[0]


def make_population_group(code="REF"):
    eligibility = {"IDP": "never", "RDP": "never", "MIG": "rmrp_only"}.get(code, "every_plan")
    return PopulationGroup.objects.get_or_create(code=code, defaults={"name": code, "eligibility": eligibility})[0]


def make_plan(code=None, *, year=2026, countries=("XAA",), sectors=("PROT",), region=False, published=True, **fields):
    number = next(_numbers)
    fields = {"type": Plan.Type.REGIONAL_RRP, "starts_on": date(year, 1, 1), "ends_on": date(year, 12, 31)} | fields
    plan = Plan.objects.create(
        code=code or f"R{number}",
        name=f"Plan {code or number}",
        published_on=date(year, 1, 1) if published else None,
        **fields,
    )
    for iso3 in countries:
        Chapter.objects.create(plan=plan, country=make_country(iso3))
    if region:
        Chapter.objects.create(plan=plan, country=None)
    for sector in sectors:
        PlanSector.objects.create(plan=plan, sector=make_sector(sector), name=sector)
    return plan


def make_version(plan, lines=(), *, major=1, minor=0, approved_on=None):
    """A version with lines (iso3 or None, sector code, partner, amount); approved on the day, or a draft without one."""
    version = PlanVersion.objects.create(plan=plan, major=major, minor=minor)
    for iso3, sector, partner, amount in lines:
        make_requirement(version, iso3, sector, partner, amount)
    return approve_version(version, approved_on=approved_on) if approved_on else version


def make_requirement(version, iso3, sector, partner, amount, **fields):
    chapter = version.plan.chapters.get(country_id=iso3) if iso3 else version.plan.chapters.get(country=None)
    return Requirement.objects.create(
        version=version,
        chapter=chapter,
        sector=plan_sector(version.plan, sector),
        partner=partner,
        gross_usd=Decimal(amount),
        **{"year": version.plan.starts_on.year} | fields,
    )


def plan_sector(plan, key):
    """The plan's sector by its name in the plan or by its sector code."""
    return plan.sectors.get(Q(name=key) | Q(sector__code=key))


def make_flow(donor, recipient, amount, *, status="paid", **fields):
    defaults = {"amount_usd": Decimal(amount), "status": status, "flow_on": date(2026, 2, 1)}
    return Flow.objects.create(donor=donor, recipient=recipient, **defaults | fields)


def make_line(flow, plan, amount=None, *, year=None, country=None, sector=None, **fields):
    """A line of a flow; `country` an iso3, 'region', 'shared' or None; `sector` a name in the plan, 'shared' or None."""
    place = {None: "not_specified", "region": "region", "shared": "shared"}.get(country, "country")
    split = {None: "not_specified", "shared": "shared"}.get(sector, "single")
    return FlowLine.objects.create(
        flow=flow,
        plan=plan,
        year=year or plan.starts_on.year,
        amount_usd=flow.amount_usd if amount is None else Decimal(amount),
        place=place,
        country=make_country(country) if place == "country" else None,
        split=split,
        sector=plan_sector(plan, sector) if split == "single" else None,
        **fields,
    )


def make_user(email=None, **fields):
    return User.objects.create_user(email or f"person{next(_numbers)}@example.org", "a long password 1", **fields)


def grant(user, role, scope, **target):
    return Grant.objects.create(user=user, role=role, scope=scope, **target)
