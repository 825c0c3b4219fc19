"""A file that is broken, cut off, too large or something else is refused with its name, line and reason, and leaves nothing."""

import gzip
import random

import pytest

from funding.imports import files
from funding.imports.files import check_size
from funding.models import Flow
from rrp_portal.jobs.models import JobRow
from rrp_portal.jobs.services import Refusal
from rrp_portal.reference.models import Organisation
from tests.funding.fts import bring_in, counts, flow, lines, make_reference, packed, page

pytestmark = pytest.mark.django_db

CSV = "countryCode,id,name,code,typeId,typeName,startDate,endDate,year,requirements,funding,percentFunded\n"
ROW = "XAA,801,Kivara RRP,RKIV26,111,Regional response plan,2026-01-01,2026-12-31,2026,100,50,50\n"


@pytest.fixture(autouse=True)
def reference():
    make_reference()


def nothing_is_left():
    return not Flow.objects.exists() and not Organisation.objects.exists() and not JobRow.objects.exists()


@pytest.mark.parametrize(
    ("content", "name", "says"),
    [
        (b"", "a.json", "a.json: The file is empty."),
        (b"   \n ", "a.json", "none of the files the portal knows"),
        (b"{}", "a.json", "neither flows nor requirements"),
        (b'{"status": "error", "message": "no"}', "a.json", "error instead of data"),
        (b'{"data": {"flows": [1, 2]}}', "a.json", "something else than flows"),
        (b'{"data": {"flows": [', "a.json", "broken or cut off"),
        (page(flow(1), flow(2))[:-400], "a.json", "line 1: The JSON is broken or cut off after 1 flows."),
        (page(flow(1)).replace(b'"amountUSD": 100000', b'"amountUSD": NaN'), "a.json", "broken or cut off"),
        (lines(flow(1), flow(2), flow(3))[:-10], "a.jsonl", "a.jsonl, line 3: This line is not a whole JSON object."),
        (lines(flow(1)) + b"\n[1]\n", "a.jsonl", "line 2: This line is not a flow."),
        (lines(flow(1)) + b"\n" + b"[" * 100_000, "a.jsonl", "line 2: This line is not a whole JSON object."),
        (lines(flow(1)) + b"\n\xff\xfe\n", "a.jsonl", "line 2: The text is not UTF-8."),
        (page(flow(1)).decode().encode("utf-16"), "a.json", "not UTF-8"),
        (page(flow(1, description="x")).replace(b'"x"', b'"\xe9"'), "a.json", "line 1: The text is not UTF-8."),
        (b"PK\x03\x04\x14\x00\x06\x00", "a.xlsx", "not a text file: it contains zero bytes"),
        (packed(page(flow(1)))[:-20], "a.json.gz", "The compressed file is cut off."),
        (packed(page(flow(1)))[:40] + b"rubbish" * 20, "a.json.gz", "The compressed file is damaged."),
        (b"a;b\n1;2\n", "a.csv", "a.csv, line 1: This is none of the files the portal knows"),
        ((CSV + ROW + ROW[:40]).encode(), "a.csv", "a.csv, line 3: This row has 6 columns instead of 12."),
        ((CSV + ROW + 'XAA,"801').encode(), "a.csv", "The CSV is broken here"),
        ((CSV + ROW.replace("Kivara", "Kiv\0ra")).encode(), "a.csv", "line 2: This is not a text file"),
        ((CSV + ROW.replace("Kivara", "Kivarä")).encode("latin-1"), "a.csv", "line 2: The text is not UTF-8."),
        (b'{"data": {"requirements": {"objects": []}}}', "grouped.json", "does not say which plan it is for"),
        (b'{"data": {"requirements": {"objects": []}}}', "planid-5.json", "The FTS plan 5 is not known here."),
        (b'{"data": {"requirements": {"objects": [}}', "planid-5.json", "broken"),
    ],
)
def test_a_bad_file_is_refused_with_the_reason_and_leaves_nothing(content, name, says):
    job = bring_in((page(flow(1)), "good.json"), (content, name))

    assert job.state == "failed"
    assert says in job.error
    assert job.error.startswith(name)
    assert job.error.endswith("Nothing was imported.")
    assert nothing_is_left()


def test_a_byte_order_mark_is_no_reason_to_refuse_a_file():
    job = bring_in((b"\xef\xbb\xbf" + page(flow(1)), "a.json"), (b"\xef\xbb\xbf" + (CSV + ROW).encode(), "b.csv"))

    assert counts(job) == {"created": 2}


