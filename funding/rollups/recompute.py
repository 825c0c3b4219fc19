"""Writing the table of figures: claiming stale plan-years, recomputing them, rebuilding and verifying everything."""

import logging
from datetime import datetime

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.utils import timezone

from funding.models import Figure, PlanYear, StaleMark
from funding.rollups.ledger import MEASURES, grouped

logger = logging.getLogger(__name__)

_COLUMNS = ", ".join(
    ("plan_id", "year", "level", "place", "country_id", "split", "sector_id", "partner_id", "donor_id", *MEASURES)
)
_SCOPE_ONE = "SELECT plan_id, year, basis FROM funding_planyear WHERE id = %(plan_year)s"
_SCOPE_ALL = "SELECT plan_id, year, basis FROM funding_planyear"
_INSERT_ONE = f"INSERT INTO funding_figure ({_COLUMNS}) {grouped(_SCOPE_ONE)}" % {"plan_year": "$1"}
_INSERT_ALL = f"INSERT INTO funding_figure ({_COLUMNS}) {grouped(_SCOPE_ALL)}"

_ENSURE_PLAN_YEARS = """
    INSERT INTO funding_planyear (plan_id, year, basis)
    SELECT DISTINCT m.plan_id, m.year, 'flows' FROM funding_stalemark m
      JOIN planning_plan p ON p.id = m.plan_id
     WHERE NOT EXISTS (SELECT 1 FROM funding_planyear y WHERE y.plan_id = m.plan_id AND y.year = m.year)
        ON CONFLICT DO NOTHING
"""
_CLAIM = """
    SELECT y.id FROM funding_planyear y
     WHERE EXISTS (SELECT 1 FROM funding_stalemark m WHERE m.plan_id = y.plan_id AND m.year = y.year)
     ORDER BY (SELECT min(m.marked_at) FROM funding_stalemark m WHERE m.plan_id = y.plan_id AND m.year = y.year)
     LIMIT 1 FOR UPDATE OF y SKIP LOCKED
"""


def _insert_figures(cursor: CursorWrapper, plan_year_id: int) -> None:
    """Run the statement for one plan-year, planned once per connection: planning it costs as much as running it."""
    if getattr(connection, "prepared_rollup_of", None) is not connection.connection:
        cursor.execute(f"PREPARE recompute_plan_year (bigint) AS {_INSERT_ONE}")
        connection.prepared_rollup_of = connection.connection  # type: ignore[attr-defined]
    cursor.execute("SET LOCAL plan_cache_mode = force_generic_plan")
    cursor.execute("EXECUTE recompute_plan_year (%s)", [plan_year_id])


