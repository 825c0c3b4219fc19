"""What every resource of the API has in common: pages, CSV, ETags, refusals, throttling, tokens, description."""

import csv
import io
import json

import pytest
from django.core.cache import cache
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError
from django.test import Client
from redis.exceptions import ConnectionError as RedisConnectionError

from planning.models import Requirement
from rrp_portal.api import explain_refusal
from rrp_portal.api.csv import cell
from rrp_portal.jobs.models import Job
from rrp_portal.reference.models import Country, Organisation
from rrp_portal.tokens import issue_token
from tests.factories import make_country, make_organisation, make_plan, make_requirement, make_user, make_version

pytestmark = pytest.mark.django_db

ROOT = "/api/v1/"
LISTS = (
    "plans", "versions", "chapters", "requirements", "flows", "figures", "organisations", "organisation-types", "countries",
    "admin-areas", "bureaus", "sectors", "population-groups", "currencies", "exchange-rates", "situations",
)  # fmt: skip


@pytest.fixture(autouse=True)
def _nobody_is_throttled():
    cache.clear()


def the_refusal(answer):
    (refusal,) = answer.json()["errors"]
    return answer.json()["type"], refusal["field"], refusal["code"]


@pytest.mark.parametrize("name", LISTS)
def test_every_list_answers_a_visitor_as_json_and_as_csv(client, name):
    page = client.get(f"{ROOT}{name}/")
    file = client.get(f"{ROOT}{name}/", {"format": "csv"})

    assert page.status_code == 200, page.content
    assert set(page.json()) == {"next", "previous", "results"}
    assert file["Content-Type"] == "text/csv; charset=utf-8"
    assert file["Content-Disposition"] == f'attachment; filename="{name}.csv"'
    assert b"".join(file.streaming_content).count(b"\r\n") >= 1


def test_the_front_door_lists_every_resource(client):
    addresses = client.get(ROOT).json()

    assert set(addresses) >= {*LISTS, "jobs", "docs", "schema"}
    assert addresses["plans"] == "http://testserver/api/v1/plans/"


def test_pages_follow_each_other_both_ways_and_hold_every_row_once(client):
    for number in range(7):
        make_organisation(f"Organisation {number}")
    first = client.get(f"{ROOT}organisations/", {"page_size": 3}).json()
    second = client.get(first["next"]).json()
    third = client.get(second["next"]).json()
    back = client.get(third["previous"]).json()

    numbers = [row["id"] for page in (first, second, third) for row in page["results"]]
    assert numbers == list(Organisation.objects.order_by("pk").values_list("pk", flat=True))
    assert (first["previous"], third["next"]) == (None, None)
    assert back["results"] == second["results"]
    assert client.get(back["previous"]).json()["results"] == first["results"]
    assert client.get(back["next"]).json()["results"] == third["results"]


def test_a_row_that_comes_in_between_pages_moves_nothing(client):
    for number in range(4):
        make_country(f"B{number}".replace("0", "A").replace("1", "B").replace("2", "C").replace("3", "D") + "X")
    first = client.get(f"{ROOT}countries/", {"page_size": 2}).json()
    make_country("AAA")

    second = client.get(first["next"]).json()

    assert [row["iso3"] for row in first["results"] + second["results"]] == ["BAX", "BBX", "BCX", "BDX"]


def test_a_cursor_of_another_list_is_refused(client):
    for number in range(2):
        make_organisation(f"Organisation {number}")
    link = client.get(f"{ROOT}organisations/", {"page_size": 1}).json()["next"]

    answer = client.get(link.replace("organisations", "countries"))

    assert answer.status_code == 400
    assert the_refusal(answer) == ("validation", "cursor", "cursor")


