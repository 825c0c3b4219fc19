"""Templates: djlint holds, every visible text can be translated, and no script or style is written inline."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
TRANSLATED = re.compile(r"{%-?\s*blocktrans(?:late)?\b.*?{%-?\s*endblocktrans(?:late)?\s*-?%}", re.S)
COMMENTS = re.compile(r"{%\s*comment\b.*?{%\s*endcomment\s*%}|{#.*?#}|<!--.*?-->", re.S)
CLASSES = re.compile(r"{%\s*block \w+_class\s*%}.*?{%\s*endblock\b.*?%}", re.S)
CODE = re.compile(r"{%.*?%}|{{.*?}}", re.S)
INLINE = (
    (re.compile(r"<script(?![^>]*\b(?:src=|type=\"application/json\"))[^>]*>", re.I), "an inline script"),
    (re.compile(r"<style\b", re.I), "an inline style sheet"),
    (re.compile(r"\sstyle=", re.I), "a style attribute"),
    (re.compile(r"\son[a-z]+=", re.I), "an inline event handler"),
    (re.compile(r"javascript:", re.I), "a javascript: address"),
)
SPOKEN = re.compile(r"\s(?:alt|title|placeholder|aria-label|aria-description|label|content)=\"([^\"]*)\"", re.I)
MACHINE_READ = re.compile(r"<meta\b[^>]*>", re.I)
WORD = re.compile(r"[^\W\d_]{2,}")
HIDDEN_BLOCKS = re.compile(r"<(script|style|code|svg)\b.*?</\1>", re.S | re.I)
UNTRANSLATED = {"templates/design.html"}  # the living style sheet, served with DEBUG only
FREE = {"RRP", "GCR", "UNHCR", "FTS", "API", "CSV", "XLSX", "JSON", "USD", "US", "PDF", "DOCX", "OpenAPI", "nbsp"}


def main() -> int:
    """Print every problem with file and line; the exit code."""
    problems = []
    for path in sorted((PROJECT / "templates").rglob("*")):
        if path.suffix in {".html", ".txt"}:
            name = path.relative_to(PROJECT).as_posix()
            text = path.read_text(encoding="utf-8")
            found = check(text, path.suffix) if name not in UNTRANSLATED else inline(text)
            problems += [f"{name}:{line}: {words}" for line, words in found]
    linter = [sys.executable, "-m", "djlint", "--lint", "--quiet", "templates"]
    done = subprocess.run(linter, cwd=PROJECT, capture_output=True, text=True, check=False)
    if done.returncode:
        problems.append((done.stdout + done.stderr).strip())
    print("\n".join(problems) or "Every template holds.")
    return 1 if problems else 0


def check(text: str, suffix: str = ".html") -> Iterator[tuple[int, str]]:
    """The problems of one template: line and sentence."""
    if suffix == ".html":
        yield from inline(text)
    for pattern in (COMMENTS, TRANSLATED, CLASSES, CODE):
        text = _blank(pattern, text)
    if suffix == ".html":
        for found in SPOKEN.finditer(_blank(MACHINE_READ, text)):
            if _speaks(found[1]):
                yield _line(text, found.start(1)), f"{found[1].strip()!r} is read to people and is not translated"
        text = _blank(HIDDEN_BLOCKS, text)
        text = _blank(re.compile(r"<[^>]*>", re.S), text)
    for number, line in enumerate(text.splitlines(), 1):
        if _speaks(line):
            yield number, f"{line.strip()!r} is not translated"


def inline(text: str) -> Iterator[tuple[int, str]]:
    """Every script and style that is not a file of its own."""
    text = _blank(COMMENTS, text)
    for pattern, what in INLINE:
        for found in pattern.finditer(text):
            yield _line(text, found.start()), f"{what}: the content security policy refuses it"


def _speaks(words: str) -> bool:
    words = re.sub(r"&[a-z]+;|https?://\S+", " ", words)
    return any(word not in FREE for word in WORD.findall(words))


def _blank(pattern: re.Pattern[str], text: str) -> str:
    """Replace what matches by as many lines, so that line numbers stay true."""
    return pattern.sub(lambda found: "\n" * found[0].count("\n"), text)


def _line(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1


if __name__ == "__main__":
    sys.exit(main())
