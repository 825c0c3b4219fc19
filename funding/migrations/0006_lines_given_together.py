"""An index over the few lines that are given to several countries or years together, so that a country's page need not read all."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("funding", "0005_quick_history")]

    operations = [
        migrations.RunSQL(
            """CREATE INDEX flow_line_given_together ON funding_flowline (id)
                WHERE cardinality(named_years) > 0 OR cardinality(named_countries) > 0""",
            "DROP INDEX flow_line_given_together",
        )
    ]