def test_csv_in_pages_says_where_the_next_one_is(client):
    for number in range(3):
        make_organisation(f"Organisation {number}")

    page = client.get(f"{ROOT}organisations/", {"page_size": 2, "format": "csv"})

    assert len(list(csv.DictReader(io.StringIO(page.content.decode())))) == 2
    assert 'rel="next"' in page["Link"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("=1+1", "'=1+1"),
        ("+cmd", "'+cmd"),
        ("-cmd", "'-cmd"),
        ("@x", "'@x"),
        ("\t=1", "'\t=1"),
        ("-100000.00", "-100000.00"),
        ("13300000.00", "13300000.00"),
        (None, ""),
        (True, "true"),
        (["XAA", "XBB"], "XAA; XBB"),
        ([{"id": 1, "name": "=A"}], "1, =A"),
        (["=A"], "'=A"),
    ],
)
def test_a_cell_holds_numbers_as_they_are_and_no_formulas(value, text):
    assert cell(value) == text


def test_an_unknown_filter_is_refused_with_those_that_exist(client):
    answer = client.get(f"{ROOT}plans/", {"contry": "XAA"})

    assert the_refusal(answer) == ("validation", "contry", "unknown_filter")
    sentence = answer.json()["errors"][0]["message"]
    assert "Did you mean “country”?" in sentence
    assert "search, situation, type, year" in sentence


def test_an_unchanged_answer_costs_no_body(client):
    make_country("XAA", name="Arunda")
    first = client.get(f"{ROOT}countries/XAA/")
    again = client.get(f"{ROOT}countries/XAA/", headers={"if-none-match": first["ETag"]})
    Country.objects.filter(pk="XAA").update(name="Arundia")
    changed = client.get(f"{ROOT}countries/XAA/", headers={"if-none-match": first["ETag"]})

    assert (first.status_code, again.status_code, changed.status_code) == (200, 304, 200)
    assert again.content == b""
    assert {"Accept", "Authorization", "Accept-Language"} <= set(first["Vary"].replace(" ", "").split(","))


def test_a_compressed_answer_has_an_etag_that_still_matches(client):
    for number in range(30):
        make_organisation(f"Organisation {number}")
    first = client.get(f"{ROOT}organisations/", headers={"accept-encoding": "gzip"})

    assert first["Content-Encoding"] == "gzip"
    again = client.get(f"{ROOT}organisations/", headers={"accept-encoding": "gzip", "if-none-match": first["ETag"]})
    assert again.status_code == 304


def test_names_come_in_the_language_of_the_reader(client):
    make_country("TCD", name="Chad", names={"fr": "Tchad"})

    assert client.get(f"{ROOT}countries/TCD/", headers={"accept-language": "fr"}).json()["name"] == "Tchad"
    assert client.get(f"{ROOT}countries/TCD/").json()["name"] == "Chad"


@pytest.mark.parametrize(
    "path", ["plans/NOPE/", "requirements/999999/", "flows/999999999999999999999/", "nothing/", "a/b/c"]
)
def test_what_is_not_there_is_told_as_json(client, path):
    answer = client.get(ROOT + path)

    assert answer.status_code == 404
    assert the_refusal(answer) == ("not_found", None, "not_found")


def test_a_forgotten_slash_is_mended_for_reading(client):
    answer = client.get(f"{ROOT}plans?year=2026")

    assert (answer.status_code, answer["Location"]) == (301, f"{ROOT}plans/?year=2026")


def test_a_visitor_is_asked_to_sign_in_before_writing(client):
    answer = client.post(f"{ROOT}requirements/", "{}", content_type="application/json")

    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, 'Bearer realm="api"')
    assert the_refusal(answer) == ("not_authenticated", None, "not_authenticated")


def test_an_unknown_token_is_refused(client):
    answer = client.get(f"{ROOT}plans/", headers={"authorization": "Bearer rrp_nonsense"})

    assert answer.status_code == 401
    assert the_refusal(answer)[2] == "authentication_failed"


