"""Which type an organisation has, from what other systems say about it."""

from collections.abc import Iterator, Sequence

from django.utils.translation import gettext as _

from rrp_portal.reference.models import OrganisationType

UNKNOWN = "other"


class ReferenceDataMissing(LookupError):
    """The reference lists are not loaded; the message says how to load them."""


def _keys(types: Sequence[str], subtypes: Sequence[str], levels: Sequence[str]) -> Iterator[str]:
    """What may stand in `fts_types`, the most telling first: type/subtype, type/*/level, type."""
    for type_name in types:
        yield from (f"{type_name}/{subtype}" for subtype in subtypes)
    for type_name in types:
        yield from (f"{type_name}/*/{level}" for level in levels)
    yield from types


def organisation_type_for_fts(
    types: Sequence[str] | None, subtypes: Sequence[str] | None = None, levels: Sequence[str] | None = None
) -> OrganisationType:
    """The type of an organisation that FTS describes, in the words of either of its vocabularies (one query).

    Reads the editable lists `OrganisationType.fts_types`; capitals do not matter. What nobody listed is `other`, which cannot own a
    requirement until a person says what the organisation is. Raises ReferenceDataMissing while the lists are not loaded.
    """
    known = {
        label.casefold(): organisation_type
        for organisation_type in OrganisationType.objects.order_by("position", "code")
        for label in (*organisation_type.fts_types, organisation_type.code)
    }
    wanted = [key.strip().casefold() for key in _keys(types or [], subtypes or [], levels or [])]
    found = next((known[key] for key in wanted if key in known), None) or known.get(UNKNOWN)
    if found is None:
        raise ReferenceDataMissing(_("The list of organisation types is empty. Run “manage.py load_reference” first."))
    return found
