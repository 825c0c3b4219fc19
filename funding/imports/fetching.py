"""Fetching from the public FTS API, page by page; an interrupted job goes on where it stopped.

Every page becomes a file of the job in the same transaction that moves the job's cursor, so that a page is neither lost nor kept twice.
The import itself begins when all pages are here.
"""

import logging
import tempfile
import time
from collections.abc import Iterator
from typing import IO, Any
from urllib.parse import urlencode, urljoin, urlsplit

import ijson
import requests
from django.conf import settings
from django.core.files import File
from django.db import transaction
from django.utils.translation import gettext as _

from rrp_portal.jobs.models import Job, JobFile
from rrp_portal.jobs.services import Progress, Refusal

logger = logging.getLogger(__name__)

PATH = "/v1/public/fts/flow"
PAGE = 1000
PATIENCE = (10, 120)  # seconds to connect, seconds between two bytes
TRIES = 6
LONGEST_WAIT = 120.0
MOST_PAGES = 2000
AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})


def wait(seconds: float) -> None:
    """Sleep; a name of its own so that tests need not."""
    time.sleep(seconds)


def fetch(job: Job, progress: Progress) -> None:
    """Fetch what the job asks for, if it asks; raises Refusal when FTS does not answer or answers nonsense."""
    if not job.arguments.get("fetch"):
        return
    with requests.Session() as session:
        session.headers["User-Agent"] = f"RRP-Portal/{settings.VERSION}"
        for name, address in _pages(job):
            progress(job.files.count(), None, _("fetching %(name)s from FTS") % {"name": name})
            with tempfile.TemporaryFile() as body:
                _download(session, address, body)
                _keep(job, name, address, body)


def _pages(job: Job) -> Iterator[tuple[str, str]]:
    """What is still to be fetched, as (file name, address): pages of flows, then the plan grouped by cluster."""
    question = {
        key: value for key, value in (("planid", job.arguments["plan"]), ("year", job.arguments["year"])) if value
    }
    label = "-".join(f"{key}-{value}" for key, value in question.items())
    if "next" not in job.arguments:
        job.arguments["next"] = _address(f"{PATH}?{urlencode(question | {'limit': PAGE})}")
    while job.arguments["next"]:
        number = job.files.count() + 1
        if number > MOST_PAGES:
            raise Refusal(_("FTS keeps naming further pages. Ask for one plan or one year at a time."))
        yield f"{label}-page-{number}.json", job.arguments["next"]
    if job.arguments["plan"] and not job.arguments.get("grouped"):
        question = {"planid": job.arguments["plan"], "groupby": "cluster"}
        yield f"planid-{job.arguments['plan']}-groupby-cluster.json", _address(f"{PATH}?{urlencode(question)}")


def _address(link: str) -> str:
    """The link at FTS; a link that leads to another server is refused."""
    address = urljoin(settings.FTS_API_URL, link)
    base, found = urlsplit(settings.FTS_API_URL), urlsplit(address)
    if found.hostname != base.hostname or found.port != base.port:
        raise Refusal(
            _("FTS named a next page on another server (%(server)s); it was not followed.") % {"server": found.netloc}
        )
    return found._replace(scheme=base.scheme).geturl()


def _download(session: requests.Session, address: str, body: IO[bytes]) -> None:
    """Copy the answer into the file, trying again while FTS is busy or away."""
    problem = ""
    for attempt in range(TRIES):
        body.seek(0)
        body.truncate()
        pause = min(2.0**attempt, LONGEST_WAIT)
        try:
            with session.get(address, stream=True, timeout=PATIENCE, allow_redirects=False) as response:
                if response.status_code == 200:
                    _copy(response, body)
                    return
                problem = str(response.status_code)
                if response.status_code not in AGAIN:
                    break
                pause = _pause(response, pause)
        except requests.RequestException as error:
            problem = type(error).__name__
        logger.info("FTS did not answer (%s); waiting %s s", problem, pause)
        if attempt + 1 < TRIES:
            wait(pause)
    raise Refusal(
        _(
            "FTS did not answer (%(problem)s). What has been fetched is kept: try again later, and it goes on from there."
        )
        % {"problem": problem}
    )


def _pause(response: requests.Response, pause: float) -> float:
    """How long FTS wants us to wait."""
    asked = response.headers.get("Retry-After", "")
    return min(float(asked), LONGEST_WAIT) if asked.isdigit() else pause


def _copy(response: requests.Response, body: IO[bytes]) -> None:
    size = 0
    for chunk in response.iter_content(64 * 1024):
        size += len(chunk)
        if size > settings.IMPORT_MAX_BYTES:
            raise Refusal(_("An answer of FTS is larger than the portal reads. Ask for one plan at a time."))
        body.write(chunk)
    promised = response.headers.get("Content-Length", "")
    if promised.isdigit() and not response.headers.get("Content-Encoding") and size != int(promised):
        raise requests.ConnectionError("cut off")


def _next(body: IO[bytes]) -> str:
    """The address of the next page, empty at the last one; raises Refusal for an answer that is not whole."""
    body.seek(0)
    found = ""
    try:
        for prefix, event, value in ijson.parse(body):
            if event == "string" and prefix == "meta.nextLink":
                found = str(value)
            if event == "string" and (prefix, value) == ("status", "error"):
                raise Refusal(_("FTS answered with an error instead of data. Ask it again."))
    except ijson.JSONError:
        raise Refusal(_("FTS answered something that is not whole JSON. Try again later.")) from None
    return _address(found) if found else ""


@transaction.atomic
def _keep(job: Job, name: str, address: str, body: IO[bytes]) -> None:
    """Keep the page and move the cursor behind it."""
    arguments: dict[str, Any] = job.arguments
    following = _next(body)
    if "groupby" in name:
        arguments["grouped"] = True
    elif following == address:
        raise Refusal(_("FTS names the same page as its next one. Try again later."))
    else:
        arguments["next"] = following
    body.seek(0, 2)
    size = body.tell()
    body.seek(0)
    JobFile.objects.create(job=job, name=name, file=File(body, name=name), size=size)
    Job.objects.filter(pk=job.pk).update(arguments=arguments)
