"""The environment of a portal on one machine, unless the person says otherwise."""

import os

from rrp_portal.embedded.places import run_folder


def environment(found: dict[str, str], *, debug: bool) -> dict[str, str]:
    """What was set outside, then what the embedded services found, then values that suit one machine."""
    chosen = {
        "DEBUG": "true" if debug else "false",
        "HTTPS": "false",
        "DEMONSTRATION": "true",
        "ALLOWED_HOSTS": "localhost,127.0.0.1,[::1]",
        "EMAIL_BACKEND": "django.core.mail.backends.console.EmailBackend",
        "STATIC_ROOT": str(run_folder() / "static"),
        "MEDIA_ROOT": str(run_folder() / "media"),
        "DJANGO_SETTINGS_MODULE": "rrp_portal.settings",
        "PYTHONUNBUFFERED": "1",
        "PYTHONWARNINGS": "ignore:You're running the worker with superuser",
    }
    return chosen | found | {name: value for name, value in os.environ.items() if value}
