"""A real browser beside a real server, and what every journey checks on every page."""

import os
import shutil
from pathlib import Path

import pytest
from django.conf import settings

CHROMIUM = (
    os.environ.get("CHROMIUM")
    or shutil.which("chromium")
    or shutil.which("chromium-browser")
    or shutil.which("google-chrome")
)
AXE = Path(settings.BASE_DIR, "node_modules", "axe-core", "axe.min.js")
STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


@pytest.fixture(scope="module")
def chromium():
    if CHROMIUM is None:
        pytest.skip("There is no Chromium on this machine; set CHROMIUM to its path.")
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")  # playwright keeps a loop in this thread
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture
def kivara(live_server):
    from funding import rollups  # a conftest is read before Django is ready
    from tests.funding.kivara import make_kivara

    kivara = make_kivara()
    rollups.recompute_stale()
    return kivara


@pytest.fixture
def site(live_server, kivara):
    return live_server.url


def objections(page) -> list:
    """What axe objects to on the page as it stands; none where axe is not installed."""
    if not AXE.exists():
        pytest.skip("node_modules/axe-core is not installed.")
    page.evaluate(AXE.read_text(encoding="utf-8"))  # a script tag would be refused, as it should be
    found = page.evaluate("standards => axe.run(document, {runOnly: standards})", STANDARDS)
    return [(each["id"], [node["html"][:160] for node in each["nodes"][:3]]) for each in found["violations"]]
