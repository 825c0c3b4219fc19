"""A fuller fictional regional plan: five chapters, forty partners, ten sectors, two years, five hundred flows; the same on every load."""

from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from random import Random

from django.db import transaction

from funding.demonstration import rows
from funding.demonstration.rows import REGION, SHARED
from funding.models import BoundaryException, Flow, FlowLine
from planning.models import Plan, PlanVersion, Requirement
from planning.services import approve_version
from rrp_portal.reference.models import Currency, Organisation

CODE = "RORV2627"
YEARS = (2026, 2027)
FLOWS = 500
COUNTRIES = {"XCA": "Orvane", "XCB": "Tesmar", "XCC": "Lunova", "XCD": "Sarrin", "XCE": "Dakesh"}
SECTORS = {
    "PROT": "Protection",
    "CP": "Child protection",
    "GBV": "Gender-based violence",
    "EDUC": "Education",
    "HLTH": "Health and nutrition",
    "FOOD": "Food security",
    "BASIC": "Basic needs",
    "SHEL": "Settlements and shelter",
    "WASH": "Water, sanitation and hygiene",
    "LIVE": "Livelihoods and inclusion",
}
WEIGHTS = {
    "PROT": 14,
    "CP": 6,
    "GBV": 5,
    "EDUC": 10,
    "HLTH": 13,
    "FOOD": 18,
    "BASIC": 12,
    "SHEL": 9,
    "WASH": 8,
    "LIVE": 5,
}

PARTNERS = {
    "un_agency": ["Agency for Refuge", "Children's Agency", "Food Agency", "Migration Agency", "Health Agency", "Population Agency"],
    "ingo": [
        "Aid Without Delay", "Bridge International", "Care Across Borders", "Doctors on the Road", "Education for Return",
        "Harbour Relief", "Open Door International", "Roof and Water", "Safe Passage International", "Tomorrow's Children",
    ],
    "nngo": ["Orvane Relief Society", "Tesmar Women's Union", "Lunova Development Trust", "Sarrin Health Network", "Dakesh Farmers' Aid",
             "Border Schools Association", "River Valley Council"],
    "local_ngo": ["Eastern Camp Committee", "Northern Wells", "Market Street Initiative", "Hillside Clinics", "Lake Shore Youth"],
    "rlo": ["Hope of the Displaced", "Teachers in Exile", "New Roots Collective", "Voices from Kelan"],
    "wrlo": ["Mothers of the Crossing", "Women Rebuilding Together"],
    "rcrc_nat": ["Orvane Red Cross Society", "Tesmar Red Crescent Society"],
    "rcrc_int": ["Federation of National Societies"],
    "faith": ["Lantern Faith Charities", "House of Mercy"],
    "sports": ["Field of Play"],
}  # fmt: skip
DONORS = {
    "gov_donor": ["Government of Aldermark", "Government of Brevia", "Government of Cantoria", "Government of Delmont",
                  "Government of Eastmere", "Government of Fjordland", "Government of Gallinor", "Government of Hanover Isles"],
    "igo": ["Continental Union"],
    "pooled_fund": ["Orvane Humanitarian Fund", "Central Response Fund"],
    "foundation": ["Meridian Foundation", "Open Roads Foundation"],
    "private": ["Solstice Energy", "Bluebird Logistics"],
}  # fmt: skip
RATES = {"EUR": "0.91", "GBP": "0.78", "CHF": "0.88", "JPY": "148", "CAD": "1.36", "SEK": "10.4", "NOK": "10.6"}


def money(value) -> Decimal:
    """The value in cents, half up."""
    return Decimal(value).quantize(Decimal("0.01"), ROUND_HALF_UP)


@transaction.atomic
def build() -> Plan:
    """The plan with v1 (10 December 2025), v2 (20 June 2026), a working draft v3, its needs and its five hundred flows."""
    return _Builder(Random(2026)).build()  # noqa: S311


