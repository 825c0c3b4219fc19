"""What refugee plans and humanitarian plans require together, where a part stands in both (BR-05)."""

from dataclasses import dataclass
from decimal import Decimal

from django.db.models import QuerySet, Sum

from funding.models import Figure
from planning.models import Chapter, Plan

HUMANITARIAN = (Plan.Type.HRP, Plan.Type.FLASH_APPEAL)


@dataclass(frozen=True, slots=True)
class Together:
    """Requirements in US dollars: of refugee plans, of humanitarian plans, what stands in both, and all of it counted once."""

    refugee: Decimal
    humanitarian: Decimal
    overlap: Decimal

    @property
    def required(self) -> Decimal:
        """The sum of all plans less what stands in two of them."""
        return self.refugee + self.humanitarian - self.overlap

    @property
    def humanitarian_only(self) -> Decimal:
        """The part of the humanitarian plans that is not for refugees."""
        return self.humanitarian - self.overlap


def together(plans: QuerySet[Plan], year: int) -> Together:
    """What the plans require together in a year, USD. National plans and frameworks are never added (BR-04).

    A chapter declares its overlap once, for the year in which its plan begins.
    """
    figures = Figure.objects.filter(level="total", year=year)

    def required(chosen: QuerySet[Plan]) -> Decimal:
        return figures.filter(plan__in=chosen.values("pk")).aggregate(sum=Sum("required"))["sum"] or Decimal(0)

    refugee = plans.exclude(type__in=Plan.REFERENCE_ONLY)
    beginning = refugee.filter(starts_on__year=year)
    overlap = Chapter.objects.filter(plan__in=beginning.values("pk")).aggregate(sum=Sum("overlap_with_hrp_usd"))["sum"]
    return Together(required(refugee), required(plans.filter(type__in=HUMANITARIAN)), overlap or Decimal(0))
