"""The page of imports: for those who track funding; what cannot be read is refused at once with 422."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from rrp_portal.jobs import services
from rrp_portal.jobs.models import Job
from tests.factories import grant, make_organisation, make_plan, make_user
from tests.funding.fts import flow, make_reference, page

pytestmark = pytest.mark.django_db

URL = "/imports/"


@pytest.fixture
def tracker(client):
    user = make_user()
    grant(user, "funding_tracker", "global")
    client.force_login(user)
    return user


@pytest.fixture(autouse=True)
def woken(monkeypatch):
    woken = []
    monkeypatch.setattr(services, "wake_worker", woken.append)
    return woken


def upload(content, name="flows.json"):
    return SimpleUploadedFile(name, content)


@pytest.mark.parametrize(
    ("role", "scope", "status"),
    [
        (None, None, 403),
        ("donor", "global", 403),
        ("partner_finance", "organisation", 403),
        ("funding_tracker", "global", 200),
        ("funding_tracker", "plan", 200),
        ("im_officer", "global", 200),
        ("refugee_coordinator", "plan", 200),
        ("system_admin", "global", 200),
    ],
)
@pytest.mark.parametrize("method", ["get", "post"])
def test_only_those_who_track_funding_import(client, role, scope, status, method):
    user = make_user()
    target = {"plan": {"plan": make_plan()}, "organisation": {"organisation": make_organisation()}}.get(scope, {})
    if role:
        grant(user, role, scope, **target)
    client.force_login(user)

    assert getattr(client, method)(URL).status_code == (422 if (method, status) == ("post", 200) else status)
    assert not Job.objects.exists()


def test_a_visitor_signs_in_first(client):
    assert client.get(URL).status_code == 302
    assert client.post(URL).status_code == 302


def test_a_post_needs_its_token(tracker):
    client = Client(enforce_csrf_checks=True)
    client.force_login(tracker)

    assert client.post(URL, {"plan": "801"}).status_code == 403


def test_dropped_files_become_a_job_with_its_page(client, tracker, woken, django_capture_on_commit_callbacks):
    make_reference()
    with django_capture_on_commit_callbacks(execute=True):
        response = client.post(URL, {"files": [upload(page(flow(1)), "a.json"), upload(page(flow(2)), "b.json")]})
    job = Job.objects.get()

    assert response.status_code == 302
    assert response["Location"] == reverse("jobs:detail", args=[job.pk])
    assert (job.owner, job.title, woken) == (tracker, "Import of a.json and 1 other file", [job.pk])
    services.run(job.pk)
    text = client.get(response["Location"]).text
    assert "Agency W" in text
    assert "Created" in text
    assert client.get(reverse("imports:result", args=[job.pk])).status_code == 302


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ([], "Choose the files to import"),
        ([(b"", "a.json")], "a.json: The file is empty."),
        ([(b"a,b\n1,2", "a.csv")], "a.csv, line 1: This is none of the files the portal knows"),
        ([(page(), "good.json"), (b"\xff\xfe", "bad.json")], "bad.json, line 1: The text is not UTF-8."),
        ([(page(), f"{n}.json") for n in range(51)], "at most 50 files"),
    ],
)
def test_what_cannot_be_read_is_refused_at_once(client, tracker, files, says):
    response = client.post(URL, {"files": [upload(*file) for file in files], "year": ""})

    assert response.status_code == 422
    assert says in response.text
    assert not Job.objects.exists()


def test_what_was_typed_is_kept_when_the_form_is_refused(client, tracker):
    response = client.post(URL, {"plan": "929", "year": "12"})

    assert response.status_code == 422
    assert 'value="929"' in response.text


def test_a_request_larger_than_allowed_is_refused_before_it_is_read(client, tracker, settings):
    settings.IMPORT_MAX_BYTES = 1000
    request = {"CONTENT_TYPE": "multipart/form-data; boundary=x", "CONTENT_LENGTH": str(10**9), "wsgi.input": Unread()}

    response = client.post(URL, **request)

    assert response.status_code == 422
    assert "more than 1000" in response.text


class Unread:
    """A body that nobody may read."""

    def read(self, *args):
        raise AssertionError("the body was read")

    readline = read


def test_a_plan_is_fetched_by_its_id(client, tracker):
    client.post(URL, {"plan": "929"})

    job = Job.objects.get()
    assert job.arguments == {"plan": 929, "year": None, "complete": True, "fetch": True}
    assert job.title == "Fetch of FTS plan 929"


def test_the_page_shows_recent_imports_in_a_constant_number_of_queries(client, tracker, django_assert_max_num_queries):
    Job.objects.bulk_create(Job(kind="fts_import", title=f"Import {n}", owner=tracker) for n in range(30))

    with django_assert_max_num_queries(8):
        text = client.get(URL).text

    assert "Import 29" in text
    assert "Import 3<" not in text


def test_a_fetch_that_failed_is_tried_again_by_its_owner(client, tracker, woken, django_capture_on_commit_callbacks):
    job = Job.objects.create(
        kind="fts_import", title="Fetch", owner=tracker, state="failed", result={"may_retry": True}
    )
    done = Job.objects.create(kind="fts_import", title="Import", owner=tracker, state="failed")

    assert "Try again" in client.get(reverse("jobs:detail", args=[job.pk])).text
    with django_capture_on_commit_callbacks(execute=True):
        client.post(reverse("jobs:retry", args=[job.pk]))
        refused = client.post(reverse("jobs:retry", args=[done.pk]), follow=True)

    job.refresh_from_db()
    assert (job.state, woken) == ("waiting", [job.pk])
    assert "This job cannot go on." in refused.text
    client.force_login(make_user())
    assert client.post(reverse("jobs:retry", args=[job.pk])).status_code == 404
