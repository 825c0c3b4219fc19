"""`import_fts` and `verify_rollups` on the command line."""

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from funding import rollups
from funding.models import Flow
from tests.factories import make_flow, make_line, make_organisation, make_plan
from tests.funding.fts import flow, make_reference, page
from tests.funding.test_import_requirements import by_country

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def reference():
    make_reference()


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "flows.json").write_bytes(page(flow(1), flow(2, 50_000), flow(3, status="?")))
    (tmp_path / "requirements.csv").write_bytes(by_country(("XAA", 600_000, 150_000))[0])
    return tmp_path


def test_files_are_imported_and_the_figures_printed(folder, capsys):
    call_command("import_fts", folder / "flows.json", folder / "requirements.csv")

    out = capsys.readouterr().out
    assert "4 rows read: 3 created, 1 refused" in out
    assert "Refused: FTS 3 (flows.json): Its status is “?”" in out
    assert "Kivara Regional Refugee Response Plan 2026 2026: 150,000 of 600,000 USD, 25.00%, gap 450,000" in out


def test_a_file_that_cannot_be_read_ends_with_its_sentence(folder, tmp_path):
    (folder / "flows.json").write_bytes(b"\xff")

    with pytest.raises(CommandError, match=r"flows\.json, line 1: The text is not UTF-8\."):
        call_command("import_fts", folder / "flows.json")
    with pytest.raises(CommandError, match="No such file"):
        call_command("import_fts", tmp_path / "gone.json")
    with pytest.raises(CommandError, match="Name the files to import"):
        call_command("import_fts")
    assert not Flow.objects.exists()


def test_only_a_fetch_that_stopped_can_go_on(folder):
    call_command("import_fts", folder / "flows.json")

    with pytest.raises(CommandError, match="There is no job 999999"):
        call_command("import_fts", resume=999_999)


@pytest.fixture
def figures():
    plan = make_plan(year=2026)
    make_line(
        make_flow(make_organisation(type="gov_donor"), make_organisation(), 700), plan, country="XAA", sector="PROT"
    )
    rollups.recompute_stale()
    return plan


def test_figures_that_add_up_are_told_so(figures, capsys):
    call_command("verify_rollups")

    assert "Every figure is what its rows add up to." in capsys.readouterr().out


def test_a_figure_that_differs_is_shown_and_ends_with_1_until_all_are_rebuilt(figures, capsys):
    with connection.cursor() as cursor:
        cursor.execute("UPDATE funding_figure SET funded = funded + 1 WHERE level = 'total'")

    with pytest.raises(CommandError) as ended:
        call_command("verify_rollups")

    out = capsys.readouterr().out
    assert ended.value.returncode == 1
    assert "2 figures differ" in str(ended.value)
    assert "funded=701.00" in out
    assert "funded=700.00" in out

    call_command("verify_rollups", "--rebuild")
    assert "Every figure is what its rows add up to." in capsys.readouterr().out


def test_plan_years_that_wait_are_left_out_and_told(figures, capsys):
    make_line(make_flow(make_organisation(), make_organisation(), 5), figures, country="XAA")

    call_command("verify_rollups")

    assert "1 plan-years wait to be recomputed and were left out." in capsys.readouterr().out
