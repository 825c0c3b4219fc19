"""Text from other systems, without what a database cannot hold."""

from decimal import Decimal
from typing import Any


def text(value: Any) -> str:
    """Text without what a database cannot hold; nothing is an empty text."""
    if value is None:
        return ""
    found = str(value).strip()
    if found.isascii():
        return found.replace("\0", "")
    return found.encode("utf-8", "replace").decode().replace("\0", "")


def clean(value: Any) -> Any:
    """A value of JSON with nothing in it that a database cannot hold."""
    if isinstance(value, str):
        return text(value)
    if isinstance(value, dict):
        return {text(key): clean(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [clean(entry) for entry in value]
    return str(value) if isinstance(value, Decimal) else value