def _write(plan_year: PlanYear) -> None:
    """Recompute one plan-year whose row is locked. Marks are taken before the sums are read, so that no later write is lost."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM funding_stalemark WHERE plan_id = %s AND year = %s", [plan_year.plan_id, plan_year.year]
        )
        cursor.execute(
            "DELETE FROM funding_figure WHERE plan_id = %s AND year = %s", [plan_year.plan_id, plan_year.year]
        )
        _insert_figures(cursor, plan_year.pk)
        cursor.execute("UPDATE funding_planyear SET computed_at = clock_timestamp() WHERE id = %s", [plan_year.pk])


@transaction.atomic
def recompute(plan_id: int, year: int) -> PlanYear:
    """Recompute the figures of one plan-year now, waiting for a recomputation that is under way; returns its row."""
    PlanYear.objects.get_or_create(plan_id=plan_id, year=year)
    plan_year = PlanYear.objects.select_for_update().get(plan_id=plan_id, year=year)
    _write(plan_year)
    plan_year.refresh_from_db()
    return plan_year


@transaction.atomic
def _recompute_next() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM)
        claimed = cursor.fetchone()
    if claimed is None:
        return False
    _write(PlanYear.objects.get(pk=claimed[0]))
    return True


def recompute_stale(limit: int = 10_000) -> int:
    """Recompute stale plan-years, oldest mark first, skipping those that another worker holds; returns how many.

    Each is its own transaction: a worker that is killed leaves its marks, and the next one takes them.
    """
    with connection.cursor() as cursor:
        cursor.execute(_ENSURE_PLAN_YEARS)
    done = 0
    while done < limit and _recompute_next():
        done += 1
    return done


def oldest_stale_at() -> datetime | None:
    """When the oldest figure that is not yet recomputed became stale, or None when all are fresh."""
    return StaleMark.objects.order_by("marked_at").values_list("marked_at", flat=True).first()


def stale_seconds() -> float:
    """The age of the oldest stale figure, in seconds; 0 when all are fresh."""
    oldest = oldest_stale_at()
    return (timezone.now() - oldest).total_seconds() if oldest else 0.0


def _drop_indexes(cursor: CursorWrapper) -> list[str]:
    """Drop the indexes of the table of figures but its primary key, and return the statements that make them again.

    Building them once over all figures costs a fraction of keeping them up figure by figure.
    """
    cursor.execute(
        """SELECT c.relname, pg_get_indexdef(i.indexrelid) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
            WHERE i.indrelid = 'funding_figure'::regclass AND NOT i.indisprimary"""
    )
    indexes = cursor.fetchall()
    for name, _definition in indexes:
        cursor.execute(f"DROP INDEX {connection.ops.quote_name(name)}")
    return [definition for _name, definition in indexes]


@transaction.atomic
def rebuild() -> int:
    """Recompute every plan-year from nothing in one statement; returns the number of figures written."""
    with connection.cursor() as cursor:
        cursor.execute("LOCK TABLE funding_planyear IN SHARE ROW EXCLUSIVE MODE")
        cursor.execute(_ENSURE_PLAN_YEARS)
        cursor.execute("DELETE FROM funding_stalemark")
        cursor.execute("TRUNCATE funding_figure")
        cursor.execute("SET LOCAL enable_hashagg = off")
        cursor.execute("SET LOCAL work_mem = '128MB'")
        cursor.execute("SET LOCAL maintenance_work_mem = '256MB'")
        indexes = _drop_indexes(cursor)
        cursor.execute(_INSERT_ALL)
        written = cursor.rowcount
        for definition in indexes:
            cursor.execute(definition)
        cursor.execute("UPDATE funding_planyear SET computed_at = clock_timestamp()")
    logger.info("rebuilt %s figures", written)
    return written


def verify() -> list[dict[str, object]]:
    """Compute every figure from nothing and compare with the table; returns the differences, empty when there is none.

    A difference is a dict: the row's columns, and `found_in` ('table' or 'ledger'). Plan-years with a waiting mark are left out: they
    are known to be stale. Rows of nothing but zeros are left out on both sides.
    """
    some = " OR ".join(f"{measure} <> 0" for measure in MEASURES)
    fresh = f"""{_SCOPE_ALL} y WHERE NOT EXISTS (
        SELECT 1 FROM funding_stalemark m WHERE m.plan_id = y.plan_id AND m.year = y.year)"""
    statement = f"""
        WITH computed AS MATERIALIZED (SELECT {_COLUMNS} FROM ({grouped(fresh)}) g WHERE {some}),
             stored AS (SELECT {_COLUMNS} FROM funding_figure f WHERE ({some}) AND NOT EXISTS (
                 SELECT 1 FROM funding_stalemark m WHERE m.plan_id = f.plan_id AND m.year = f.year))
        SELECT 'table' AS found_in, d.* FROM (SELECT * FROM stored EXCEPT ALL SELECT * FROM computed) d
        UNION ALL
        SELECT 'ledger', d.* FROM (SELECT * FROM computed EXCEPT ALL SELECT * FROM stored) d
    """
    with connection.cursor() as cursor:
        cursor.execute(statement)
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


__all__ = ["Figure", "oldest_stale_at", "rebuild", "recompute", "recompute_stale", "stale_seconds", "verify"]
