"""What surrounds the code agrees with it: variables, image, compose file, pins, gates."""

import ast
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

PROJECT = Path(__file__).resolve().parents[2]
READERS = {"env_text", "env_bool", "env_int", "env_list"}
ONLY_HERE = {"POSTGRES_PASSWORD", "REDIS_PASSWORD", "PUBLISH"}  # of docker-compose.yml, not of the portal
PLACES = {"STATIC_ROOT", "MEDIA_ROOT", "BIND", "PORT", "DATABASE_TEST_NAME"}  # set by the image, or for tests only


def _read_by_code():
    names = set()
    for path in (PROJECT / "rrp_portal").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in READERS:
                names |= {argument.value for argument in node.args[:1] if isinstance(argument, ast.Constant)}
    gunicorn = (PROJECT / "rrp_portal" / "gunicorn.conf.py").read_text(encoding="utf-8")
    return names | set(re.findall(r"environ\.get\(['\"](\w+)", gunicorn)) | {"WORKER_CONCURRENCY"}


def _example():
    lines = (PROJECT / ".env.example").read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))


def _compose():
    return yaml.safe_load((PROJECT / "docker-compose.yml").read_text(encoding="utf-8"))


def test_the_example_names_every_variable_and_no_other():
    assert set(_example()) == _read_by_code() | ONLY_HERE


def test_the_example_holds_no_secret():
    filled = {name for name, value in _example().items() if value}
    assert not {name for name in filled if re.search("SECRET|PASSWORD|_URL$", name)} - {"FTS_API_URL"}


def test_compose_passes_on_every_variable():
    assert set(_compose()["services"]["web"]["environment"]) == _read_by_code() - PLACES - {"WORKER_CONCURRENCY"}


def test_compose_has_no_default_secret():
    text = (PROJECT / "docker-compose.yml").read_text(encoding="utf-8")
    for name in ("SECRET_KEY", "POSTGRES_PASSWORD", "REDIS_PASSWORD", "ALLOWED_HOSTS"):
        uses = re.findall(r"(?<!\$)\$\{" + name + r"(.*?)\}", text)
        assert uses
        assert all(use.startswith(":?") for use in uses)


@pytest.mark.parametrize("service", ["web", "worker", "beat", "database", "redis"])
def test_every_lasting_service_has_a_health_check_and_comes_back(service):
    description = _compose()["services"][service]
    assert description["healthcheck"]["test"]
    assert description["restart"] == "unless-stopped"


def test_compose_is_valid():
    if not shutil.which("docker") or subprocess.run(["docker", "compose", "version"], capture_output=True).returncode:
        pytest.skip("docker compose is not installed")
    variables = {name: value or "set" for name, value in _example().items()}
    done = subprocess.run(
        ["docker", "compose", "config", "--quiet"],
        cwd=PROJECT,
        env=variables | {"PATH": "/usr/local/bin:/usr/bin:/bin"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def test_the_image_does_not_run_as_root():
    text = (PROJECT / "Dockerfile").read_text(encoding="utf-8")
    last = text[text.rindex("\nFROM ") :]
    assert "\nUSER portal\n" in last
    assert not re.search(r"^(ARG|ENV).*(SECRET|PASSWORD)", last, re.M)


def test_every_python_package_is_pinned_and_hashed():
    for name in ("requirements.txt", "requirements-dev.txt"):
        text = (PROJECT / name).read_text(encoding="utf-8").replace("\\\n", "")
        packages = [line for line in text.splitlines() if line and not line.startswith(("#", "-c", " "))]
        assert packages
        assert all("==" in line and "--hash=sha256:" in line for line in packages)


def test_every_asked_for_package_is_among_the_pins():
    for name in ("requirements", "requirements-dev"):
        pinned = (PROJECT / f"{name}.txt").read_text(encoding="utf-8").lower()
        for line in (PROJECT / f"{name}.in").read_text(encoding="utf-8").splitlines():
            if asked := re.match(r"[A-Za-z][A-Za-z0-9-]*", line):
                assert f"\n{asked[0].lower()}==" in pinned


def test_every_npm_package_is_hashed():
    lock = json.loads((PROJECT / "package-lock.json").read_text(encoding="utf-8"))
    packages = {name: package for name, package in lock["packages"].items() if name}
    assert packages
    assert all(package["integrity"].startswith("sha512-") for package in packages.values())


def test_the_gates_run_in_the_order_that_finds_cheap_faults_first():
    from tools.gates import gates

    names = [name for name, _command, _environment in gates()]
    assert names == [
        "format", "lint", "layers", "types", "migrations", "deployment",
        "API description", "templates", "translations", "sizes",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("template", "fault"),
    [
        ("<p>Hello there</p>", "'Hello there' is not translated"),
        ('<p title="Hello there"></p>', "'Hello there' is read to people and is not translated"),
        ("<script>alert(1)</script>", "an inline script"),
        ('<p style="color: red"></p>', "a style attribute"),
        ('<a onclick="go()"></a>', "an inline event handler"),
    ],
)
def test_the_template_gate_finds(template, fault):
    from tools.check_templates import check

    assert any(words.startswith(fault) for _line, words in check(template))


def test_the_template_gate_accepts_translated_text():
    from tools.check_templates import check

    text = '{% translate "Plans" %}{% blocktranslate %}<b>One</b> plan{% endblocktranslate %}{# note #}&nbsp;1,000 USD'
    assert list(check(f'<p title="{{% translate "Plans" %}}">{text}</p><script src="a.js" defer></script>')) == []


@pytest.mark.parametrize(
    ("original", "translation", "holds"),
    [
        ("%(plan)s is late", "%(plan)s est en retard", True),
        ("%(plan)s is late", "Le plan est en retard", False),
        ("{plan} is late", "{plann} est en retard", False),
        ("%s is late", "%s est en retard", False),
        ("Coverage is 100 %.", "La couverture est de 100 %.", True),
    ],
)
def test_the_translation_gate_compares_placeholders(tmp_path, original, translation, holds):
    from tools.check_translations import check

    catalogue = tmp_path / "django.po"
    head = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\n'
    catalogue.write_text(f'{head}msgid "{original}"\nmsgstr "{translation}"\n', encoding="utf-8")
    assert (list(check(catalogue)) == []) is holds


def test_the_size_gate_measures_functions_and_files(tmp_path):
    from tools.check_sizes import too_long

    path = tmp_path / "long.py"
    path.write_text("def long():\n" + "    x = 1\n" * 55, encoding="utf-8")
    assert list(too_long(path, "long.py", function=50, file=55)) == [("long.py", 56, 55), ("long.py::long", 56, 50)]


def test_every_requirement_named_by_a_test_exists():
    done = subprocess.run(
        [sys.executable, "-m", "tools.requirements_report"], cwd=PROJECT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout[-500:]
