"""A scratch database and scratch services for a benchmark; import it before Django's settings are read."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

PROJECT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PROJECT))

from rrp_portal.embedded import testing  # noqa: E402

os.environ["DATABASE_TEST_NAME"] = f"test_bench_{os.getpid()}"
testing.begin()
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rrp_portal.settings")

import django  # noqa: E402

django.setup()

from django.db import connection  # noqa: E402


@contextmanager
def database() -> Iterator[str]:
    """A new, migrated, empty database; yields its URL and drops it at the end."""
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    place = connection.settings_dict
    try:
        yield f"postgresql://{place['USER']}@/{place['NAME']}?host={quote(place['HOST'])}&port={place['PORT']}"
    finally:
        connection.creation.destroy_test_db("scratch", verbosity=0)
