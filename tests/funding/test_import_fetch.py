"""Fetching from FTS: pages, patience, and going on after an interruption, against a server that replays answers."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

from funding import rollups
from funding.imports import fetching, start_import
from funding.models import Flow
from planning.models import Plan
from rrp_portal.jobs import services
from rrp_portal.jobs.models import Job
from tests.funding.fts import flow, make_reference, page
from tests.funding.test_import_requirements import grouped

pytestmark = pytest.mark.django_db


class Fts(ThreadingHTTPServer):
    """A server with a script: each path and query to its answers in order, the last one again and again."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Answering)
        self.script, self.asked = {}, []

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"

    def says(self, address, *answers):
        """Answers are bytes, a status, or (status, bytes, headers)."""
        self.script[address] = list(answers)


class Answering(BaseHTTPRequestHandler):
    def do_GET(self):  # noqa: N802
        self.server.asked.append(self.path)
        answers = self.server.script.get(self.path, [404])
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        status, body, headers = (
            answer if isinstance(answer, tuple) else (answer, b"", {}) if isinstance(answer, int) else (200, answer, {})
        )
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(body))} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@pytest.fixture(autouse=True)
def reference():
    make_reference()


@pytest.fixture
def waited(monkeypatch):
    waited = []
    monkeypatch.setattr(fetching, "wait", waited.append)
    return waited


@pytest.fixture
def fts(settings, waited):
    server = Fts()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    settings.FTS_API_URL = server.url
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


FIRST = "/v1/public/fts/flow?planid=801&limit=1000"
SECOND = "/v1/public/fts/flow?planid=801&limit=1000&page=2"
GROUPED = "/v1/public/fts/flow?planid=801&groupby=cluster"
REQUIRED = grouped([(5001, "Health", 300_000, 400_000)], single=[(5001, "Health", 150_000)])


def plan_in_two_pages(fts):
    fts.says(FIRST, page(flow(1), next_link=f"{fts.url}{SECOND}"))
    fts.says(SECOND, page(flow(2, 50_000)))
    fts.says(GROUPED, REQUIRED)


def fetch(**options):
    job = start_import(None, wake=False, **options)
    services.run(job.pk)
    job.refresh_from_db()
    return job


def test_a_plan_is_fetched_page_by_page_with_its_requirements(fts, waited):
    plan_in_two_pages(fts)

    job = fetch(plan=801)
    rollups.recompute_stale()

    assert job.error == ""
    assert fts.asked == [FIRST, SECOND, GROUPED]
    assert job.result["counts"]["created"] == 4
    row = rollups.total(Plan.objects.get(fts_id=801).pk, 2026)
    assert (row.required, row.original, row.funded) == (400_000, 300_000, 150_000)
    assert waited == []
    assert set(job.files.values_list("file", flat=True)) == {""}


def test_a_year_is_fetched_without_asking_for_requirements(fts):
    fts.says("/v1/public/fts/flow?year=2026&limit=1000", page(flow(1)))

    job = fetch(year=2026)

    assert (job.state, len(fts.asked), Flow.objects.count()) == ("done", 1, 1)


def test_a_flow_that_fts_does_not_give_any_more_is_told(fts):
    plan_in_two_pages(fts)
    fetch(plan=801)
    fts.says(FIRST, page(flow(1)))

    job = fetch(plan=801)

    assert [row.subject for row in job.rows.filter(outcome="noted")] == ["FTS 2"]
    assert Flow.objects.count() == 2


def test_a_busy_server_is_asked_again_after_a_while(fts, waited):
    plan_in_two_pages(fts)
    fts.says(FIRST, (429, b"", {"Retry-After": "7"}), 503, 500, page(flow(1)))

    assert fetch(plan=801).state == "done"
    assert waited == [7.0, 2.0, 4.0]


def test_an_answer_that_is_cut_off_on_the_way_is_fetched_again(fts, waited):
    whole = page(flow(1))
    plan_in_two_pages(fts)
    fts.says(FIRST, (200, whole[:100], {"Content-Length": str(len(whole))}), whole)

    assert fetch(plan=801).state == "done"
    assert len(waited) == 1


def test_a_server_that_stays_away_ends_the_job_with_a_sentence_and_keeps_what_was_fetched(fts, waited):
    plan_in_two_pages(fts)
    fts.says(SECOND, 502)

    job = fetch(plan=801)

    assert (job.state, job.may_retry, Flow.objects.count()) == ("failed", True, 0)
    assert "FTS did not answer (502). What has been fetched is kept" in job.error
    assert len(waited) == fetching.TRIES - 1

    fts.says(SECOND, page(flow(2, 50_000)))
    fts.asked.clear()
    services.run(services.retry(job, wake=False).pk)
    job.refresh_from_db()

    assert (job.state, Flow.objects.count()) == ("done", 2)
    assert fts.asked == [SECOND, GROUPED]


def test_a_job_whose_worker_was_killed_goes_on_at_its_page(fts, monkeypatch):
    plan_in_two_pages(fts)
    job = start_import(None, wake=False, plan=801)
    keep = fetching._keep

    def killed(job, name, address, body):
        if "page-2" in name:
            raise SystemExit
        keep(job, name, address, body)

    monkeypatch.setattr(fetching, "_keep", killed)
    with pytest.raises(SystemExit):
        services.run(job.pk)
    monkeypatch.setattr(fetching, "_keep", keep)
    Job.objects.filter(pk=job.pk).update(state="waiting")
    fts.asked.clear()

    services.run(job.pk)
    job.refresh_from_db()

    assert (job.state, job.attempts, Flow.objects.count()) == ("done", 2, 2)
    assert fts.asked == [SECOND, GROUPED]


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (404, "FTS did not answer (404)."),
        (b"<html>maintenance</html>", "not whole JSON"),
        (page(flow(1))[:200], "not whole JSON"),
        (b'{"status": "error"}', "answered with an error"),
        (page(flow(1), next_link="https://elsewhere.example/v1/public/fts/flow"), "another server (elsewhere.example)"),
        (page(flow(1), next_link=FIRST), "names the same page"),
        ((302, b"", {"Location": "https://elsewhere.example/"}), "FTS did not answer (302)."),
    ],
)
def test_an_answer_that_makes_no_sense_is_refused(fts, answer, says):
    fts.says(FIRST, answer)

    job = fetch(plan=801)

    assert job.state == "failed"
    assert says in job.error
    assert all("elsewhere" not in asked for asked in fts.asked)


def test_an_answer_larger_than_allowed_is_not_read_to_its_end(fts, settings):
    settings.IMPORT_MAX_BYTES = 1000
    fts.says(FIRST, page(flow(1, description="x" * 300_000)))

    assert "larger than the portal reads" in fetch(plan=801).error


def test_what_is_asked_for_is_named_in_the_address(fts):
    fetch(plan=801, year=2026)

    assert parse_qs(urlsplit(fts.asked[0]).query) == {"planid": ["801"], "year": ["2026"], "limit": ["1000"]}
