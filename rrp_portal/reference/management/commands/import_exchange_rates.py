"""Imports exchange rates from a CSV file."""

from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from rrp_portal.reference.imports import FileRefused, import_exchange_rates


class Command(BaseCommand):
    """`manage.py import_exchange_rates FILE`: safe to repeat; a file with a mistake changes nothing."""

    help = (
        "Imports exchange rates from a CSV file with the columns currency, units_per_usd, starts_on, ends_on, source. "
        "The same file twice changes nothing; overlapping periods are refused."
    )

    def add_arguments(self, parser) -> None:
        """The file."""
        parser.add_argument("file", type=Path)

    def handle(self, *args, file: Path, **options) -> None:
        """Import, and say what was done."""
        try:
            outcome = import_exchange_rates(file)
        except FileRefused as refused:
            raise CommandError(f"{refused}\nNothing was imported.") from refused
        self.stdout.write(
            f"{outcome.name}: {outcome.created} created, {outcome.updated} updated, {outcome.unchanged} unchanged"
        )
