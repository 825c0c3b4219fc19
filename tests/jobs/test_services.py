"""Jobs: a row first, one transaction of work, progress that others see, and no job lost with its worker."""

import time
from datetime import timedelta

import pytest
from django.core.files.base import ContentFile
from django.db import connection, connections
from django.utils import timezone

from rrp_portal.jobs import services
from rrp_portal.jobs.models import Heartbeat, Job, JobRow
from rrp_portal.jobs.tasks import beat_heart, restart_orphans, run_job
from tests.factories import make_user


@pytest.fixture
def kinds(monkeypatch):
    monkeypatch.setattr(services, "_kinds", {})


@pytest.fixture
def woken(monkeypatch):
    woken = []
    monkeypatch.setattr(services, "wake_worker", woken.append)
    return woken


def refuse(job, progress):
    make_user("left-behind@example.org")
    raise services.Refusal("The file is empty. Choose another one.")


def crash(job, progress):
    make_user("left-behind@example.org")
    raise ZeroDivisionError


@pytest.mark.django_db
def test_a_job_is_recorded_first_and_wakes_a_worker_after_commit(kinds, woken, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        job = services.start("count", "Count", make_user(), files=[ContentFile(b"abc", name="a.txt")])
        assert woken == []

    assert woken == [job.pk]
    assert (job.state, job.files.get().name, job.files.get().size) == ("waiting", "a.txt", 3)


@pytest.mark.django_db
def test_a_finished_job_keeps_its_result_and_not_its_files(kinds, woken):
    services.register("count")(lambda job, progress: {"read": job.arguments["n"]})
    job = services.start("count", "Count", make_user(), arguments={"n": 3}, files=[ContentFile(b"abc", name="a.txt")])
    kept = job.files.get().file

    run_job(job_id=job.pk)
    job.refresh_from_db()

    assert (job.state, job.result, job.attempts, job.percent) == ("done", {"read": 3}, 1, 100)
    assert not kept.storage.exists(kept.name)
    assert job.files.get().name == "a.txt"


@pytest.mark.django_db
def test_a_broker_that_is_away_is_no_error(kinds, settings, monkeypatch):
    def away(*args, **kwargs):
        raise OSError

    monkeypatch.setattr("celery.current_app.send_task", away)

    services.wake_worker(1)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("work", "says"), [(refuse, "The file is empty. Choose another one."), (crash, "this reference: ")]
)
def test_a_job_that_fails_says_so_in_a_sentence_and_leaves_nothing_half_done(kinds, woken, work, says):
    services.register("fail")(work)
    owner = make_user()
    job = services.start("fail", "Fail", owner)

    services.run(job.pk)
    job.refresh_from_db()

    assert job.state == "failed"
    assert says in job.error
    assert not type(owner).objects.filter(email="left-behind@example.org").exists()


@pytest.mark.django_db
def test_a_job_of_an_unknown_kind_is_refused(kinds, woken):
    job = services.start("unheard-of", "What", make_user())

    services.run(job.pk)
    job.refresh_from_db()

    assert job.state == "failed"
    assert "unheard-of" in job.error


@pytest.mark.django_db
def test_a_job_runs_once_however_often_it_is_asked_to(kinds, woken):
    runs = []
    services.register("count")(lambda job, progress: runs.append(job.pk))
    job = services.start("count", "Count", make_user())

    for _ in range(3):
        run_job(job_id=job.pk)

    assert runs == [job.pk]


@pytest.mark.django_db
def test_a_run_that_was_taken_over_keeps_nothing(kinds, woken):
    owner = make_user()

    def work(job, progress):
        make_user("left-behind@example.org")
        Job.objects.filter(pk=job.pk).update(attempts=2)

    services.register("slow")(work)
    job = services.start("slow", "Slow", owner)

    services.run(job.pk)
    job.refresh_from_db()

    assert job.state == "running"
    assert not type(owner).objects.filter(email="left-behind@example.org").exists()


@pytest.mark.django_db(transaction=True)
def test_progress_is_seen_while_the_work_is_one_open_transaction(kinds, woken):
    seen = []

    def work(job, progress):
        make_user("inside@example.org")
        progress(40, 100, "reading rows")
        time.sleep(0.8)
        other = connections.create_connection("default")
        with other.cursor() as cursor:
            cursor.execute("SELECT done, total, step FROM jobs_job WHERE id = %s", [job.pk])
            seen.append(cursor.fetchone())
            cursor.execute("SELECT count(*) FROM reference_user WHERE email = 'inside@example.org'")
            seen.append(cursor.fetchone()[0])
        other.close()

    services.register("slow")(work)
    job = services.start("slow", "Slow", make_user())

    services.run(job.pk)
    job.refresh_from_db()

    assert seen == [(40, 100, "reading rows"), 0]
    assert (job.state, job.done) == ("done", 40)


@pytest.mark.django_db
def test_a_job_whose_worker_died_starts_again_and_is_given_up_after_three_times(kinds, woken):
    job = services.start("count", "Count", make_user(), wake=False)
    long_ago = timezone.now() - timedelta(minutes=5)
    Job.objects.filter(pk=job.pk).update(state="running", heartbeat_at=long_ago, attempts=1)

    restart_orphans()
    job.refresh_from_db()
    assert (job.state, woken) == ("waiting", [job.pk])

    Job.objects.filter(pk=job.pk).update(state="running", heartbeat_at=long_ago, attempts=3)
    restart_orphans()
    job.refresh_from_db()
    assert job.state == "failed"
    assert "stopped three times" in job.error


@pytest.mark.django_db
def test_a_job_with_a_fresh_sign_of_life_is_left_alone(kinds, woken):
    job = services.start("count", "Count", make_user(), wake=False)
    Job.objects.filter(pk=job.pk).update(state="running", heartbeat_at=timezone.now(), attempts=1)

    restart_orphans()
    job.refresh_from_db()

    assert (job.state, woken) == ("running", [])


@pytest.mark.django_db
def test_a_job_that_nobody_took_is_woken_by_the_sweep(kinds, woken):
    job = services.start("count", "Count", make_user(), wake=False)
    restart_orphans()
    assert woken == []

    Job.objects.filter(pk=job.pk).update(created_at=timezone.now() - timedelta(minutes=2))
    restart_orphans()
    assert woken == [job.pk]


@pytest.mark.django_db
def test_the_workers_give_a_sign_of_life():
    beat_heart()
    beat_heart()

    assert Heartbeat.objects.get().name == "worker"
    assert connection.vendor == "postgresql"


@pytest.mark.django_db
def test_a_row_of_the_report_is_told_in_the_readers_language():
    row = JobRow(subject="Flow 7", text="%(name)s was not known.", values={"name": "A 100% new name"})

    assert row.sentence == "A 100% new name was not known."
