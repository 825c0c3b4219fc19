"""Run every gate in order and say which ones hold: `make gates`."""

import os
import subprocess
import sys
import time
import tomllib
from fnmatch import fnmatch
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
DEPLOYED = {"DEBUG": "false", "HTTPS": "true", "ALLOWED_HOSTS": "portal.example.org", "SECRET_KEY": "k9-" * 30 + "xQz7"}


def main() -> int:
    """Run all gates, also after one has failed; the exit code."""
    failed = []
    for name, command, environment in gates():
        began = time.monotonic()
        done = subprocess.run(
            command, cwd=PROJECT, env=os.environ | environment, capture_output=True, text=True, check=False
        )
        mark = "failed" if done.returncode else "holds"
        print(f"{mark:>6}  {name} ({time.monotonic() - began:.1f} s)", flush=True)
        if done.returncode:
            failed.append(name)
            print((done.stdout + done.stderr).rstrip(), flush=True)
    if failed:
        print("\nGates that failed: " + ", ".join(failed) + ".")
    return 1 if failed else 0


def gates() -> list[tuple[str, list[str], dict[str, str]]]:
    """Each gate's name, its command, and what it changes in the environment."""
    python = [sys.executable, "-m"]
    scripts = Path(sys.executable).parent
    manage = [sys.executable, "manage.py"]
    development = {"DEBUG": "true"}
    return [
        ("format", [*python, "ruff", "format", "--check", "--output-format", "concise", "."], {}),
        ("lint", [*python, "ruff", "check", "--output-format", "concise", "."], {}),
        ("layers", [str(scripts / "lint-imports"), "--no-cache"], development),
        ("types", [*python, "mypy", *typed_files()], development),
        ("migrations", [*manage, "makemigrations", "--check", "--dry-run"], development),
        ("deployment", [*manage, "check", "--deploy", "--fail-level", "WARNING"], DEPLOYED),
        ("API description", [*python, "tools.check_openapi"], development),
        ("templates", [*python, "tools.check_templates"], development),
        ("translations", [*python, "tools.check_translations"], {}),
        ("sizes", [*python, "tools.check_sizes"], {}),
    ]


def typed_files() -> list[str]:
    """The files that pyproject.toml promises to be typed."""
    patterns = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["rrp"]["typed"]
    outside = {"node_modules", "tests", "benchmarks"}
    folders = [folder for folder in PROJECT.iterdir() if folder.is_dir() and folder.name[0] != "."]
    files = [path for folder in folders if folder.name not in outside for path in folder.rglob("*.py")]
    names = [path.relative_to(PROJECT).as_posix() for path in files]
    return sorted(name for name in names if any(fnmatch(name, pattern) for pattern in patterns))


if __name__ == "__main__":
    sys.exit(main())
