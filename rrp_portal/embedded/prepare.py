"""Run as a program by `make run`: brings the database and the static files up to date."""

import io
import os
import sys
from pathlib import Path

import django
from django.core.management import CommandError, call_command, get_commands
from django.db import DatabaseError

from rrp_portal.environment import Misconfigured, env_bool


def main(logins_file: Path) -> int:
    """Migrate, load, collect, and write the demonstration's logins to the file; the exit code."""
    try:
        django.setup()
        for name, options in _steps():
            if name in get_commands():
                call_command(name, **options)
        _write_logins(logins_file)
    except (CommandError, Misconfigured) as reason:
        sys.stderr.write(f"{reason}\n")
        return 1
    except (OSError, DatabaseError) as reason:
        if "No space left" not in str(reason):
            raise
        sys.stderr.write("The disk is full: free some space and try again.\n")
        return 1
    return 0


def _steps() -> list[tuple[str, dict[str, object]]]:
    steps: list[tuple[str, dict[str, object]]] = [
        ("migrate", {"interactive": False, "verbosity": 0}),
        ("load_reference", {}),
    ]
    if env_bool("DEMONSTRATION"):
        steps.append(("load_demonstration", {}))
    if not env_bool("DEBUG"):
        steps.append(("collectstatic", {"interactive": False, "verbosity": 0}))
    return steps


def _write_logins(path: Path) -> None:
    words = io.StringIO()
    if env_bool("DEMONSTRATION") and "demonstration_logins" in get_commands():
        call_command("demonstration_logins", stdout=words)
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(words.getvalue())


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
