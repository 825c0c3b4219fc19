"""What every page knows about the site itself; asks the database nothing."""

from django.conf import settings
from django.utils.translation import gettext_lazy as _


def site(request):
    """The portal's name and version, whether it shows a demonstration, and its languages."""
    return {
        "portal": {  # not "site", which allauth's pages give another meaning
            "name": _("RRP Portal"),
            "version": settings.VERSION,
            "is_demonstration": settings.DEMONSTRATION,
            "languages": settings.LANGUAGES,
        }
    }
