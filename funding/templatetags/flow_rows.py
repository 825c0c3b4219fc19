"""Rows of the newest flows on the page of an organisation or a donor, written at once."""

from collections.abc import Iterable
from html import escape

from django import template
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import Truncator
from django.utils.translation import gettext as _

from funding.models import Flow
from rrp_portal.addresses import address
from rrp_portal.formats import day, style
from rrp_portal.reference.models import Organisation

register = template.Library()


@register.simple_tag
def rows_of_received(flows: Iterable[Flow]) -> SafeString:
    """Flows to an organisation: who gave, when, in which status, what for, and how much."""
    anonymous = escape(_("Anonymous donor"))

    def donor(flow: Flow) -> str:
        return anonymous if flow.is_donor_anonymous else _linked("donor-detail", flow.donor)

    return _rows((donor(flow), flow) for flow in flows)


@register.simple_tag
def rows_of_given(flows: Iterable[Flow]) -> SafeString:
    """Flows from an organisation: who received, when, in which status, what for, and how much."""
    return _rows((_linked("organisation-detail", flow.recipient), flow) for flow in flows)


def _linked(page: str, organisation: Organisation | None) -> str:
    if organisation is None:
        return escape(_("Not specified"))
    return f'<a href="{escape(address(page, organisation.pk))}">{escape(organisation.name)}</a>'


def _rows(rows: Iterable[tuple[str, Flow]]) -> SafeString:
    how, statuses, types = style(), dict(Flow.Status.choices), dict(Flow.Type.choices)
    written = (
        f'<tr><th scope="row">{name}</th><td>{day(flow.flow_on)}</td><td>{escape(str(statuses.get(flow.status, flow.status)))}</td>'
        f'<td><a href="{reverse("funding:flow-detail", args=[flow.pk])}">'
        f"{escape(Truncator(flow.description or types.get(flow.type, flow.type)).chars(90))}</a></td>"
        f'<td class="num"><bdi>{how.usd(flow.amount_usd)}</bdi></td></tr>'
        for name, flow in rows
    )
    return mark_safe("".join(written))  # noqa: S308  every text is escaped
