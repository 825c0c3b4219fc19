"""Loads the lists that the portal ships: countries, currencies, sectors, types of organisations and others."""

from django.core.management.base import BaseCommand

from rrp_portal.reference.imports import load_lists


class Command(BaseCommand):
    """`manage.py load_reference`: safe to repeat; what people edited in the administration stays as they left it."""

    help = "Loads or updates the reference lists. Entries edited in the administration stay as edited."

    def add_arguments(self, parser) -> None:
        """`--overwrite` gives up the edits."""
        parser.add_argument(
            "--overwrite",
            action="store_true",
            help="put entries that were edited in the administration back to what the portal ships",
        )

    def handle(self, *args, overwrite: bool = False, **options) -> None:
        """Load, and say per list what was done."""
        outcomes = load_lists(overwrite=overwrite)
        for outcome in outcomes:
            line = (
                f"{outcome.name}: {outcome.created} created, {outcome.updated} updated, {outcome.unchanged} unchanged"
            )
            if outcome.kept:
                line += f", {len(outcome.kept)} kept as edited here ({', '.join(outcome.kept)})"
            self.stdout.write(line)
        if not any(outcome.changed for outcome in outcomes):
            self.stdout.write("Nothing changed: the lists are up to date.")
