"""Public pages in a real browser: at 360 pixels, in the dark, right to left, without JavaScript, and checked by axe."""

import pytest

from tests.browser.conftest import objections

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PAGES = ["/", "/plans/RTST26/", "/plans/RTST26/matrix/", "/plans/RTST26/explain/?measure=funded&country=XAA", "/countries/",
         "/countries/XAA/", "/organisations/", "/donors/", "/methodology/", "/data/"]  # fmt: skip


def opened(chromium, site, path, *, language="", **options):
    context = chromium.new_context(viewport={"width": 360, "height": 800}, **options)
    if language:
        context.add_cookies([{"name": "django_language", "value": language, "url": site}])
    page = context.new_page()
    problems = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    response = page.goto(site + path)
    assert response.status == 200, path
    assert problems == [], path
    return page


def test_no_page_is_wider_than_a_phone(chromium, site):
    for path in PAGES:
        for language in ("", "ar"):
            page = opened(chromium, site, path, language=language)
            overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert overflow <= 0, (path, language)
            page.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_to_object_to(chromium, site, scheme):
    for path in PAGES:
        page = opened(chromium, site, path, color_scheme=scheme)
        assert objections(page) == [], path
        page.context.close()


def test_a_reader_without_javascript_filters_opens_a_figure_and_comes_back(chromium, site):
    page = opened(chromium, site, "/", java_script_enabled=False)
    page.get_by_label("Name or code contains").fill("kivara")
    page.get_by_role("button", name="Show").click()
    page.get_by_role("link", name="Kivara Regional Refugee Response Plan 2026").click()
    page.locator("table", has=page.locator("#sectors")).get_by_role("link", name="7,100,000").click()

    assert page.locator("h1").inner_text().replace("\xa0", " ") == "Funded: 7,100,000 USD"
    page.get_by_role("link", name="RTST26").click()
    assert page.locator("h1").inner_text().startswith("Kivara Regional Refugee Response Plan 2026")
