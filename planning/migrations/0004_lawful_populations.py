"""The populations that a plan covers obey what its lines obey: no internally displaced people (I2), migrants only in RMRP (I3)."""

from django.db import migrations

CREATE = """
CREATE FUNCTION plan_populations_are_lawful() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE allowed text;
BEGIN
    SELECT eligibility INTO allowed FROM reference_populationgroup WHERE code = NEW.populationgroup_id;
    IF allowed = 'never' THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'plan_population_no_idp',
            MESSAGE = 'Internally displaced people never stand in a refugee response plan.';
    ELSIF allowed = 'rmrp_only' AND (SELECT type FROM planning_plan WHERE id = NEW.plan_id FOR SHARE) <> 'rmrp' THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'plan_population_migrants_only_in_rmrp',
            MESSAGE = 'Migrants stand only in a refugee and migrant response plan.';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER plan_populations_are_lawful BEFORE INSERT OR UPDATE ON planning_plan_populations
    FOR EACH ROW EXECUTE FUNCTION plan_populations_are_lawful();
"""
DROP = """
DROP TRIGGER plan_populations_are_lawful ON planning_plan_populations;
DROP FUNCTION plan_populations_are_lawful();
"""


class Migration(migrations.Migration):
    dependencies = [("planning", "0003_lawful_whichever_side_changes")]

    operations = [migrations.RunSQL(CREATE, DROP)]
