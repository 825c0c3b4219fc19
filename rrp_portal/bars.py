"""The coverage bar: where each part begins, how long it is, and the sentence that says the same in words."""

from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property, lru_cache
from typing import NamedTuple

from django.utils.html import escape
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from rrp_portal.formats import HUNDRED, percent

ZERO = Decimal(0)


class Part(NamedTuple):
    """One rectangle, in percent of the bar; text, because a decimal would print with the reader's comma."""

    kind: str
    start: str
    size: str


@dataclass(frozen=True)
class Bar:
    """Paid, committed and pledged against what is required; `scale` is the percentage at the bar's end.

    Without `is_split` it is not known what of the funding is paid: all of it stands as committed, and the words say no more.
    """

    paid: Decimal
    committed: Decimal
    pledged: Decimal
    required: Decimal
    scale: Decimal | None = None
    is_split: bool = True

    @cached_property
    def funded(self) -> Decimal:
        """What counts: paid and committed."""
        return self.paid + self.committed

    def share(self, amount: Decimal) -> Decimal:
        """An amount in percent of the requirement, or, where nothing is required, of all there is."""
        whole = self.required or self.funded + self.pledged
        return amount / whole * HUNDRED if whole else ZERO

    @cached_property
    def end(self) -> Decimal:
        """The percentage at the end of the bar: 100, or further where there is more money than need."""
        return max(self.scale or HUNDRED, self.share(self.funded + self.pledged), HUNDRED)

    @property
    def mark(self) -> str:
        """Where the requirement ends, when the bar goes on behind it."""
        return _length(HUNDRED / self.end * HUNDRED) if self.required and self.end > HUNDRED else ""

    @property
    def parts(self) -> list[Part]:
        """The rectangles from the start side: ground, paid, committed, over-funded, pledged."""
        limit = self.required or self.funded
        paid = min(max(self.paid, ZERO), max(self.funded, ZERO), limit)
        committed = min(max(self.funded, ZERO), limit) - paid
        over = max(self.funded - limit, ZERO)
        pledged = max(self.pledged, ZERO)
        place, parts = ZERO, []
        if self.required:
            parts.append(Part("ground", "0", _length(HUNDRED / self.end * HUNDRED)))
        for kind, amount in (("paid", paid), ("committed", committed), ("over", over), ("pledged", pledged)):
            if amount > 0:
                size = self.share(amount) / self.end * HUNDRED
                parts.append(Part(kind, _length(place), _length(size)))
                place += size
        return parts

    @property
    def words(self) -> str:
        """The bar as sentences, for those who do not see it."""
        if not self.required:
            return _("Nothing is required here, so there is no coverage.")
        shares = {"funded": percent(self.share(self.funded)), "paid": percent(self.share(self.paid))}
        if not self.is_split:
            words = _("%(funded)s of the requirement is funded; how much of it is paid is not known.") % shares
        elif self.funded > self.required:
            words = _("%(funded)s of the requirement is funded, more than is required; %(paid)s is paid.") % shares
        else:
            words = _("%(funded)s of the requirement is funded; %(paid)s is paid.") % shares
        if self.pledged > 0:
            pledged = percent(self.share(self.pledged))
            words += " " + _("A further %(pledged)s is pledged and not counted.") % {"pledged": pledged}
        return words

    def svg(self, *, thin: bool = False) -> SafeString:
        """The bar as a picture that prints, mirrors in Arabic and needs no style attribute."""
        drawn = "".join(
            f'<rect class="{part.kind}" x="{part.start}%" width="{part.size}%" height="100%"/>' for part in self.parts
        )
        if mark := self.mark:
            drawn += f'<line class="mark" x1="{mark}%" x2="{mark}%" y1="0" y2="100%"/>'
        look = 'class="bar thin" height="8"' if thin else 'class="bar" height="18"'
        return SafeString(f'<svg {look} width="100%" role="img" aria-label="{escape(self.words)}">{drawn}</svg>')


@lru_cache(maxsize=2048)
def draw(
    amounts: tuple[Decimal, ...], scale: Decimal | None, language: str | None, *, thin: bool, is_split: bool = True
) -> SafeString:
    """The bar of paid, committed, pledged and required, in the reader's language; the same bar is drawn once."""
    return Bar(*amounts, scale=scale, is_split=is_split).svg(thin=thin)


def _length(value: Decimal) -> str:
    return f"{value:.2f}"
