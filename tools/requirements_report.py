"""Every requirement of docs/requirements.csv with the tests that show it, and those without: `make requirements`."""

import ast
import csv
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]


def main() -> int:
    """Print the report; 1 when a test names a requirement that does not exist."""
    with (PROJECT / "docs" / "requirements.csv").open(encoding="utf-8", newline="") as file:
        requirements = {row["id"]: row for row in csv.DictReader(file)}
    tests: dict[str, list[str]] = defaultdict(list)
    for path in sorted((PROJECT / "tests").rglob("test_*.py")):
        for identifier, test in marked(path):
            tests[identifier].append(test)
    for identifier, row in requirements.items():
        if identifier in tests:
            print(f"{identifier}  {row['term_en']}")
            print("".join(f"    {test}\n" for test in tests[identifier]), end="")
    without = [identifier for identifier in requirements if identifier not in tests]
    unknown = [
        f"{identifier} ({', '.join(names)})" for identifier, names in tests.items() if identifier not in requirements
    ]
    print(f"\n{len(requirements) - len(without)} of {len(requirements)} requirements have a test.")
    print("Without: " + (" ".join(without) or "none"))
    if unknown:
        print("Named by tests, and not in the list: " + "; ".join(unknown))
    return 1 if unknown else 0


def marked(path: Path) -> Iterator[tuple[str, str]]:
    """Each requirement a test file names, with the test: from @pytest.mark.requirement(...) and from pytestmark."""
    name = path.relative_to(PROJECT).as_posix()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for statement in tree.body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "pytestmark":
            yield from ((identifier, name) for identifier in identifiers(statement.value))
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            for decorator in node.decorator_list:
                yield from ((identifier, f"{name}::{node.name}") for identifier in identifiers(decorator))


def identifiers(node: ast.AST) -> Iterator[str]:
    """The ids in every `requirement(...)` mark within the expression."""
    for call in ast.walk(node):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "requirement":
            yield from (str(argument.value) for argument in call.args if isinstance(argument, ast.Constant))


if __name__ == "__main__":
    sys.exit(main())