class _Builder:
    """Makes the plan's rows from one seeded source of chance, so that every load gives the same figures."""

    def __init__(self, chance: Random) -> None:
        self.chance = chance
        self.partners = [
            rows.organisation(name, kind, is_refugee_led=kind in {"rlo", "wrlo"}, is_women_led=kind == "wrlo")
            for kind, names in PARTNERS.items()
            for name in names
        ]
        self.donors = [rows.organisation(name, kind) for kind, names in DONORS.items() for name in names]
        for code, units in RATES.items():
            rows.rate(code, units, date(2025, 1, 1))
        self.needs: list[tuple[str, str, Organisation, int, int]] = []
        self.incoming: list[Flow] = []

    def build(self) -> Plan:
        plan = rows.plan(
            CODE,
            "Orvane Situation Regional Refugee Response Plan 2026–2027",
            COUNTRIES,
            SECTORS,
            type=Plan.Type.REGIONAL_RRP,
            starts_on=date(2026, 1, 1),
            ends_on=date(2027, 12, 31),
            published_on=date(2025, 12, 12),
        )
        plan.lead_organisations.add(self.partners[0])
        self.cells = rows.Cells(plan)
        self._draw_needs()
        self._version(plan, 1, 1, date(2025, 12, 10), 2_310_000, 1_640_000)
        self._version(plan, 2, Decimal("1.12"), date(2026, 6, 20), 2_610_000, 1_850_000)
        self._version(plan, 3, Decimal("1.15"), None, 2_700_000, 1_900_000)
        fund = next(donor for donor in self.donors if donor.name == "Orvane Humanitarian Fund")
        BoundaryException.objects.create(
            plan=plan,
            organisation=fund,
            reason="The fund is run outside the plan; its allocations are new to the plan.",
        )
        for number in range(1, FLOWS + 1):
            self._flow(number)
        return plan

    def _draw_needs(self) -> None:
        taken = set()
        sectors, weights = list(WEIGHTS), list(WEIGHTS.values())
        for partner in self.partners:
            size = {"un_agency": 8_000_000, "ingo": 1_400_000}.get(partner.type_id, 260_000)
            for _ in range(9 if partner.type_id == "un_agency" else 3):
                place = self.chance.choice(list(COUNTRIES))
                sector = self.chance.choices(sectors, weights)[0]
                if (place, sector, partner) in taken:
                    continue
                taken.add((place, sector, partner))
                amount = round(size * self.chance.uniform(0.3, 1.6), -3)
                self.needs.append((place, sector, partner, int(amount), self.chance.randint(500, 60_000)))
        self.needs.append((REGION, "PROT", self.partners[0], 2_400_000, 0))

    def _version(self, plan, major, factor, approved_on, in_need, targeted) -> None:
        version = PlanVersion.objects.create(
            plan=plan,
            major=major,
            scope=PlanVersion.Scope.ORIGINAL if major == 1 else PlanVersion.Scope.REVISION,
            reason="" if major == 1 else "More people arrived than were planned for.",
            people_in_need=in_need,
            people_targeted=targeted,
        )
        Requirement.objects.bulk_create(
            self.cells.requirement(
                version, place, sector, partner, self._gross(amount, factor, year), year, people_targeted=people or None
            )
            for year in YEARS
            for place, sector, partner, amount, people in self.needs
        )
        if approved_on:
            approve_version(version, approved_on=approved_on)

    @staticmethod
    def _gross(amount: int, factor, year: int) -> int:
        return int(amount * Decimal(factor) * (1 if year == YEARS[0] else Decimal("0.85")))

    def _flow(self, number: int) -> None:
        special = {
            17: self._internal,
            23: self._carry_over,
            29: self._reversal,
            31: self._allocation,
            37: self._parked,
            41: self._two_years,
        }
        kind = next((make for step, make in special.items() if number % step == 0 and self.incoming), self._grant)
        kind(number)

    def _facts(self, number: int) -> dict:
        day = date(2025, 11, 1) + timedelta(days=self.chance.randint(0, 360))
        return {
            "reference": f"DEMO-{number:04}",
            "description": f"Demonstration contribution {number}",
            "flow_on": day,
            "decided_on": day,
            "first_reported_on": day + timedelta(days=self.chance.randint(0, 40)),
            "status": self.chance.choices(["paid", "commitment", "pledge", "cancelled"], [62, 28, 7, 3])[0],
            "earmarking": self.chance.choices(["earmarked", "tightly", "softly", "unearmarked"], [50, 25, 15, 10])[0],
            "method": self.chance.choices(["traditional", "cash"], [85, 15])[0],
        }

    def _amount(self, recipient: Organisation) -> tuple[Decimal, dict]:
        """US dollars, and what was given in which currency at which rate."""
        size = {"un_agency": 620_000, "ingo": 210_000}.get(recipient.type_id, 60_000)
        usd = money(size * self.chance.lognormvariate(0, 0.8))
        code = self.chance.choices(["USD", *RATES], [45, 20, 8, 6, 5, 5, 6, 5])[0]
        if code == "USD":
            return usd, {}
        units = Decimal(RATES[code])
        original = money(usd * units)
        facts = {"currency": Currency.objects.get(code=code), "original_amount": original, "units_per_usd": units,
                 "rate_source": "Demonstration", "rate_on": date(2025, 1, 1)}  # fmt: skip
        return money(original / units), facts

    def _cell(self) -> tuple[str | None, str | None, Organisation, tuple[str, ...]]:
        """Where money goes: mostly to a cell somebody needs it in, sometimes to none or to several named together."""
        place, sector, partner, *_ = self.chance.choice(self.needs)
        shape = self.chance.choices(
            ["exact", "no sector", "shared sectors", "no country", "shared countries", "stray"], [70, 8, 7, 7, 3, 5]
        )[0]
        if shape == "no sector":
            return place, None, partner, ()
        if shape == "shared sectors":
            return place, SHARED, partner, (sector, "CP" if sector != "CP" else "PROT")
        if shape == "no country":
            return None, None, partner, ()
        if shape == "shared countries":
            return SHARED, sector, partner, ()
        if shape == "stray":
            return self.chance.choice(list(COUNTRIES)), self.chance.choice(list(SECTORS)), partner, ()
        return place, sector, partner, ()

    def _year(self) -> int:
        return self.chance.choices(YEARS, [85, 15])[0]

    def _grant(self, number: int) -> None:
        place, sector, partner, named = self._cell()
        donor = self.chance.choice(self.donors)
        usd, foreign = self._amount(partner)
        facts = self._facts(number) | foreign
        if number % 43 == 0:
            facts |= {"is_donor_anonymous": True}
        if number % 19 == 0:
            facts |= {"contribution_type": Flow.ContributionType.IN_KIND, "valuation_basis": "Market price at delivery"}
        facts["is_new_money"] = donor.type_id != "pooled_fund"
        flow = rows.flow(donor, partner, usd, **facts)
        self.cells.line(flow, usd, self._year(), place, sector, named)
        if flow.status in {"paid", "commitment"}:
            self.incoming.append(flow)

    def _internal(self, number: int) -> None:
        parent = self.chance.choice(self.incoming)
        line = parent.lines.select_related("sector__sector").first()
        recipient = self.chance.choice(
            [p for p in self.partners if p.type_id in {"nngo", "local_ngo", "rlo", "wrlo"} and p != parent.recipient]
        )
        usd = money(parent.amount_usd * Decimal("0.2"))
        flow = rows.flow(parent.recipient, recipient, usd, **self._facts(number) | {
            "status": "paid", "type": Flow.Type.PASS_THROUGH, "is_new_money": False, "parent": parent,
            "source_plan": self.cells.plan, "source_year": line.year,
        })  # fmt: skip
        FlowLine.objects.create(
            flow=flow, amount_usd=usd, plan=self.cells.plan, year=line.year, place=line.place, country_id=line.country_id,
            split=line.split, sector=line.sector, named_sectors=line.named_sectors,
        )  # fmt: skip

    def _carry_over(self, number: int) -> None:
        place, sector, partner, *_ = self.chance.choice(self.needs)
        usd = money(self.chance.randint(20_000, 400_000))
        facts = self._facts(number) | {"status": "paid", "type": Flow.Type.CARRY_OVER, "is_new_money": False}
        self.cells.line(rows.flow(partner, partner, usd, **facts), usd, YEARS[0], place, sector)

    def _reversal(self, number: int) -> None:
        original = self.chance.choice(self.incoming)
        line = original.lines.select_related("sector__sector").first()
        usd = money(-original.amount_usd * Decimal("0.1"))
        facts = self._facts(number) | {"status": original.status, "type": Flow.Type.REVERSAL, "corrects": original}
        facts |= {"reason": "The last instalment was withdrawn."}
        flow = rows.flow(original.donor, original.recipient, usd, **facts)
        FlowLine.objects.create(
            flow=flow, amount_usd=usd, plan=self.cells.plan, year=line.year, place=line.place, country_id=line.country_id,
            split=line.split, sector=line.sector,
        )  # fmt: skip

    def _allocation(self, number: int) -> None:
        agency = self.partners[self.chance.randint(0, 5)]
        place, sector, *_ = self.chance.choice(self.needs)
        usd = money(self.chance.randint(100_000, 900_000))
        facts = self._facts(number) | {
            "status": "paid",
            "type": Flow.Type.UNEARMARKED_ALLOCATION,
            "earmarking": "unearmarked",
        }
        facts |= {"is_new_money": False}
        self.cells.line(rows.flow(agency, agency, usd, **facts), usd, YEARS[0], place, sector)

    def _parked(self, number: int) -> None:
        """A grant for both years whose split is not known: it is parked, and no year counts it."""
        *_, partner, _, _ = self.chance.choice(self.needs)
        usd, foreign = self._amount(partner)
        facts = (
            self._facts(number) | foreign | {"status": "commitment", "type": Flow.Type.PARKED, "full_parked_usd": usd}
        )
        flow = rows.flow(self.chance.choice(self.donors), partner, usd, **facts)
        line = self.cells.line(flow, usd, None, None, None)
        line.named_years = list(YEARS)
        line.save(update_fields=["named_years"])

    def _two_years(self, number: int) -> None:
        place, sector, partner, *_ = self.chance.choice(self.needs)
        usd, foreign = self._amount(partner)
        flow = rows.flow(self.chance.choice(self.donors), partner, usd, **self._facts(number) | foreign)
        half = money(usd / 2)
        self.cells.line(flow, half, YEARS[0], place, sector)
        self.cells.line(flow, usd - half, YEARS[1], place, sector)
