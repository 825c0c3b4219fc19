"""Functions over 50 lines and files over 400 need a written reason in pyproject.toml."""

import ast
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
FOLDERS = ("rrp_portal", "planning", "pledges", "funding", "tests", "tools", "benchmarks", "templates", "static")
KINDS = {".py", ".html", ".css", ".js", ".sh"}


def main() -> int:
    """Print what is too long and every exception nobody needs any more; the exit code."""
    sizes = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["rrp"]["sizes"]
    excused = sizes.get("exceptions", {})
    needed = set()
    problems = []
    for path in source_files(PROJECT):
        name = path.relative_to(PROJECT).as_posix()
        for what, length, limit in too_long(path, name, function=sizes["function"], file=sizes["file"]):
            needed.add(what)
            if not str(excused.get(what, "")).strip():
                problems.append(f"{what} has {length} lines; the limit is {limit}.")
    problems += [
        f"{what} no longer needs its exception." for what in excused if not (PROJECT / what.split("::")[0]).exists()
    ]
    print("\n".join(problems) or f"{len(needed)} pieces are long with a written reason.")
    return 1 if problems else 0


def source_files(project: Path) -> list[Path]:
    """Every file written by hand; migrations and third-party files are not."""
    files = [path for folder in FOLDERS for path in (project / folder).rglob("*") if path.suffix in KINDS]
    files += [project / "manage.py"]
    return sorted(path for path in files if not {"migrations", "vendor"} & set(path.parts))


def too_long(path: Path, name: str, *, function: int, file: int) -> Iterator[tuple[str, int, int]]:
    """The file, if it is over the limit, and each of its functions that is: name, lines, limit."""
    text = path.read_text(encoding="utf-8")
    if (lines := text.count("\n")) > file:
        yield name, lines, file
    if path.suffix == ".py":
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                if length > function:
                    yield f"{name}::{node.name}", length, function


if __name__ == "__main__":
    sys.exit(main())
