"""The embedded PostgreSQL and Redis do what a server would."""

import os

import psycopg2
import redis as redis_client


def _connect():
    from django.db import connection

    settings = connection.settings_dict
    return psycopg2.connect(
        host=settings["HOST"],
        port=settings["PORT"] or None,
        user=settings["USER"],
        password=settings["PASSWORD"],
        dbname="postgres",
    )


def test_the_database_is_postgresql_in_utf8_and_utc():
    with _connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('server_encoding'), current_setting('timezone'), version()")
        encoding, timezone, version = cursor.fetchone()
    assert (encoding, timezone) == ("UTF8", "UTC")
    assert version.startswith("PostgreSQL")


def test_redis_answers():
    url = os.environ["REDIS_URL"].replace("redis+socket://", "unix://")
    assert redis_client.from_url(url).ping()
