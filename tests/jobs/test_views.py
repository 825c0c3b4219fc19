"""Pages of jobs: each sees the own ones, follows the progress, reads and downloads the report."""

import pytest
from django.urls import reverse

from rrp_portal.jobs.models import Job, JobRow
from tests.factories import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner():
    return make_user()


@pytest.fixture
def job(owner):
    counts = {"created": 1, "refused": 2}
    job = Job.objects.create(
        kind="x", title="Import of three flows", owner=owner, state="done", result={"counts": counts, "read": 3}
    )
    JobRow.objects.create(job=job, outcome="refused", subject="Flow 1", file="a.json", line=7, text="It has no amount.")
    JobRow.objects.create(job=job, outcome="refused", subject="=cmd()", text="It has no amount.")
    JobRow.objects.create(job=job, outcome="created", subject="Flow 3")
    return job


def test_jobs_need_a_person(client, job):
    for name, args in (("list", []), ("detail", [job.pk]), ("progress", [job.pk]), ("report", [job.pk])):
        assert client.get(reverse(f"jobs:{name}", args=args)).status_code == 302


@pytest.mark.parametrize("name", ["detail", "progress", "report"])
def test_somebody_elses_job_is_not_there(client, job, name):
    client.force_login(make_user())

    assert client.get(reverse(f"jobs:{name}", args=[job.pk])).status_code == 404


def test_the_list_shows_the_own_jobs_in_a_constant_number_of_queries(client, job, owner, django_assert_max_num_queries):
    Job.objects.create(kind="x", title="Somebody else's", owner=make_user())
    Job.objects.bulk_create(Job(kind="x", title=f"Job {n}", owner=owner) for n in range(40))
    client.force_login(owner)

    with django_assert_max_num_queries(8):
        response = client.get(reverse("jobs:list"))

    assert "Job 39" in response.text
    assert "Somebody else" not in response.text


def test_an_empty_list_says_what_could_be_there(client, owner):
    client.force_login(owner)

    assert "You have not started any job yet" in client.get(reverse("jobs:list")).text


def test_a_finished_job_shows_its_counts_and_its_rows(client, job, owner, django_assert_max_num_queries):
    client.force_login(owner)

    with django_assert_max_num_queries(8):
        text = client.get(reverse("jobs:detail", args=[job.pk])).text
    refused = client.get(reverse("jobs:detail", args=[job.pk]), {"outcome": "created"}).text

    assert "It has no amount." in text
    assert "a.json" in text
    assert "Flow 3" in refused
    assert "Flow 1" not in refused


def test_a_running_job_polls_until_it_has_ended_and_then_asks_for_the_page(client, owner):
    job = Job.objects.create(kind="x", title="Import", owner=owner, state="running", done=30, total=60, step="reading")
    client.force_login(owner)
    url = reverse("jobs:progress", args=[job.pk])

    running = client.get(url, headers={"HX-Request": "true"})
    Job.objects.filter(pk=job.pk).update(state="failed", error="The file is empty.")
    ended = client.get(url, headers={"HX-Request": "true"})

    assert 'value="50"' in running.text
    assert f'hx-get="{url}"' in running.text
    assert "HX-Refresh" not in running
    assert "The file is empty." in ended.text
    assert ended["HX-Refresh"] == "true"


def test_the_report_is_downloaded_whole_and_harmless(client, job, owner):
    client.force_login(owner)

    response = client.get(reverse("jobs:report", args=[job.pk]))
    lines = b"".join(response.streaming_content).decode().splitlines()

    assert len(lines) == 4
    assert lines[1].startswith("Refused,a.json,7,Flow 1,It has no amount.")
    assert "'=cmd()" in lines[2]
