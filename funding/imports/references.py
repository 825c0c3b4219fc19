"""The portal's own rows for what a flow names: organisations, countries and currencies, found in one query a batch."""

from collections.abc import Iterable, Sequence

from django.db.models.functions import Lower
from django.utils.translation import gettext_noop

from funding.imports.mapping import FtsFlow, Side, Thing
from funding.imports.report import Report
from funding.models import Place
from rrp_portal.reference.models import Country, Currency, Organisation, OrganisationType
from rrp_portal.reference.services import organisation_type_for_fts

ADDED = gettext_noop("This organisation was not known. It was added, not verified, as “%(type)s” (FTS: %(fts_type)s).")
LINKED = gettext_noop("FTS organisation %(fts_id)s has the same name as this organisation; the two are now linked.")
SEVERAL_DONORS = gettext_noop("FTS names several organisations (%(names)s), so that none stands as its donor.")
SEVERAL_RECIPIENTS = gettext_noop("FTS names several organisations (%(names)s), so that none stands as its recipient.")
UNKNOWN_LOCATION = gettext_noop(
    "The portal does not know this location (FTS %(fts_id)s); its money stands as “not specified”, with the name kept."
)
NEW_CURRENCY = gettext_noop("This currency was not known. It was added with its code as its name.")


class Organisations:
    """Organisations by FTS id, or by name where a file has no ids; what was merged stands for what it was merged into."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._by_id: dict[int, int] = {}
        self._by_name: dict[str, int] = {}
        self._types: dict[tuple[tuple[str, ...], ...], OrganisationType] = {}

    def load(self, things: Iterable[Thing]) -> None:
        """Find the organisations of a batch, and add those that are not known."""
        wanted = {(thing.id or thing.name.casefold()): thing for thing in things}
        by_id = {key: thing for key, thing in wanted.items() if thing.id and thing.id not in self._by_id}
        if by_id:
            self._find_by_id([thing.id for thing in by_id.values() if thing.id])
            self._link_by_name([thing for key, thing in by_id.items() if key not in self._by_id])
        by_name = [thing for thing in wanted.values() if not thing.id and thing.name.casefold() not in self._by_name]
        if by_name:
            self._find_by_name(by_name)
        self._add(thing for thing in wanted.values() if self.find(thing) is None)

    def find(self, thing: Thing) -> int | None:
        """The id of the organisation that stands for the thing, once it is loaded."""
        return self._by_id.get(thing.id) if thing.id else self._by_name.get(thing.name.casefold())

    def _find_by_id(self, fts_ids: Iterable[int]) -> None:
        rows = Organisation.objects.filter(fts_id__in=list(fts_ids)).values_list("fts_id", "pk", "merged_into_id")
        self._by_id |= {fts_id: self._standing(pk, into) for fts_id, pk, into in rows if fts_id}

    def _standing(self, pk: int, into: int | None) -> int:
        while into is not None:
            pk, into = Organisation.objects.values_list("pk", "merged_into_id").get(pk=into)
        return pk

    def _namesakes(self, things: Sequence[Thing], **filters: object) -> dict[str, list[tuple[int, int | None]]]:
        names = {thing.name.casefold() for thing in things} | {thing.name.lower() for thing in things}
        rows = (
            Organisation.objects.annotate(plain=Lower("name"))
            .filter(plain__in=names, is_demonstration=False, **filters)
            .order_by(Lower("name"), "merged_into_id", "fts_id", "pk")
            .values_list("name", "pk", "merged_into_id")
        )
        found: dict[str, list[tuple[int, int | None]]] = {}
        for name, pk, into in rows:
            found.setdefault(name.casefold(), []).append((pk, into))
        return found

    def _link_by_name(self, things: Sequence[Thing]) -> None:
        """An organisation that was entered here without its FTS id is the one with exactly the same name."""
        namesakes = self._namesakes(things, fts_id=None)
        for thing in things:
            same = namesakes.get(thing.name.casefold(), [])
            if thing.id and len(same) == 1:
                pk, into = same[0]
                organisation = Organisation.objects.get(pk=pk)
                organisation.fts_id = thing.id
                organisation.save(update_fields=["fts_id"])
                self._by_id[thing.id] = self._standing(pk, into)
                self._report.note(thing.name, LINKED, fts_id=thing.id)

    def _find_by_name(self, things: Sequence[Thing]) -> None:
        for name, same in self._namesakes(things).items():
            self._by_name[name] = self._standing(*same[0])

    def _add(self, things: Iterable[Thing]) -> None:
        new = [
            Organisation(
                name=thing.name,
                type=self._type(thing),
                fts_type="/".join(part for part in (*thing.types[:1], *thing.subtypes[:1]))[:120],
                fts_id=thing.id,
            )
            for thing in things
        ]
        for organisation in Organisation.objects.bulk_create(new):
            if organisation.fts_id:
                self._by_id[organisation.fts_id] = organisation.pk
            else:
                self._by_name[organisation.name.casefold()] = organisation.pk
            self._report.note(
                organisation.name, ADDED, type=organisation.type.name, fts_type=organisation.fts_type or "–"
            )

    def _type(self, thing: Thing) -> OrganisationType:
        key = (thing.types, thing.subtypes, thing.levels)
        if key not in self._types:
            self._types[key] = organisation_type_for_fts(*key)
        return self._types[key]


class References:
    """Organisations, countries and currencies for the flows of an import."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self.organisations = Organisations(report)
        self._currencies = set(Currency.objects.values_list("code", flat=True))
        self._countries: dict[int | str, str] = {}
        for iso3, fts_id, name in Country.objects.values_list("iso3", "fts_id", "name"):
            self._countries[iso3] = self._countries[name.casefold()] = iso3
            if fts_id:
                self._countries[fts_id] = iso3

    def load(self, flows: Sequence[FtsFlow]) -> None:
        """Find or add the organisations of a batch."""
        sides = [side for flow in flows for side in (flow.source, flow.destination)]
        self.organisations.load(thing for side in sides if len(side.organisations) == 1 for thing in side.organisations)

    def organisation(self, flow: FtsFlow, side: Side, if_several: str) -> int | None:
        """The one organisation of a side; none where FTS names none, or several (the report then says so in the sentence given)."""
        if len(side.organisations) == 1:
            return self.organisations.find(side.organisations[0])
        if side.organisations:
            names = ", ".join(thing.name for thing in side.organisations)
            self._report.note(flow.subject, if_several, line=flow.line, names=names)
        return None

    def country(self, thing: Thing) -> str | None:
        """The ISO3 code of a location, by FTS id, then by code, then by name; None when it is no country known here."""
        return (
            self._countries.get(thing.id or 0)
            or self._countries.get(thing.code.upper())
            or self._countries.get(thing.name.casefold())
        )

    def place(self, things: Sequence[Thing]) -> tuple[str, str | None, list[str]]:
        """The place of a side: its kind, its country where there is exactly one, and the names of several or unknown ones."""
        named = sorted({self.country(thing) or thing.name[:100] for thing in things})
        if not things:
            return Place.NOT_SPECIFIED, None, []
        for thing in things:
            if self.country(thing) is None:
                self._report.note(thing.name, UNKNOWN_LOCATION, fts_id=thing.id or "–")
        if len(things) > 1 or not things[0].is_single:
            return Place.SHARED, None, named
        country = self.country(things[0])
        return (Place.COUNTRY, country, []) if country else (Place.NOT_SPECIFIED, None, named)

    def currency(self, code: str) -> str | None:
        """The currency's code; an unknown one is added and reported."""
        if not code:
            return None
        if code not in self._currencies:
            if len(code) != 3:
                return None
            Currency.objects.create(code=code, name=code)
            self._currencies.add(code)
            self._report.note(code, NEW_CURRENCY)
        return code
