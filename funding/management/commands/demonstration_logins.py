"""`manage.py demonstration_logins`: role, address and password of every demonstration login, separated by tabs."""

from django.conf import settings
from django.core.management.base import BaseCommand

from funding.demonstration import people


class Command(BaseCommand):
    """Prints the demonstration logins; nothing where the demonstration is switched off."""

    help = __doc__

    def handle(self, **options) -> None:
        """One line per role."""
        if settings.DEMONSTRATION:
            for role, email, password in people.logins():
                self.stdout.write(f"{role.value}\t{email}\t{password}")
