"""Catalogues: placeholders are named, and every translation has those of its original."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.pofile import read_po

PROJECT = Path(__file__).resolve().parents[1]
NAMED = re.compile(r"%\((\w+)\)[#0\- +]*\d*(?:\.\d+)?[a-z]|(?<!{){(\w+)}")
UNNAMED = re.compile(r"(?<!%)%[#0+]*\d*(?:\.\d+)?[sdifr]\b|(?<!{){}")


def main() -> int:
    """Print every problem with file and message; the exit code."""
    catalogues = sorted((PROJECT / "locale").glob("*/LC_MESSAGES/*.po"))
    problems = [f"{path.relative_to(PROJECT)}: {words}" for path in catalogues for words in check(path)]
    print("\n".join(problems) or f"{len(catalogues)} catalogues hold.")
    return 1 if problems else 0


def check(path: Path) -> Iterator[str]:
    """The problems of one catalogue, a sentence each."""
    with path.open("rb") as file:
        catalogue = read_po(file, abort_invalid=True)
    for message in catalogue:
        if not message.id:
            continue
        originals = message.id if isinstance(message.id, tuple | list) else (message.id,)
        strings = message.string if isinstance(message.string, tuple | list) else (message.string,)
        yield from (f"{text!r} has a placeholder without a name" for text in originals if UNNAMED.search(text))
        wanted = set().union(*map(names, originals))
        for text in filter(None, strings) if not message.fuzzy else ():
            # a plural form may leave out the number: Arabic says "one plan" and "two plans" in words
            left_out = wanted - names(text) - ({"count", "counter", "number"} if len(originals) > 1 else set())
            if names(text) - wanted or left_out:
                yield f"{text!r} does not have the placeholders of {originals[0]!r}"


def names(text: str) -> set[str]:
    """The named placeholders of a message."""
    return {percent or brace for percent, brace in NAMED.findall(text)}


if __name__ == "__main__":
    sys.exit(main())