@pytest.mark.parametrize(
    ("body", "content_type", "status", "refused"),
    [
        ("{", "application/json", 400, ("malformed", None, "parse_error")),
        ("\xff\xfe", "application/json", 400, ("malformed", None, "parse_error")),
        ("[]", "application/json", 400, ("validation", None, "not_an_object")),
        ('"x"', "application/json", 400, ("validation", None, "not_an_object")),
        ("a=b", "application/x-www-form-urlencoded", 415, ("media_type", None, "unsupported_media_type")),
    ],
)
def test_a_body_that_cannot_be_read_is_refused_in_a_sentence(client, body, content_type, status, refused):
    client.force_login(make_user())

    answer = client.post(f"{ROOT}requirements/", body.encode("latin-1"), content_type=content_type)

    assert answer.status_code == status
    assert the_refusal(answer) == refused


def test_a_method_that_does_not_exist_is_refused(client):
    client.force_login(make_user())

    answer = client.delete(f"{ROOT}plans/")

    assert (answer.status_code, answer.json()["type"]) == (405, "method")


def test_a_session_writes_only_with_its_csrf_token():
    client = Client(enforce_csrf_checks=True)
    client.force_login(make_user())

    answer = client.post(f"{ROOT}requirements/", "{}", content_type="application/json")

    assert (answer.status_code, answer.json()["type"]) == (403, "permission")


@pytest.fixture
def two_a_minute(monkeypatch):
    monkeypatch.setattr("rrp_portal.api.VisitorThrottle.get_rate", lambda self: "2/min")


