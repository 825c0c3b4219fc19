"""Triggers that mark a plan-year stale in the transaction of any write that can change its figures, bulk SQL included.

They are statement-level: one set of marks per statement, however many rows it changed. A mark is an INSERT, so that writers never wait
for each other or for a recomputation.
"""

from django.db import migrations

MARK = "INSERT INTO funding_stalemark (plan_id, year) SELECT DISTINCT plan_id, year FROM ({select}) k WHERE plan_id IS NOT NULL AND year IS NOT NULL"

# What each changed row of the table touches, as (plan_id, year). {rows} is the transition table.
TOUCHES = {
    "funding_flowline": """
        SELECT r.plan_id, r.year FROM {rows} r
        UNION ALL
        SELECT f.source_plan_id, COALESCE(f.source_year, r.year) FROM {rows} r
          JOIN funding_flow f ON f.id = r.flow_id WHERE f.source_plan_id IS NOT NULL
    """,
    "funding_flow": """
        SELECT l.plan_id, l.year FROM {rows} r JOIN funding_flowline l ON l.flow_id = r.id
        UNION ALL
        SELECT r.source_plan_id, COALESCE(r.source_year, l.year) FROM {rows} r
          JOIN funding_flowline l ON l.flow_id = r.id WHERE r.source_plan_id IS NOT NULL
    """,
    "funding_publishedtotal": "SELECT r.plan_id, r.year FROM {rows} r",
    "funding_boundaryexception": """
        SELECT r.plan_id, l.year FROM {rows} r JOIN funding_flowline l ON l.plan_id = r.plan_id
        UNION ALL
        SELECT r.plan_id, COALESCE(f.source_year, l.year) FROM {rows} r
          JOIN funding_flow f ON f.source_plan_id = r.plan_id JOIN funding_flowline l ON l.flow_id = f.id
    """,
    "planning_planversion": """
        SELECT r.plan_id, q.year FROM {rows} r JOIN planning_requirement q ON q.version_id = r.id WHERE r.status = 'approved'
        UNION ALL
        SELECT r.plan_id, y.year FROM {rows} r JOIN funding_planyear y ON y.plan_id = r.plan_id WHERE r.status = 'approved'
        UNION ALL
        SELECT r.plan_id, l.year FROM {rows} r JOIN funding_flowline l ON l.plan_id = r.plan_id WHERE r.status = 'approved'
    """,
    "planning_requirement": """
        SELECT v.plan_id, r.year FROM {rows} r JOIN planning_planversion v ON v.id = r.version_id WHERE v.status = 'approved'
    """,
}

MERGED = """
    WITH moved AS (
        SELECT n.id FROM new_rows n JOIN old_rows o ON o.id = n.id WHERE n.merged_into_id IS DISTINCT FROM o.merged_into_id
    ), touched AS (
        SELECT f.id, f.source_plan_id, f.source_year FROM funding_flow f
         WHERE f.donor_id IN (SELECT id FROM moved) OR f.recipient_id IN (SELECT id FROM moved)
    )
    INSERT INTO funding_stalemark (plan_id, year)
    SELECT DISTINCT plan_id, year FROM (
        SELECT l.plan_id, l.year FROM touched t JOIN funding_flowline l ON l.flow_id = t.id
        UNION ALL
        SELECT t.source_plan_id, COALESCE(t.source_year, l.year) FROM touched t JOIN funding_flowline l ON l.flow_id = t.id
        UNION ALL
        SELECT v.plan_id, q.year FROM planning_requirement q JOIN planning_planversion v ON v.id = q.version_id
         WHERE q.partner_id IN (SELECT id FROM moved)
    ) k WHERE plan_id IS NOT NULL AND year IS NOT NULL;
"""

FUNCTION = """
CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
{body}
    RETURN NULL;
END $$;
"""

TRIGGER = """
CREATE TRIGGER {name} AFTER {operation} ON {table} REFERENCING {referencing} FOR EACH STATEMENT EXECUTE FUNCTION {function}();
"""

SIDES = {
    "insert": "NEW TABLE AS new_rows",
    "update": "OLD TABLE AS old_rows NEW TABLE AS new_rows",
    "delete": "OLD TABLE AS old_rows",
}


def mark(select: str, rows: str) -> str:
    return MARK.format(select=select.format(rows=rows)) + ";"


def create() -> str:
    statements = []
    for table, select in TOUCHES.items():
        function = f"mark_stale_{table}"
        body = f"""
            IF TG_OP = 'INSERT' OR TG_OP = 'UPDATE' THEN {mark(select, "new_rows")} END IF;
            IF TG_OP = 'DELETE' OR TG_OP = 'UPDATE' THEN {mark(select, "old_rows")} END IF;
        """
        statements.append(FUNCTION.format(name=function, body=body))
        statements += [
            TRIGGER.format(
                name=f"{function}_{operation}",
                operation=operation.upper(),
                table=table,
                referencing=sides,
                function=function,
            )
            for operation, sides in SIDES.items()
        ]
    basis = """
        IF TG_OP = 'INSERT' THEN
            INSERT INTO funding_stalemark (plan_id, year) SELECT plan_id, year FROM new_rows WHERE basis = 'published';
        ELSE
            INSERT INTO funding_stalemark (plan_id, year)
            SELECT n.plan_id, n.year FROM new_rows n JOIN old_rows o ON o.id = n.id WHERE n.basis <> o.basis;
        END IF;
    """
    for table, function, body, operations in (
        ("reference_organisation", "mark_stale_merged_organisation", MERGED, ("update",)),
        ("funding_planyear", "mark_stale_basis", basis, ("insert", "update")),
    ):
        statements.append(FUNCTION.format(name=function, body=body))
        statements += [
            TRIGGER.format(
                name=f"{function}_{operation}",
                operation=operation.upper(),
                table=table,
                referencing=SIDES[operation],
                function=function,
            )
            for operation in operations
        ]
    return "\n".join(statements)


def drop() -> str:
    tables = [(table, f"mark_stale_{table}", tuple(SIDES)) for table in TOUCHES]
    tables += [
        ("reference_organisation", "mark_stale_merged_organisation", ("update",)),
        ("funding_planyear", "mark_stale_basis", ("insert", "update")),
    ]
    statements = []
    for table, function, operations in tables:
        statements += [f"DROP TRIGGER IF EXISTS {function}_{operation} ON {table};" for operation in operations]
        statements.append(f"DROP FUNCTION IF EXISTS {function}();")
    return "\n".join(statements)


class Migration(migrations.Migration):
    dependencies = [("funding", "0002_links"), ("planning", "0002_links"), ("reference", "0001_initial")]

    operations = [migrations.RunSQL(create(), drop())]
