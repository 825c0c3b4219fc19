"""Typed readers of environment variables, which fail loudly on nonsense."""

import os
from pathlib import Path
from urllib.parse import unquote, urlsplit


class Misconfigured(RuntimeError):
    """An environment variable is missing or cannot be understood."""


def env_text(name: str, default: str | None = None) -> str:
    """The variable's value, or the content of the file named by NAME_FILE; without both and without default: Misconfigured."""
    if path := os.environ.get(f"{name}_FILE"):
        return Path(path).read_text(encoding="utf-8").strip()
    value = os.environ.get(name, default)
    if value is None:
        raise Misconfigured(f"Set the environment variable {name}; .env.example says what it is for.")
    return value


def env_bool(name: str, *, default: bool = False) -> bool:
    """True for 'true', False for 'false' (any case), the default when unset; anything else is Misconfigured."""
    value = os.environ.get(name, "").strip().lower()
    if not value:
        return default
    if value not in {"true", "false"}:
        raise Misconfigured(f"{name} must be true or false, not {value!r}.")
    return value == "true"


def env_int(name: str, default: int) -> int:
    """The variable as a whole number, or the default when unset or empty."""
    value = os.environ.get(name, "").strip()
    try:
        return int(value) if value else default
    except ValueError:
        raise Misconfigured(f"{name} must be a whole number, not {value!r}.") from None


def env_list(name: str) -> list[str]:
    """The comma-separated values of the variable; an empty list when unset."""
    return [item.strip() for item in os.environ.get(name, "").split(",") if item.strip()]


def database_from_url(url: str) -> dict[str, object]:
    """Django's DATABASES entry for postgresql://user:password@host:port/name?host=/socket/folder."""
    parts = urlsplit(url)
    if parts.scheme not in {"postgres", "postgresql"}:
        raise Misconfigured("DATABASE_URL must begin with postgresql://: the portal runs on PostgreSQL only.")
    query = dict(item.split("=", 1) for item in parts.query.split("&") if "=" in item)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(query.get("host", parts.hostname or "")),
        "PORT": str(parts.port or query.get("port", "")),
    }
