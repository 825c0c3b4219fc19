"""Findings: the headings that say what the figures show, each a whole sentence made from the figures themselves."""

from collections.abc import Sequence
from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from funding.names import Names
from funding.rollups import FigureRow
from funding.tables import Table, is_special
from rrp_portal.formats import number, percent, usd_short

# Up to this coverage, in percent: the words. A fraction is named within one and a half points of it.
SHARES = (
    (Decimal("23.5"), gettext_lazy("Less than a quarter has come")),
    (Decimal("26.5"), gettext_lazy("A quarter has come")),
    (Decimal("31.8"), gettext_lazy("More than a quarter has come")),
    (Decimal("34.9"), gettext_lazy("A third has come")),
    (Decimal("48.5"), gettext_lazy("Less than half has come")),
    (Decimal("51.5"), gettext_lazy("Half has come")),
    (Decimal("65.1"), gettext_lazy("More than half has come")),
    (Decimal("68.2"), gettext_lazy("Two thirds have come")),
    (Decimal("73.5"), gettext_lazy("More than two thirds have come")),
    (Decimal("76.5"), gettext_lazy("Three quarters have come")),
    (Decimal("98.5"), gettext_lazy("More than three quarters have come")),
    (Decimal("101.5"), gettext_lazy("All that is needed has come")),
)


def share_that_has_come(row: FigureRow) -> str:
    """How much of the requirement is funded, in words without a full stop."""
    if row.coverage is None:
        return _("Money has come, and nothing is required") if row.funded else _("Nothing is required")
    if row.funded <= 0:
        return _("Nothing has come yet")
    return next((str(words) for limit, words in SHARES if row.coverage <= limit), _("More has come than is required"))


def of_plan(total: FigureRow, sectors: Sequence[FigureRow], names: Names) -> str:
    """What a plan-year shows at first sight: how much has come, and which sector has least of what it needs."""
    came = share_that_has_come(total)
    needy = [row for row in sectors if row.coverage is not None and not is_special(row)]
    least = min(needy, key=lambda row: (row.coverage, -row.required), default=None)
    if least is None or len(needy) < 2 or total.funded <= 0 or least.coverage is None:
        return came
    values = {"came": came, "sector": names.sector(least).text, "percent": percent(least.coverage)}
    empty = sum(1 for row in needy if row.funded <= 0)
    if empty > 1:
        return ngettext(
            "%(came)s; %(count)s sector has received nothing",
            "%(came)s; %(count)s sectors have received nothing",
            empty,
        ) % (values | {"count": number(empty)})
    if empty:
        return _("%(came)s; %(sector)s has received nothing") % values
    return _("%(came)s; %(sector)s has %(percent)s of what it needs") % values


def _most(table: Table, lacks: str, received: str) -> str:
    """The row that lacks most, or, where no need is known row by row, the one that received most."""
    rows = [row for row in table.rows if not row.is_special]
    needy = [row for row in rows if row.figure.unmet > 0]
    if needy:
        row = max(needy, key=lambda row: row.figure.unmet)
        return lacks % {"name": row.name.text, "amount": usd_short(row.figure.unmet)}
    given = [row for row in rows if row.figure.funded > 0]
    if not given:
        return ""
    row = max(given, key=lambda row: row.figure.funded)
    return received % {"name": row.name.text, "amount": usd_short(row.figure.funded)}


def of_sectors(table: Table) -> str:
    """Which sector lacks most."""
    return _most(table, _("%(name)s lacks most: %(amount)s USD"), _("%(name)s received most: %(amount)s USD"))


def of_countries(table: Table) -> str:
    """Which country lacks most."""
    return _most(
        table, _("The largest gap is in %(name)s: %(amount)s USD"), _("%(name)s received most: %(amount)s USD")
    )


def of_partners(rows: Sequence[FigureRow]) -> str:
    """How many partners with a requirement have received nothing, net of what they passed on."""
    appealing = [row for row in rows if row.required > 0 and row.partner_id]
    empty = sum(1 for row in appealing if row.funded <= 0)
    if not appealing:
        received = sum(1 for row in rows if row.funded > 0 and row.partner_id)
        words = ngettext("%(count)s partner received money", "%(count)s partners received money", received)
        return words % {"count": number(received)} if received else ""
    if not empty:
        return _("Every partner that appeals has received something")
    return ngettext(
        "%(count)s of %(total)s partners has received nothing",
        "%(count)s of %(total)s partners have received nothing",
        empty,
    ) % {"count": number(empty), "total": number(len(appealing))}


def of_donors(table: Table, donors: int) -> str:
    """How many gave, and who gave most."""
    largest = max((row for row in table.rows if not row.is_special), key=lambda row: row.figure.funded, default=None)
    if largest is None or largest.figure.funded <= 0:
        return ""
    values = {"name": largest.name.text, "amount": usd_short(largest.figure.funded), "count": number(donors)}
    return (
        ngettext(
            "%(name)s gave all of it: %(amount)s USD",
            "%(count)s donors gave; the largest, %(name)s, %(amount)s USD",
            donors,
        )
        % values
    )


def of_matrix(rows: Sequence[FigureRow]) -> str:
    """How many cells of country by sector have nothing, and how many have more than they require."""
    cells = [row for row in rows if row.required > 0 and not is_special(row)]
    empty, over = sum(1 for row in cells if row.funded <= 0), sum(1 for row in cells if row.over > 0)
    values = {"empty": number(empty), "over": number(over), "total": number(len(cells))}
    if empty and over:
        return _("Of %(total)s cells, %(empty)s have received nothing and %(over)s more than they require") % values
    if empty:
        return _("Of %(total)s cells, %(empty)s have received nothing") % values
    if over:
        return _("Of %(total)s cells, %(over)s have more than they require") % values
    return ""
