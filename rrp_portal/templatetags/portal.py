"""Tags and filters of every page: figures, dates and names in the reader's language; small pieces of navigation.

Registered as template builtins: no page has to load them. `docs/pages.md` shows one example of each.
"""

from decimal import Decimal

from django import template
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from rrp_portal import formats
from rrp_portal.bars import Bar

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
    "usd": formats.usd,
    "short": formats.usd_short,
    "number": formats.number,
    "percent": formats.percent,
    "percent2": percent2,
}


@register.simple_tag
def figure(value, href: str = "", kind: str = "usd") -> str:
    """A figure; with an address, a dotted link to the rows it is made of."""
    text = FIGURE_KINDS[kind](value)
    if not href or value is None:
        return format_html("<bdi>{}</bdi>", text)
    return format_html('<a class="why" href="{}" aria-describedby="why"><bdi>{}</bdi></a>', href, text)


@register.inclusion_tag("_bar.html")
def bar(*, paid=None, committed=None, pledged=None, required=None, thin: bool = False, scale=None):
    """A coverage bar of amounts: paid solid, committed lighter, pledged hatched and not counted, over-funded apart.

    `committed` is what is committed and not paid. `scale`, the percentage at the bar's end, draws a table's bars alike.
    """
    amounts = [formats.to_decimal(value) or Decimal(0) for value in (paid, committed, pledged, required)]
    return {"bar": Bar(*amounts, scale=formats.to_decimal(scale)), "thin": thin}


def _address(name: str) -> str | None:
    try:
        return reverse(name)
    except NoReverseMatch:
        return None


@register.inclusion_tag("_nav_link.html", takes_context=True)
def nav_link(context, name: str, label: str, mark: str = ""):
    """A list item that links to a named page, marked when current; nothing while the page does not exist."""
    href = _address(name)
    request = context.get("request")
    path = request.path if request else ""
    inside = bool(href) and href != _address("home") and path.startswith(href)
    return {"href": href, "label": label, "mark": mark, "current": "page" if path == href else "true" if inside else ""}


@register.inclusion_tag("_sortable.html", takes_context=True)
def sortable(context, key: str, label: str, *, num: bool = False, default: str = ""):
    """A column head that sorts by `?sort=key` or `?sort=-key`; figures first from large to small, words from A.

    `default` is the table's order when the address gives none, as the address would give it: "name" or "-required".
    """
    request = context.get("request")
    query = request.GET.copy() if request else None
    current = (query.get("sort") if query else "") or default
    first, second = (f"-{key}", key) if num else (key, f"-{key}")
    target = second if current == first else first
    state = {key: "ascending", f"-{key}": "descending"}.get(current, "")
    if not query:
        return {"label": label, "num": num, "state": state, "href": f"?sort={target}"}
    query["sort"] = target
    for page_parameter in ("page", "cursor"):
        query.pop(page_parameter, None)
    return {"label": label, "num": num, "state": state, "href": f"?{query.urlencode()}"}
