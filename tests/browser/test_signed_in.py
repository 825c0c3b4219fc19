"""Journeys of people who are signed in: a tracker records money on a phone, a stranger is told what to do, each in their language."""

import pytest
from django.core.management import call_command

from funding import rollups
from funding.models import Flow
from tests.browser.conftest import objections
from tests.factories import grant, make_user

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PASSWORD = "a long password 1"


@pytest.fixture
def tracker(kivara):
    user = make_user("tracker@example.org", name="Tracy Tracker")
    grant(user, "funding_tracker", "plan", plan=kivara.plan)
    return user


@pytest.fixture
def coordinator(kivara):
    user = make_user("coordinator@example.org", name="Cora Coordinator")
    grant(user, "refugee_coordinator", "plan", plan=kivara.plan)
    return user


def signed_in(chromium, site, user, width=360):
    page = chromium.new_context(viewport={"width": width, "height": 800}).new_page()
    page.goto(f"{site}/accounts/login/?next=/todo/")
    assert objections(page) == []
    page.locator("input[name=login]").fill(user.email)
    page.locator("input[name=password]").fill(PASSWORD)
    page.locator("main button[type=submit]").first.click()
    page.wait_for_url("**/todo/")
    assert objections(page) == []
    return page


def fits(page):
    return page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


@pytest.mark.requirement("BR-10", "I17")
def test_a_tracker_records_money_on_a_phone_and_sees_it_in_the_plan(chromium, site, kivara, tracker):
    page = signed_in(chromium, site, tracker)
    page.goto(f"{site}/flows/new/?plan=RTST26")
    assert objections(page) == []
    assert fits(page)
    page.locator("[name=donor]").fill("Gov Z")
    page.locator("[name=recipient]").fill("UN-B")
    page.locator("[name=original_amount]").fill("250 000")
    page.locator("[name=decided_on]").fill("2026-03-04")
    page.locator("[name=status]").select_option("paid")
    page.locator("[name=lines-0-where]").select_option("XAA")
    page.locator("main form button[type=submit]").last.click()
    page.wait_for_load_state()

    flow = Flow.objects.latest("pk")
    assert (flow.donor.name, flow.recipient.name, flow.amount_usd) == ("Gov Z", "UN-B", 250_000)
    assert page.url.endswith(f"/flows/{flow.pk}/")
    assert objections(page) == []
    assert fits(page)
    rollups.recompute_stale()
    page.goto(f"{site}/plans/RTST26/")
    assert "13,550,000" in page.inner_text("main")


def test_a_refused_form_keeps_what_was_typed_and_says_what_to_do(chromium, site, tracker):
    page = signed_in(chromium, site, tracker)
    page.goto(f"{site}/flows/new/?plan=RTST26")
    page.locator("[name=donor]").fill("Nobody Known")
    page.locator("[name=original_amount]").fill("lots")
    page.locator("main form button[type=submit]").last.click()
    page.wait_for_load_state()

    assert page.locator("[name=donor]").input_value() == "Nobody Known"
    assert page.locator("[name=original_amount]").input_value() == "lots"
    assert page.locator("[role=alert]").count() > 0
    assert objections(page) == []
    assert fits(page)


def test_the_pages_of_a_coordinator_are_accessible(chromium, site, coordinator):
    page = signed_in(chromium, site, coordinator, 1280)
    for path in (
        "/people/",
        "/people/give/",
        "/people/invitations/",
        "/people/history/",
        "/tokens/",
        "/jobs/",
        "/imports/",
    ):
        assert page.goto(site + path).status == 200, path
        assert objections(page) == [], path


def test_a_stranger_is_told_why_and_what_to_do(chromium, site):
    page = signed_in(chromium, site, make_user("stranger@example.org"))

    answer = page.goto(f"{site}/imports/")

    assert answer.status == 403
    assert objections(page) == []
    assert fits(page)
    assert page.goto(f"{site}/plans/NOPE/").status == 404
    assert objections(page) == []


def test_every_language_is_offered_and_shown(chromium, site):
    call_command("load_reference", verbosity=0)
    expected = {"fr": False, "es": False, "ar": True, "zh-hans": False}
    for language, is_right_to_left in expected.items():
        context = chromium.new_context(viewport={"width": 360, "height": 800})
        context.add_cookies([{"name": "django_language", "value": language, "url": site}])
        page = context.new_page()
        page.goto(f"{site}/plans/RTST26/")
        assert page.locator("html").get_attribute("lang") == language
        assert (page.locator("html").get_attribute("dir") == "rtl") is is_right_to_left
        assert "How these figures add up" not in page.inner_text("main")
        assert fits(page), language
        context.close()
