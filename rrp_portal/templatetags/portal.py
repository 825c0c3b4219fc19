"""Tags and filters of every page: figures, dates and names in the reader's language; small pieces of navigation.

Registered as template builtins: no page has to load them. `docs/pages.md` shows one example of each.
"""

from decimal import Decimal
from functools import lru_cache
from html import escape

from django import template
from django.conf import settings
from django.http import QueryDict
from django.urls import NoReverseMatch, get_script_prefix, get_urlconf, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from rrp_portal import formats
from rrp_portal.bars import draw

register = template.Library()

register.filter("usd", formats.usd)
register.filter("usd_short", formats.usd_short)
register.filter("number", formats.number)
register.filter("amount", formats.amount)
register.filter("coverage", formats.coverage)
register.filter("percent", formats.percent)
register.filter("day", formats.day)
register.filter("moment", formats.moment)


@register.filter
def percent2(value) -> str:
    """A percentage with two decimals: 66.50%. Without a value: n/a."""
    return formats.percent(value, 2)


@register.filter
def local_name(thing) -> str:
    """The name of a country, sector … in the reader's language, or how it prints where it has only one name."""
    if thing is None:
        return formats.NO_VALUE
    return getattr(thing, "local_name", None) or str(thing)


@register.filter
def shade(value) -> str:
    """The class of a matrix cell by its coverage: c0 nothing, c1 to 50 %, c2 to 75 %, c3 to 100 %, c4 over-funded."""
    share = formats.to_decimal(value)
    if share is None:
        return ""
    return next((name for name, limit in (("c0", 0), ("c1", 50), ("c2", 75), ("c3", 100)) if share <= limit), "c4")


@register.filter
def days_left(days: int) -> str:
    """How long something may still wait, in words: 3 days left, today, 2 days late."""
    if days == 0:
        return _("today")
    count = formats.number(abs(days))
    if days < 0:
        return ngettext("%(count)s day late", "%(count)s days late", -days) % {"count": count}
    return ngettext("%(count)s day left", "%(count)s days left", days) % {"count": count}


FIGURE_KINDS = {
    "usd": formats.Style.usd,
    "short": formats.Style.usd_short,
    "number": formats.Style.number,
    "percent": formats.Style.percent,
    "percent2": formats.Style.percent2,
}


@register.simple_tag
def figure(value, href: str = "", kind: str = "usd") -> str:
    """A figure; with an address, a dotted link to the rows it is made of."""
    return mark_safe(written(formats.style(), value, href, kind))  # noqa: S308  every text is escaped


def written(style: formats.Style, value, href: str = "", kind: str = "usd") -> str:
    """A figure as HTML; a table asks once how the reader writes figures, because it has hundreds."""
    text = escape(FIGURE_KINDS[kind](style, value))  # Django's own asks each time whether the text is lazy
    if not href or value is None:
        return f"<bdi>{text}</bdi>"
    return f'<a class="why" href="{escape(href)}" aria-describedby="why"><bdi>{text}</bdi></a>'


@register.simple_tag
def bar(*, paid=None, committed=None, pledged=None, required=None, thin: bool = False, scale=None, funded=None) -> str:
    """A coverage bar of amounts: paid solid, committed lighter, pledged hatched and not counted, over-funded apart.

    `committed` is what is committed and not paid. `scale`, the percentage at the bar's end, draws a table's bars alike. `funded`
    given and more than the two together says that the split is not known, as in totals that others published.
    """
    amounts = tuple(formats.to_decimal(value) or Decimal(0) for value in (paid, committed, pledged, required))
    total = formats.to_decimal(funded)
    is_split = total is None or total == amounts[0] + amounts[1]
    if not is_split:
        amounts = (Decimal(0), total, *amounts[2:])
    return draw(amounts, formats.to_decimal(scale), get_language(), thin=thin, is_split=is_split)


def _address(name: str) -> str:
    """The address of a page without arguments, or nothing while there is no such page."""
    return _cached_address(name, get_urlconf() or settings.ROOT_URLCONF, get_script_prefix())


@lru_cache(maxsize=256)
def _cached_address(name: str, urlconf: str, _prefix: str) -> str:
    try:
        return reverse(name, urlconf)
    except NoReverseMatch:
        return ""


@register.simple_tag(takes_context=True)
def nav_link(context, name: str, label: str, *, mark: str = "", also: str = "") -> str:
    """A list item that links to a named page, marked when current; nothing while the page does not exist.

    `also` is the beginning of other addresses that belong to the same part of the site.
    """
    href = _address(name)
    if not href:
        return ""
    path = getattr(context.get("request"), "path", "")
    inside = (href != _address("home") and path.startswith(href)) or (also and path.startswith(also))
    current = ' aria-current="page"' if path == href else ' aria-current="true"' if inside else ""
    count = format_html(' <span class="count">{}</span>', mark) if mark else ""
    return format_html('<li><a href="{}"{}>{}{}</a></li>', href, SafeString(current), label, count)


@register.simple_tag(takes_context=True)
def sortable(context, key: str, label: str, *, num: bool = False, default: str = "") -> str:
    """A column head that sorts by `?sort=key` or `?sort=-key`; figures first from large to small, words from A.

    `default` is the table's order when the address gives none, as the address would give it: "name" or "-required".
    """
    request = context.get("request")
    query = request.GET.copy() if request else QueryDict(mutable=True)
    current = query.get("sort") or default
    first, second = (f"-{key}", key) if num else (key, f"-{key}")
    query["sort"] = second if current == first else first
    for page_parameter in ("page", "cursor"):
        query.pop(page_parameter, None)
    state = {key: ' aria-sort="ascending"', f"-{key}": ' aria-sort="descending"'}.get(current, "")
    return format_html(
        '<th scope="col"{}{}><a class="sort" href="?{}">{}</a></th>',
        SafeString(' class="num"' if num else ""),
        SafeString(state),
        query.urlencode(),
        label,
    )
