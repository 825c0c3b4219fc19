"""/healthz says that the process lives, /readyz which part does not work."""

import json
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from funding.models import StaleMark
from rrp_portal import health
from rrp_portal.embedded import services
from rrp_portal.jobs.models import Heartbeat


def _beat(seconds_ago=1):
    Heartbeat.objects.create(name="worker", beaten_at=timezone.now() - timedelta(seconds=seconds_ago))


def _readyz(rf):
    answer = health.readyz(rf.get("/readyz"))
    return answer.status_code, json.loads(answer.content)


def test_healthz_asks_nothing_of_the_database(rf):
    answer = health.healthz(rf.get("/healthz"))  # without the django_db mark, a query would fail
    assert (answer.status_code, answer.content) == (200, b"ok")


@pytest.mark.django_db
def test_readyz_is_ready_when_everything_is(rf):
    _beat()
    status, answer = _readyz(rf)
    assert status == 200
    assert answer["ready"] is True
    assert answer["checks"]["figures"] == {"ok": True, "oldest_stale_seconds": 0.0}


@pytest.mark.django_db
@pytest.mark.parametrize("seconds", [None, 61])
def test_readyz_misses_the_workers(rf, seconds):
    if seconds:
        _beat(seconds)
    status, answer = _readyz(rf)
    assert status == 503
    assert answer["checks"]["worker"]["ok"] is False
    assert answer["checks"]["database"]["ok"] is True


@pytest.mark.django_db
def test_readyz_tells_the_age_of_the_oldest_stale_figure(rf):
    _beat()
    for seconds in (10, 400):
        StaleMark.objects.create(plan_id=1, year=2026, marked_at=timezone.now() - timedelta(seconds=seconds))
    status, answer = _readyz(rf)
    assert status == 503
    assert 400 <= answer["checks"]["figures"]["oldest_stale_seconds"] < 410


@pytest.mark.django_db
def test_readyz_misses_redis(rf, monkeypatch, tmp_path):
    monkeypatch.setenv("RRP_RUN_FOLDER", str(tmp_path))
    _beat()
    with services.own_redis() as server:
        monkeypatch.setitem(settings.CACHES["default"], "LOCATION", f"unix://{server.socket}")
        assert _readyz(rf)[0] == 200
        server.stop()
        status, answer = _readyz(rf)
    assert status == 503
    assert answer["checks"]["redis"] == {"ok": False}


@pytest.mark.django_db(transaction=True)
def test_readyz_misses_the_database_and_says_nothing_more(rf, monkeypatch):
    connection.close()
    monkeypatch.setitem(connection.settings_dict, "PORT", "1")
    status, answer = _readyz(rf)
    assert status == 503
    assert answer["checks"]["database"] == {"ok": False}
    assert answer["checks"]["figures"] == {"ok": False, "oldest_stale_seconds": None}


@pytest.mark.parametrize("view", [health.healthz, health.readyz])
def test_anybody_may_ask_and_no_answer_is_kept(rf, view, db):
    assert view.login_required is False
    assert "no-store" in view(rf.get("/"))["Cache-Control"]
    assert view(rf.post("/")).status_code == 405
