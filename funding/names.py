"""The names of what rows of figures stand for: countries, sectors, partners and donors, and the words for what has no name."""

from collections.abc import Iterable
from typing import NamedTuple

from django.utils.translation import gettext_lazy as _

from funding.rollups import FigureRow
from planning.models import PlanSector
from rrp_portal.addresses import address
from rrp_portal.reference.models import Country, Organisation

SPECIAL = {
    ("place", "not_specified"): (_("Not specified"), _("Given to the plan without naming a country.")),
    ("place", "shared"): (_("Shared"), _("Given to several countries together; how it splits is not known.")),
    ("place", "region"): (_("Regional"), _("For the region as a whole, not for one country.")),
    ("sector", "not_specified"): (_("Not specified"), _("Given to the plan without naming a sector.")),
    ("sector", "shared"): (_("Shared"), _("Given to several sectors together; how it splits is not known.")),
    ("partner", "none"): (_("No partner named"), _("Required or received without the name of a partner.")),
    ("donor", "none"): (_("No donor named"), _("The donor is not known, or wishes to stay anonymous.")),
}


class Name(NamedTuple):
    """What a row is called, which page it has, its stable code for files, and the sentence that explains it when it is special."""

    text: str
    href: str = ""
    code: str = ""
    note: str = ""
    is_demonstration: bool = False


class Names:
    """The names of what rows stand for, fetched for all rows at once: at most three queries; `countries` are at hand."""

    def __init__(self, rows: Iterable[FigureRow], countries: Iterable[Country] = ()) -> None:
        rows = list(rows)
        known = {country.pk: country for country in countries}
        self._countries = known | _in_bulk(Country.objects, {row.country_id for row in rows} - known.keys())
        self._sectors = _in_bulk(PlanSector.objects.select_related("sector"), {row.sector_id for row in rows})
        organisations = {row.partner_id for row in rows} | {row.donor_id for row in rows}
        self._organisations = _in_bulk(Organisation.objects.only("name", "acronym", "is_demonstration"), organisations)

    def of(self, row: FigureRow, part: str) -> Name:
        """The name of the row's place, sector, partner or donor."""
        return getattr(self, part)(row)

    def place(self, row: FigureRow) -> Name:
        """The row's country, or in words that it is regional, shared or not specified."""
        country = self._countries.get(row.country_id)
        if country is None:
            return _special("place", row.place or "not_specified")
        return Name(country.local_name, address("country-detail", country.pk), country.pk)

    def sector(self, row: FigureRow) -> Name:
        """The row's sector as the plan calls it, or in words that it is shared or not specified."""
        sector = self._sectors.get(row.sector_id)
        return (
            _special("sector", row.split or "not_specified")
            if sector is None
            else Name(sector.local_name, code=sector.sector.code)
        )

    def partner(self, row: FigureRow) -> Name:
        """The row's partner, or in words that none is named."""
        return self._organisation("partner", row.partner_id, "organisation-detail")

    def donor(self, row: FigureRow) -> Name:
        """The row's donor, or in words that none is named."""
        return self._organisation("donor", row.donor_id, "donor-detail")

    def _organisation(self, part: str, pk: int | None, page: str) -> Name:
        organisation = self._organisations.get(pk)
        if organisation is None:
            return _special(part, "none")
        href = address(page, organisation.pk)
        return Name(organisation.name, href, str(organisation.pk), is_demonstration=organisation.is_demonstration)


def _in_bulk(queryset, keys: set) -> dict:
    keys.discard(None)
    return queryset.in_bulk(keys) if keys else {}


def _special(part: str, kind: str) -> Name:
    text, note = SPECIAL[part, kind]
    return Name(str(text), code="" if kind == "none" else kind, note=str(note))