def test_a_gigantic_file_is_refused_before_it_is_read(settings, tmp_path):
    settings.IMPORT_MAX_BYTES = 1000

    with pytest.raises(Refusal, match=r"a\.json: The file has .* at most 1000"):
        check_size("a.json", 1001)


def test_a_small_file_that_unpacks_to_a_gigantic_one_is_refused(settings):
    settings.IMPORT_MAX_BYTES = 200_000
    bomb = gzip.compress(page(flow(1, description="0" * 5_000_000)))
    assert len(bomb) < settings.IMPORT_MAX_BYTES

    job = bring_in((bomb, "bomb.json.gz"))

    assert job.state == "failed"
    assert "bomb.json.gz, line 1: Unpacked, the file has more than" in job.error
    assert nothing_is_left()


def test_a_line_without_an_end_is_refused(monkeypatch):
    monkeypatch.setattr(files, "LONGEST_LINE", 5000)

    job = bring_in((lines(flow(1), flow(2, description="x" * 6000)), "a.jsonl"))

    assert "a.jsonl, line 2: This line is too long to be a flow." in job.error


@pytest.mark.parametrize("seed", range(40))
def test_whatever_happens_to_a_file_on_its_way_the_answer_is_a_sentence(seed):
    chance = random.Random(seed)
    content = bytearray(
        chance.choice([page(flow(1), flow(2)), lines(flow(1), flow(2)), (CSV + ROW).encode(), packed(page(flow(3)))])
    )
    for _ in range(chance.randint(1, 6)):
        place = chance.randrange(len(content))
        match chance.randint(0, 3):
            case 0:
                content[place] = chance.randrange(256)
            case 1:
                del content[place:]
                content = content or bytearray(b" ")
            case 2:
                content[place:place] = bytes(chance.choices(b'{}[]",:\\\x00\xff0e', k=3))
            case 3:
                del content[place : place + chance.randint(1, 40)]
                content = content or bytearray(b" ")

    job = bring_in((bytes(content), "file.json"))

    assert job.state in {"done", "failed"}
    assert "unexpected" not in job.error
    if job.state == "done":
        assert job.result["read"] == sum(job.result["counts"].values())
    else:
        assert nothing_is_left()
        assert "file.json" in job.error


def test_the_name_of_a_file_is_only_a_name(tmp_path):
    job = bring_in((page(flow(1)), "../../etc/passwd.json"))

    assert counts(job) == {"created": 1}
    assert job.files.get().name == "passwd.json"


NASTY = [None, "", " ", 0, -1, 2**31, 10**40, 1e308, "1e999", "NaN", "-0.005", True, [], {}, [None], [[]], [{}], {"a": 1}, "x" * 400,
         "2026-13-45", "99999", "\x00", "\ud800", "; DROP TABLE funding_flow; --"]  # fmt: skip


def test_whatever_stands_in_a_field_the_row_has_an_outcome_and_the_rest_comes_in():
    fields = [name for name in flow() if name != "id"]
    objects = ["type", "id", "name", "behavior", "organizationTypes"]
    strange = [
        flow(n) | {field: value} for n, (field, value) in enumerate(((f, v) for f in fields for v in NASTY), start=1)
    ]
    for n, (field, value) in enumerate(((f, v) for f in objects for v in NASTY), start=5000):
        raw = flow(n)
        raw["destinationObjects"] = [entry | {field: value} for entry in raw["destinationObjects"]]
        strange.append(raw)

    job = bring_in((lines(*strange, flow(9999)), "strange.jsonl"))

    assert job.error == ""
    assert job.result["read"] == sum(job.result["counts"].values()) == len(strange) + 1
    assert Flow.objects.filter(fts_id=9999).exists()


def test_whatever_stands_in_a_column_the_row_has_an_outcome():
    columns = CSV.strip().split(",")
    values = ["", "0", "-5", "1e999", "NaN", "x", "99999", "2026-02-31", "9" * 30, "=1+1"]
    rows = []
    for place in range(len(columns)):
        for number, value in enumerate(values):
            cells = ROW.strip().split(",")
            cells[1], cells[3] = str(1000 + place * 20 + number), ""
            cells[place] = value
            rows.append(",".join(cells))

    job = bring_in((CSV + "\n".join(rows)).encode(), is_complete=True)

    assert job.error == ""
    assert job.result["read"] == sum(job.result["counts"].values()) == len(rows)
