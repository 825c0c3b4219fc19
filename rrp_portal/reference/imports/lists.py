"""The lists that the portal ships: read from the CSV files beside the models, safe to load again after every update."""

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from babel import Locale
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import models, transaction
from django.utils.translation import gettext_noop

from rrp_portal.reference.models import (
    AgeBand,
    Bureau,
    Country,
    Currency,
    GlobalCluster,
    OrganisationType,
    OutcomeArea,
    PopulationGroup,
    Sector,
)

DATA = Path(__file__).resolve().parents[1] / "data"
LOCALES = {"en": "en", "fr": "fr", "es": "es", "ru": "ru", "ar": "ar", "zh-hans": "zh_Hans"}

WHY_NO_REQUIREMENT = {
    "": "",
    "government": gettext_noop(
        "A government body cannot own a requirement in a refugee response plan. Its needs belong in the national plan of the whole "
        "government, which is shown beside this plan."
    ),
    "development_bank": gettext_noop(
        "A development bank cannot own a requirement in a refugee response plan. Record what it finances in the register of "
        "development finance."
    ),
    "pooled_fund": gettext_noop(
        "A pooled fund cannot own a requirement in a refugee response plan. Record what it allocates to the partners as funding."
    ),
    "submitter": gettext_noop(
        "Parliaments and individual refugees submit pledges and cannot own a requirement. Record the requirement under the "
        "organisation that does the work."
    ),
    "other": gettext_noop(
        "The portal does not know what kind of organisation this is, so it cannot own a requirement yet. Ask an administrator to set "
        "its type."
    ),
}

Row = dict[str, Any]


@dataclass
class Outcome:
    """What one import did: how many rows it created, updated and left as they were, and what it leaves to people."""

    name: str
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    kept: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    @property
    def changed(self) -> bool:
        """Whether anything was written."""
        return bool(self.created or self.updated)


