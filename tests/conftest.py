"""Every test runs on a real PostgreSQL and a real Redis."""

from rrp_portal.embedded import testing

testing.begin()  # before Django reads its settings


def pytest_configure() -> None:
    """A cheap password hasher: tests make many users, and none of them needs protection."""
    from django.conf import settings

    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
