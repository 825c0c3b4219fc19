"""Recomputes every figure from nothing and compares it with the table that pages read."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from funding import rollups
from funding.models import StaleMark

KEYS = ("plan_id", "year", "level", "place", "country_id", "split", "sector_id", "partner_id", "donor_id")


class Command(BaseCommand):
    """`manage.py verify_rollups`: ends with 1 when a figure differs; `--rebuild` writes them all anew first."""

    help = "Compares every figure with one computed from nothing; exit code 1 when one differs."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """`--rebuild` recomputes everything before it compares."""
        parser.add_argument("--rebuild", action="store_true", help="recompute everything from nothing first")

    def handle(self, *args: Any, **options: Any) -> None:
        """Compare, and print the differences as a table."""
        if options["rebuild"]:
            self.stdout.write(_("%(count)s figures written.") % {"count": rollups.rebuild()})
        differences = rollups.verify()
        waiting = StaleMark.objects.values("plan", "year").distinct().count()
        if waiting:
            self.stdout.write(_("%(count)s plan-years wait to be recomputed and were left out.") % {"count": waiting})
        if not differences:
            self.stdout.write(_("Every figure is what its rows add up to."))
            return
        self._table(differences)
        sentence = _(
            "%(count)s figures differ. Run “manage.py verify_rollups --rebuild” and look for what wrote past the triggers."
        )
        raise CommandError(sentence % {"count": len(differences)}, returncode=1)

    def _table(self, differences: list[dict[str, object]]) -> None:
        measures = [name for name in differences[0] if name not in KEYS and name != "found_in"]
        ordered = sorted(differences, key=lambda row: (*(str(row[key]) for key in KEYS), str(row["found_in"])))
        lines = [("found in", *KEYS, "figures, USD")]
        for row in ordered:
            figures = " ".join(f"{name}={row[name]:,.2f}" for name in measures if row[name])
            lines.append(
                (str(row["found_in"]), *("–" if row[key] in {None, ""} else str(row[key]) for key in KEYS), figures)
            )
        widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
        for line in lines:
            self.stdout.write("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
