"""History of many rows at once: the function of django-pghistory that finds the context of a change, without an exception per row.

Theirs raises and catches an exception for every row that is written outside a context. Each is a subtransaction, and PostgreSQL walks all
rows of the statement at the end of each: 22,000 flows took a minute, and take seconds like this.
"""

from django.db import migrations

QUICK = """
CREATE OR REPLACE FUNCTION _pgh_attach_context() RETURNS pghistory_context.id%TYPE LANGUAGE plpgsql AS $$
DECLARE
    context_id uuid := NULLIF(current_setting('pghistory.context_id', true), '')::uuid;
    context_metadata jsonb := NULLIF(current_setting('pghistory.context_metadata', true), '')::jsonb;
BEGIN
    IF context_id IS NULL OR context_metadata IS NULL THEN
        RETURN NULL;
    END IF;
    IF NOT EXISTS (SELECT 1 FROM pghistory_context WHERE id = context_id AND metadata = context_metadata) THEN
        INSERT INTO pghistory_context (id, metadata, created_at, updated_at) VALUES (context_id, context_metadata, now(), now())
        ON CONFLICT (id) DO UPDATE SET metadata = EXCLUDED.metadata, updated_at = EXCLUDED.updated_at;
    END IF;
    RETURN context_id;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("funding", "0004_amounts_are_numbers"), ("pghistory", "0007_auto_20250421_0444")]

    operations = [migrations.RunSQL(QUICK, migrations.RunSQL.noop)]
