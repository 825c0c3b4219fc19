"""Original money into frozen US dollars: at the rate of the decision date, or at a rate that was typed with its source (BR-16)."""

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal

from django.utils.translation import gettext_lazy as _

from funding.models import Flow
from funding.services.refusals import Refusals
from rrp_portal.reference.models import ExchangeRate

USD = "USD"
CENT = Decimal("0.01")
ONE = Decimal(1)


def to_usd(original: Decimal, units_per_usd: Decimal) -> Decimal:
    """An original amount in US dollars, rounded half up to cents: amount / rate, the rate being units per dollar."""
    return (original / units_per_usd).quantize(CENT, ROUND_HALF_UP)


def shares_in_usd(originals: Sequence[Decimal], units_per_usd: Decimal) -> list[Decimal]:
    """Parts of an amount in US dollars that add up to the whole in US dollars, to the cent, whatever the rounding."""
    shares, so_far, so_far_usd = [], Decimal(0), Decimal(0)
    for original in originals:
        so_far += original
        reached = to_usd(so_far, units_per_usd)
        shares.append(reached - so_far_usd)
        so_far_usd = reached
    return shares


def freeze(flow: Flow, refusals: Refusals) -> None:
    """Set the flow's rate, its source and date, and the frozen amount in US dollars; a currency without a rate is refused."""
    if flow.original_amount is None:
        refusals.add("original_amount", _("Give the amount."), "required")
        return
    if not flow.currency_id:
        refusals.add("currency", _("Choose the currency of the amount."), "required")
        return
    day = flow.decided_on or flow.flow_on
    if flow.currency_id == USD:
        flow.units_per_usd, flow.rate_source, flow.rate_on = ONE, "", day
    elif flow.units_per_usd is not None:
        _accept_typed(flow, refusals)
        flow.rate_on = flow.rate_on or day
    elif rate := ExchangeRate.objects.on(flow.currency_id, day):
        flow.units_per_usd, flow.rate_source, flow.rate_on = rate.units_per_usd, rate.source, rate.starts_on
    else:
        refusals.add(
            "units_per_usd",
            _("There is no rate for %(currency)s on %(day)s. Give the rate you used and where it comes from."),
            "no_rate",
            currency=flow.currency_id,
            day=day,
        )
    if flow.units_per_usd is not None and flow.units_per_usd > 0:
        flow.amount_usd = to_usd(flow.original_amount, flow.units_per_usd)


def _accept_typed(flow: Flow, refusals: Refusals) -> None:
    if flow.units_per_usd is not None and flow.units_per_usd <= 0:
        refusals.add("units_per_usd", _("An exchange rate is more than zero."))
    if not flow.rate_source.strip():
        refusals.add("rate_source", _("Say where this rate comes from, for example the donor's bank."), "required")
