"""OCHA's list of administrative areas by p-code."""

import csv
import io
from collections.abc import Iterable
from datetime import date
from pathlib import Path

from django.db import connection, transaction
from django.utils.translation import gettext as _

from rrp_portal.reference.imports.csvfile import Problems, read_rows
from rrp_portal.reference.imports.lists import Outcome
from rrp_portal.reference.models import AdminArea, Country

COLUMNS = ("Location", "Admin Level", "P-Code", "Name", "Parent P-Code", "Valid from date")
FIELDS = ("country_id", "level", "name", "parent_id", "valid_from")
LEVELS = {"1", "2", "3", "4"}


def _area(row: dict[str, str], countries: set[str]) -> AdminArea:
    """The area of one row; raises ValueError with the reason."""
    pcode, iso3, level, name = row["P-Code"], row["Location"], row["Admin Level"], row["Name"]
    if not pcode or len(pcode) > 30:
        raise ValueError(_("Give a p-code of 1 to 30 characters."))
    if iso3 not in countries:
        raise ValueError(_("The portal knows no country “%(code)s”.") % {"code": iso3})
    if level not in LEVELS:
        raise ValueError(_("The level “%(level)s” is not a number from 1 to 4.") % {"level": level})
    if not name or len(name) > 200:
        raise ValueError(_("Give a name of 1 to 200 characters."))
    try:
        valid_from = date.fromisoformat(row["Valid from date"]) if row["Valid from date"] else None
    except ValueError:
        text = _("“%(date)s” is not a date; write it as 2026-01-31.") % {"date": row["Valid from date"]}
        raise ValueError(text) from None
    parent = row["Parent P-Code"]
    parent_id = None if level == "1" or parent in {"", iso3} else parent
    return AdminArea(
        pcode=pcode, country_id=iso3, level=int(level), name=name, parent_id=parent_id, valid_from=valid_from
    )


def _read(path: Path) -> dict[str, AdminArea]:
    """The areas of the file by p-code, checked; raises FileRefused."""
    problems = Problems(path.name)
    countries = set(Country.objects.values_list("pk", flat=True))
    areas: dict[str, AdminArea] = {}
    lines: dict[str, int] = {}
    for line, row in read_rows(path, COLUMNS):
        try:
            area = _area(row, countries)
        except ValueError as error:
            problems.add(line, str(error))
            continue
        if area.pcode in areas:
            values = {"pcode": area.pcode, "line": lines[area.pcode]}
            problems.add(line, _("The p-code %(pcode)s already stands in line %(line)s.") % values)
        areas[area.pcode], lines[area.pcode] = area, line
    levels = {pcode: (area.level, area.country_id) for pcode, area in areas.items()}
    wanted = {area.parent_id for area in areas.values() if area.parent_id and area.parent_id not in levels}
    known = AdminArea.objects.filter(pk__in=wanted).values_list("pk", "level", "country_id")
    levels |= {pcode: (level, country) for pcode, level, country in known}
    for pcode, area in areas.items():
        if not area.parent_id:
            continue
        level, country = levels.get(area.parent_id, (None, None))
        if level is None:
            problems.add(lines[pcode], _("The parent area %(pcode)s is not known.") % {"pcode": area.parent_id})
        elif level >= area.level or country != area.country_id:
            values = {"pcode": area.parent_id}
            problems.add(
                lines[pcode], _("The parent area %(pcode)s is not a higher level of the same country.") % values
            )
    problems.refuse_if_any()
    return areas


def _copy(areas: Iterable[AdminArea]) -> None:
    """Write new areas, thousands in one go."""
    lines = io.StringIO()
    writer = csv.writer(lines)
    for area in areas:
        writer.writerow([area.pcode, *(getattr(area, name) for name in FIELDS)])
    lines.seek(0)
    statement = f"COPY {AdminArea._meta.db_table} (pcode, {', '.join(FIELDS)}) FROM STDIN WITH (FORMAT csv)"
    with connection.cursor() as cursor:
        cursor.copy_expert(statement, lines)


@transaction.atomic
def import_admin_areas(path: Path) -> Outcome:
    """Take a list of administrative areas as OCHA publishes it; returns what was created, updated, unchanged and missing.

    `missing` are areas of the file's countries that the file no longer has: they stay, for somebody to retire. Raises FileRefused with
    file, line and reason, and then nothing is changed.
    """
    areas = _read(path)
    outcome = Outcome(str(AdminArea._meta.verbose_name_plural))
    countries = {area.country_id for area in areas.values()}
    existing = {area.pcode: area for area in AdminArea.objects.filter(country__in=countries)}
    moved = AdminArea.objects.filter(pk__in=areas.keys() - existing.keys())
    existing |= {area.pcode: area for area in moved}
    created = [area for pcode, area in areas.items() if pcode not in existing]
    updated = []
    for pcode, area in areas.items():
        present = existing.get(pcode)
        if present is None:
            continue
        if all(getattr(present, name) == getattr(area, name) for name in FIELDS):
            outcome.unchanged += 1
            continue
        area.retired_on = present.retired_on
        updated.append(area)
    _copy(created)
    AdminArea.objects.bulk_update(updated, FIELDS, batch_size=1_000)
    outcome.created, outcome.updated = len(created), len(updated)
    outcome.missing = sorted(
        pcode for pcode, area in existing.items() if pcode not in areas and area.retired_on is None
    )
    return outcome
