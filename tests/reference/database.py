"""Going past every page and form, straight to the database."""

from contextlib import contextmanager

import pytest
from django.db import DatabaseError, connection, transaction


def sql(statement, **values):
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.rowcount


@contextmanager
def refused(constraint):
    """The database refuses what happens inside, by the constraint or trigger of this name."""
    with pytest.raises(DatabaseError) as error, transaction.atomic():
        yield
    diagnosis = error.value.__cause__.diag
    assert constraint in {diagnosis.constraint_name, diagnosis.message_primary}


def insert(made, **columns):
    """Insert a requirement line by SQL; the columns given replace lawful ones."""
    row = {
        "version_id": made.draft.pk,
        "chapter_id": made.plan.chapters.get().pk,
        "sector_id": made.plan.sectors.get().pk,
        "partner_id": made.agency.pk,
        "population_group_id": "REF",
        "year": 2026,
        "gross_usd": 50,
        "covered_elsewhere_usd": 0,
        "activity": "",
        "note": "",
        "source": "partner",
        "status": "proposed",
    } | columns
    names, values = ", ".join(row), ", ".join(f"%({name})s" for name in row)
    return sql(
        f"INSERT INTO planning_requirement ({names}, created_at, changed_at) VALUES ({values}, now(), now())", **row
    )