def _rows(name: str) -> Iterator[dict[str, str]]:
    with (DATA / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def _list(text: str) -> list[str]:
    return [part.strip() for part in text.split(";") if part.strip()]


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


def _number(text: str) -> int | None:
    return int(text) if text else None


def _named(row: dict[str, str], position: int) -> Row:
    """The fields of every code list: the name, the names by language, the position."""
    names = {key.removeprefix("name_"): value for key, value in row.items() if key.startswith("name_") and value}
    return {"name": row["name"], "names": {"en": row["name"]} | names, "position": position}


def _plain(name: str) -> Callable[[], Iterator[Row]]:
    """Rows of a file with nothing but a code and names."""
    return lambda: ({"code": row["code"]} | _named(row, n) for n, row in enumerate(_rows(name), 1))


def _organisation_types() -> Iterator[Row]:
    for position, row in enumerate(_rows("organisation_types"), 1):
        yield _named(row, position) | {
            "code": row["code"],
            "may_own_requirement": row["may_own_requirement"] == "yes",
            "may_give": row["may_give"] == "yes",
            "localisation": row["localisation"],
            "iati_code": row["iati_code"],
            "fts_types": _list(row["fts_types"]),
            "why_no_requirement": WHY_NO_REQUIREMENT[row["why_no_requirement"]],
        }


def _countries() -> Iterator[Row]:
    territories = {language: Locale.parse(locale).territories for language, locale in LOCALES.items()}
    bureaus = dict(Bureau.objects.values_list("code", "pk"))
    official = {row.pop("iso3"): row for row in _rows("country_names")}
    for row in _rows("countries"):
        names = {language: known[row["iso2"]] for language, known in territories.items() if row["iso2"] in known}
        names |= official.get(row["iso3"], {})
        yield {
            "iso3": row["iso3"],
            "iso2": row["iso2"],
            "m49": _number(row["m49"]),
            "fts_id": _number(row["fts_id"]),
            "bureau_id": bureaus[row["bureau"]] if row["bureau"] else None,
            "region": row["region"],
            "name": names["en"],
            "names": names,
            "retired_on": _day(row["retired_on"]),
        }


def _currencies() -> Iterator[Row]:
    known = {language: Locale.parse(locale).currencies for language, locale in LOCALES.items()}
    for row in _rows("currencies"):
        names = {language: names[row["code"]] for language, names in known.items() if row["code"] in names}
        yield {"code": row["code"], "name": names["en"], "names": names, "retired_on": _day(row["retired_on"])}


def _sectors() -> Iterator[Row]:
    areas = dict(OutcomeArea.objects.values_list("code", "pk"))
    for row in _rows("sectors"):
        yield _named(row, int(row["position"])) | {
            "code": row["code"],
            "parent_id": Sector.objects.get(code=row["parent"]).pk if row["parent"] else None,
            "outcome_areas": {areas[code] for code in _list(row["outcome_areas"])},
        }


def _global_clusters() -> Iterator[Row]:
    sectors = dict(Sector.objects.values_list("code", "pk"))
    for row in _rows("global_clusters"):
        yield {"fts_id": int(row["fts_id"]), "name": row["name"], "sector_id": sectors[row["sector"]]}


def _population_groups() -> Iterator[Row]:
    for position, row in enumerate(_rows("population_groups"), 1):
        yield _named(row, position) | {
            "code": row["code"],
            "unhcr_code": row["unhcr_code"],
            "eligibility": row["eligibility"],
            "shown_apart": row["shown_apart"] == "yes",
        }


def _age_bands() -> Iterator[Row]:
    for position, row in enumerate(_rows("age_bands"), 1):
        ages = {"min_age": _number(row["min_age"]), "max_age": _number(row["max_age"])}
        yield _named(row, position) | {"code": row["code"]} | ages


# Each list stands after those that it names.
LISTS: tuple[tuple[type[models.Model], str, Callable[[], Iterator[Row]]], ...] = (
    (Bureau, "code", _plain("bureaus")),
    (Country, "iso3", _countries),
    (Currency, "code", _currencies),
    (OrganisationType, "code", _organisation_types),
    (OutcomeArea, "code", _plain("outcome_areas")),
    (Sector, "code", _sectors),
    (GlobalCluster, "fts_id", _global_clusters),
    (PopulationGroup, "code", _population_groups),
    (AgeBand, "code", _age_bands),
)


def _edited(model: type[models.Model]) -> set[str]:
    """The keys of the rows that a person changed in the administration: their edits outlive every update."""
    edits = LogEntry.objects.filter(content_type=ContentType.objects.get_for_model(model))
    return {str(key) for key in edits.values_list("object_id", flat=True)}


def _differs(instance: models.Model, row: Row, many: set[str]) -> bool:
    return any(getattr(instance, name) != value for name, value in row.items() if name not in many) or any(
        set(getattr(instance, name).values_list("pk", flat=True)) != row[name] for name in many
    )


def _load(model: type[models.Model], key: str, rows: Iterator[Row], overwrite: bool) -> Outcome:
    """Create what is missing and update what differs, except what a person edited."""
    outcome = Outcome(str(model._meta.verbose_name_plural))
    existing = {getattr(instance, key): instance for instance in model._default_manager.all()}
    edited = set() if overwrite else _edited(model)
    many = {relation.name for relation in model._meta.many_to_many}
    for row in rows:
        instance = existing.get(row[key])
        if instance is not None and not _differs(instance, row, many & row.keys()):
            outcome.unchanged += 1
            continue
        if instance is not None and str(instance.pk) in edited:
            outcome.kept.append(str(row[key]))
            continue
        outcome.created, outcome.updated = (
            outcome.created + (instance is None),
            outcome.updated + (instance is not None),
        )
        instance = instance or model()
        for name, value in row.items():
            if name not in many:
                setattr(instance, name, value)
        instance.clean_fields()  # the database checks the rest, in the same transaction
        instance.save()
        for name in many & row.keys():
            getattr(instance, name).set(row[name])
    return outcome


@transaction.atomic
def load_lists(*, overwrite: bool = False) -> list[Outcome]:
    """Load every list that the portal ships; returns what was done per list. Loading again changes nothing.

    Rows that the lists do not have stay. Rows that a person edited in the administration stay as edited and are named in `kept`, unless
    `overwrite`.
    """
    return [_load(model, key, rows(), overwrite) for model, key, rows in LISTS]
