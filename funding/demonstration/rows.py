"""Making rows of the demonstration: fictional countries, organisations, plans and flows, held to the rules by the database."""

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal

from funding.models import Flow, FlowLine, Place, SectorSplit
from planning.models import Chapter, Plan, PlanSector, PlanVersion, Requirement
from rrp_portal.reference.models import Bureau, Country, Currency, ExchangeRate, Organisation, OrganisationType, Sector

REGION = "region"
SHARED = "shared"


def country(iso3: str, name: str) -> Country:
    """A fictional country under a code that ISO leaves to users."""
    return Country.objects.get_or_create(iso3=iso3, defaults={"name": name, "bureau": Bureau.objects.first()})[0]


def organisation(name: str, type_code: str, **fields) -> Organisation:
    """A fictional organisation of the demonstration."""
    kind = OrganisationType.objects.get(code=type_code)
    return Organisation.objects.get_or_create(
        name=name, is_demonstration=True, defaults={"type": kind, "is_verified": True} | fields
    )[0]


def rate(code: str, units_per_usd: str, starts_on: date) -> ExchangeRate:
    """A fixed rate of the demonstration for two years; where the currency already has rates on some of these days, the first of those."""
    currency, ends_on = Currency.objects.get(code=code), date(starts_on.year + 1, 12, 31)
    present = currency.rates.filter(starts_on__lte=ends_on).exclude(ends_on__lt=starts_on).order_by("starts_on").first()
    return present or ExchangeRate.objects.create(
        currency=currency,
        units_per_usd=Decimal(units_per_usd),
        starts_on=starts_on,
        ends_on=ends_on,
        source="Demonstration",
    )


def plan(code: str, name: str, countries: Mapping[str, str], sectors: Mapping[str, str], **fields) -> Plan:
    """A published plan with a chapter for each country, a region-level chapter, and its sectors (sector code -> name)."""
    made = Plan(code=code, name=name, is_demonstration=True, **fields)
    made.full_clean()
    made.save()
    for position, (iso3, title) in enumerate(countries.items()):
        Chapter.objects.create(plan=made, country=country(iso3, title), position=position)
    Chapter.objects.create(plan=made, country=None, title="", position=len(countries))
    for position, (sector, title) in enumerate(sectors.items()):
        PlanSector.objects.create(plan=made, sector=Sector.objects.get(code=sector), name=title, position=position)
    return made


class Cells:
    """A plan's chapters and sectors by code, for writing lines."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.chapters = {chapter.country_id or REGION: chapter for chapter in plan.chapters.all()}
        self.sectors = {sector.sector.code: sector for sector in plan.sectors.select_related("sector")}

    def requirement(
        self, version: PlanVersion, place: str, sector: str, partner: Organisation, gross: int, year: int, **fields
    ):
        """One accepted requirement line in US dollars, not saved yet: a version's lines are written together."""
        return Requirement(
            version=version,
            chapter=self.chapters[place],
            sector=self.sectors[sector],
            partner=partner,
            gross_usd=Decimal(gross),
            year=year,
            status=Requirement.Status.ACCEPTED,
            **fields,
        )

    def line(
        self,
        flow: Flow,
        amount: Decimal,
        year: int | None,
        place: str | None,
        sector: str | None,
        named: Iterable[str] = (),
    ):
        """One line of a flow; `place` an iso3, 'region', 'shared' or None, `sector` a code, 'shared' or None."""
        in_country = place not in {None, REGION, SHARED}
        made = FlowLine(
            flow=flow,
            amount_usd=amount,
            plan=self.plan,
            year=year,
            place=Place.COUNTRY if in_country else place or Place.NOT_SPECIFIED,
            country_id=place if in_country else None,
            split=SectorSplit.SINGLE if sector in self.sectors else sector or SectorSplit.NOT_SPECIFIED,
            sector=self.sectors.get(sector),
            named_sectors=[self.sectors[code].name for code in named],
        )
        made.save()
        return made


def flow(donor: Organisation | None, recipient: Organisation, amount, **fields) -> Flow:
    """One flow; `amount` in US dollars."""
    made = Flow(donor=donor, recipient=recipient, amount_usd=Decimal(amount), **fields)
    made.save()
    return made
