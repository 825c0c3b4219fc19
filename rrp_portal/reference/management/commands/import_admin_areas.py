"""Imports administrative areas from OCHA's list of p-codes."""

from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from rrp_portal.reference.imports import FileRefused, import_admin_areas


class Command(BaseCommand):
    """`manage.py import_admin_areas FILE`: safe to repeat; a file with a mistake changes nothing."""

    help = "Imports administrative areas from a CSV file as OCHA publishes it. The same file twice changes nothing."

    def add_arguments(self, parser) -> None:
        """The file."""
        parser.add_argument("file", type=Path)

    def handle(self, *args, file: Path, **options) -> None:
        """Import, and say what was done."""
        try:
            outcome = import_admin_areas(file)
        except FileRefused as refused:
            raise CommandError(f"{refused}\nNothing was imported.") from refused
        self.stdout.write(
            f"{outcome.name}: {outcome.created} created, {outcome.updated} updated, {outcome.unchanged} unchanged, "
            f"{len(outcome.missing)} missing from the file and left as they are"
        )
        if outcome.missing:
            more = "" if len(outcome.missing) <= 20 else ", …"
            self.stdout.write(f"Missing: {', '.join(outcome.missing[:20])}{more}")
