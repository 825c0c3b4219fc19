"""The addresses of pages that a table links to again and again, each worked out once."""

from functools import lru_cache

from django.conf import settings
from django.urls import get_script_prefix, get_urlconf, reverse


def address(name: str, *args: object) -> str:
    """The address of a named page; raises NoReverseMatch where there is none."""
    return _address(name, args, get_urlconf() or settings.ROOT_URLCONF, get_script_prefix())


@lru_cache(maxsize=8192)
def _address(name: str, args: tuple, urlconf: str, _prefix: str) -> str:
    return reverse(name, urlconf, args)
