"""Every test runs on a real PostgreSQL and a real Redis."""

import os

from rrp_portal.embedded import testing

testing.begin()  # before Django reads its settings


def pytest_configure() -> None:
    """A cheap password hasher, for tests make many users; and a migrated database to copy."""
    from django.conf import settings

    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    if template := os.environ.get(testing.TEMPLATE):
        settings.DATABASES["default"]["TEST"]["TEMPLATE"] = template
