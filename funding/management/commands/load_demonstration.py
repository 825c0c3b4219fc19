"""`manage.py load_demonstration`: the labelled demonstration, where it is switched on."""

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from funding import rollups
from funding.demonstration.load import load


class Command(BaseCommand):
    """Loads the demonstration; loading it again changes nothing."""

    help = __doc__

    def handle(self, **options) -> None:
        """Load what is missing and compute its figures."""
        if not settings.DEMONSTRATION:
            raise CommandError("The demonstration is switched off here. Set DEMONSTRATION=true to load it.")
        created = load(timezone.localdate())
        rollups.recompute_stale()
        self.stdout.write(f"Demonstration: {created['plans']} plans and {created['people']} people created.")