def test_who_asks_too_often_is_told_when_to_come_back(client, two_a_minute):
    answers = [client.get(f"{ROOT}bureaus/") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert 1 <= int(answers[2]["Retry-After"]) <= 61
    assert the_refusal(answers[2]) == ("throttled", None, "throttled")
    assert f"Try again in {answers[2]['Retry-After']} s" in answers[2].json()["errors"][0]["message"]


def test_another_forwarded_address_does_not_escape_the_count(client, two_a_minute):
    answers = [client.get(f"{ROOT}bureaus/", headers={"x-forwarded-for": f"10.0.0.{n}"}) for n in range(3)]

    assert answers[2].status_code == 429


def test_a_token_has_the_higher_rate(client, two_a_minute):
    _token, key = issue_token(make_user(), name="t", access="read", expires_at=None)

    answers = [client.get(f"{ROOT}bureaus/", headers={"authorization": f"Bearer {key}"}) for _ in range(4)]

    assert {answer.status_code for answer in answers} == {200}


def test_the_api_answers_while_redis_is_away(client, monkeypatch):
    def away(*args, **kwargs):
        raise RedisConnectionError

    monkeypatch.setattr("django.core.cache.backends.redis.RedisCache.get", away)

    assert client.get(f"{ROOT}bureaus/").status_code == 200


def test_people_see_their_own_jobs_and_visitors_none(client):
    mine, somebody = make_user(), make_user()
    job = Job.objects.create(kind="import", title="Import", owner=mine, state="running", done=1, total=4)
    Job.objects.create(kind="import", title="Other import", owner=somebody)

    assert client.get(f"{ROOT}jobs/").status_code == 401
    client.force_login(mine)
    assert [row["title"] for row in client.get(f"{ROOT}jobs/").json()["results"]] == ["Import"]
    assert client.get(f"{ROOT}jobs/{job.pk}/").json()["percent"] == 25
    client.force_login(somebody)
    assert client.get(f"{ROOT}jobs/{job.pk}/").status_code == 404


def test_a_merged_organisation_says_into_which(client):
    kept, twin = make_organisation("Kept"), make_organisation("Twin")
    twin.merged_into = kept
    twin.save()

    listed = client.get(f"{ROOT}organisations/").json()["results"]

    assert [row["name"] for row in listed] == ["Kept"]
    assert client.get(f"{ROOT}organisations/{twin.pk}/").json()["merged_into"] == kept.pk


@pytest.mark.parametrize("number", [3, 30])
@pytest.mark.parametrize("path", ["organisations/", "countries/", "sectors/", "situations/", "jobs/"])
def test_a_reference_list_costs_at_most_four_queries(client, django_assert_max_num_queries, path, number):
    user = make_user()
    for n in range(number):
        make_organisation(country=make_country(f"X{chr(65 + n // 26)}{chr(65 + n % 26)}"))
        Job.objects.create(kind="import", title="Import", owner=user)
    client.force_login(user)

    with django_assert_max_num_queries(4):
        assert client.get(ROOT + path).status_code == 200


def test_the_description_is_public_and_valid_json(client):
    document = json.loads(client.get(f"{ROOT}openapi.json").content)

    assert document["openapi"].startswith("3.")
    assert {f"{ROOT}{name}/" for name in LISTS} <= set(document["paths"])


def test_the_documentation_names_every_list(client):
    page = client.get(f"{ROOT}docs/").content.decode()

    assert all(f"{ROOT}{name}/" in page for name in LISTS)
    assert "page_size" in page


@pytest.mark.parametrize(
    ("accept", "status", "kind"), [("application/xml", 406, "not_acceptable"), ("text/html,*/*;q=0.8", 200, None)]
)
def test_a_form_that_the_api_does_not_speak_is_refused(client, accept, status, kind):
    answer = client.get(f"{ROOT}bureaus/", headers={"accept": accept})

    assert (answer.status_code, answer.json().get("type")) == (status, kind)


def test_csv_can_be_asked_for_in_the_accept_header(client):
    answer = client.get(f"{ROOT}bureaus/", headers={"accept": "text/csv"})

    assert b"".join(answer.streaming_content) == b"code,name,retired_on\r\n"


def test_a_refusal_is_written_as_csv_for_those_who_asked_for_csv(client):
    answer = client.get(f"{ROOT}bureaus/", {"format": "csv", "nope": 1})

    assert answer.status_code == 400
    assert answer.content.decode().splitlines()[0] == "type,field,code,message"


def test_a_rule_that_only_the_database_sees_is_told_like_any_other():
    line = {"partner": make_organisation(type="gov_host"), "gross_usd": 5, "year": 2026}
    version = make_version(make_plan())
    line |= {"version": version, "chapter": version.plan.chapters.get(), "sector": version.plan.sectors.get()}
    with pytest.raises(IntegrityError) as broken, transaction.atomic():
        Requirement.objects.create(**line)

    answer = explain_refusal(broken.value, {})

    assert answer.status_code == 400
    assert answer.data["errors"][0]["code"] == "requirement_partner_may_appeal"
    assert answer.data["errors"][0]["message"].startswith("An organisation of this type cannot own a requirement")


def test_a_line_entered_twice_at_the_same_moment_is_told_like_any_other():
    partner, plan = make_organisation(type="ingo"), make_plan()
    version = make_version(plan, [("XAA", "PROT", partner, 5)])
    with pytest.raises(IntegrityError) as broken, transaction.atomic():
        make_requirement(version, "XAA", "PROT", partner, 6)

    answer = explain_refusal(broken.value, {})

    assert answer.data["errors"] == [
        {
            "field": None,
            "code": "one_requirement_line_per_key",
            "message": "There is already a line for this chapter, sector, partner, population group and year. Change that line.",
        }
    ]


def test_what_others_refer_to_is_not_deleted_and_a_fault_of_ours_is_not_hidden():
    make_organisation(country=make_country("XAA"))
    with pytest.raises(ProtectedError) as protected:
        Country.objects.get(pk="XAA").delete()

    assert explain_refusal(protected.value, {}).status_code == 409
    assert explain_refusal(ZeroDivisionError(), {}) is None


def test_a_published_plan_is_seen_by_all_and_a_draft_by_nobody(client):
    make_plan("OPEN26")
    make_plan("HIDDEN26", published=False)

    assert [row["code"] for row in client.get(f"{ROOT}plans/").json()["results"]] == ["OPEN26"]
