"""The parts of a plan's page that are not tables: its first figures, what the funding is made of, what others published."""

from django.utils.translation import gettext as _

from funding.models import PublishedTotal
from funding.rollups import FigureRow
from funding.tables import is_split
from funding.views_public.plan_year import PlanPage
from rrp_portal.formats import number, percent, usd_short
from rrp_portal.reference.models import Organisation, OrganisationType


def key_figures(page: PlanPage, total: FigureRow, partners: list[FigureRow]) -> list[dict]:
    """The first figures of a plan, at most six."""
    why, version = page.explainer, page.version
    appealing = [row.partner_id for row in partners if row.required > 0 and row.partner_id]
    original = _("%(amount)s in the first version") % {"amount": usd_short(total.original)}
    keys = [
        {
            "value": total.required,
            "label": _("USD required"),
            "href": why.address({}, "required"),
            "note": original if total.original != total.required else "",
        },
        {
            "value": total.funded,
            "label": _("USD funded"),
            "href": why.address({}, "funded"),
            "note": _("%(amount)s of it paid") % {"amount": usd_short(total.paid)} if is_split(total) else "",
        },
        {"value": total.coverage, "kind": "percent", "label": _("covered"), "href": why.address({}, "coverage")},
        {"value": total.net_gap, "label": _("USD net gap"), "href": why.address({}, "net_gap")},
    ]
    if version is not None and version.people_targeted is not None:
        in_need = {"number": number(version.people_in_need)}
        note = _("of %(number)s in need") % in_need if version.people_in_need else ""
        keys.append({"value": version.people_targeted, "kind": "number", "label": _("people targeted"), "note": note})
    if appealing:
        local = Organisation.objects.filter(
            pk__in=appealing, type__localisation=OrganisationType.Localisation.LOCAL
        ).count()
        note = _("%(count)s of them local or refugee-led") % {"count": local} if local else ""
        keys.append({"value": len(appealing), "kind": "number", "label": _("partners that appeal"), "note": note})
    return keys


def parts_of(page: PlanPage, total: FigureRow) -> list[dict]:
    """What the funding is made of, each part with the address of its rows and a sentence."""
    flexible = _("Unearmarked or softly earmarked; %(percent)s of the funding.") % {
        "percent": percent(total.flexible_share, 2)
    }
    parts = [
        ("paid", _("Paid"), ""),
        ("committed", _("Committed, not yet paid"), ""),
        ("pledged", _("Pledged"), _("Not counted until it is committed or paid.")),
        ("new_money", _("New money"), _("Without carry-over and allocations from pooled or unearmarked income.")),
        (
            "carry_over",
            _("Carried over"),
            _("Left from an earlier year; counted in this year, and once over all years."),
        ),
        ("in_kind", _("In kind"), _("At the value the giver declared.")),
        ("flexible", _("Flexible"), flexible),
    ]
    why = page.explainer
    return [
        {"value": getattr(total, measure), "href": why.address({}, measure), "label": label, "note": note}
        for measure, label, note in parts
        if getattr(total, measure) or (measure in {"paid", "committed", "pledged"} and is_split(total))
    ]


def published(page: PlanPage, total: FigureRow) -> dict | None:
    """What OCHA published for the plan-year, beside what the portal counts; only for today's figures."""
    if page.asked.as_of or not (page.plan.fts_id or page.is_published_basis):
        return None
    rows = PublishedTotal.objects.filter(plan=page.plan, year=page.asked.year)
    row = rows.filter(dimension="total").order_by("-as_of").first() or rows.order_by("-as_of").first()
    if row is None or row.dimension != "total":
        return {"row": row, "is_whole": False} if row else None
    pairs = (("funded", total.funded, row.funded_usd), ("required", total.required, row.required_usd))
    return {"row": row, "is_whole": True} | {
        f"{name}_difference": ours - theirs for name, ours, theirs in pairs if theirs is not None
    }
