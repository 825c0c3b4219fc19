"""The API's description is valid and equal to docs/openapi.yaml; `--write` makes it so."""

import subprocess
import sys
import tempfile
from difflib import unified_diff
from itertools import islice
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
COMMITTED = PROJECT / "docs" / "openapi.yaml"


def main() -> int:
    """Generate and validate the description, then compare or write it; the exit code."""
    with tempfile.TemporaryDirectory() as folder:
        fresh = Path(folder) / "openapi.yaml"
        command = [sys.executable, "manage.py", "spectacular", "--validate", "--fail-on-warn", "--file", str(fresh)]
        done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
        if done.returncode:
            print((done.stdout + done.stderr).strip())
            return 1
        text = fresh.read_text(encoding="utf-8")
    if "--write" in sys.argv:
        COMMITTED.write_text(text, encoding="utf-8")
        return 0
    committed = COMMITTED.read_text(encoding="utf-8") if COMMITTED.exists() else ""
    if text != committed:
        difference = unified_diff(committed.splitlines(), text.splitlines(), "committed", "generated", lineterm="", n=1)
        print("\n".join(islice(difference, 40)))
        print("docs/openapi.yaml is not what the code describes: run `make openapi` and commit it.")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
