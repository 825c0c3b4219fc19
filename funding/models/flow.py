"""Flows of money and their lines: what came, from whom, to whom, for what (BR-01, BR-06 to BR-17)."""

import pghistory
import pgtrigger
from django.contrib.postgres.aggregates import BoolAnd, BoolOr
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.functions import TransactionNow
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Exists, ExpressionWrapper, F, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from planning.models import Plan, PlanSector
from rrp_portal.reference.models import Country, Currency, Grant, Organisation, Sector
from rrp_portal.reference.roles import Permission, Scope

NEVER = Q(pk=None)
LINES_WITHIN_FLOW = gettext_noop("The lines of a flow add up to more than the flow. Lower a line or raise the flow.")

_SUM_WITHIN_FLOW = f"""
    IF EXISTS (
        SELECT 1 FROM funding_flow f
          JOIN (SELECT flow_id, sum(amount_usd) AS total FROM funding_flowline
                 WHERE flow_id IN (SELECT {{key}} FROM changed) GROUP BY flow_id) l ON l.flow_id = f.id
         WHERE abs(l.total) > abs(f.amount_usd) OR l.total * f.amount_usd < 0) THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'lines_within_their_flow',
            MESSAGE = '{LINES_WITHIN_FLOW}';
    END IF;
    RETURN NULL;
"""


def sum_within_flow(name: str, operation: pgtrigger.Operation, key: str) -> pgtrigger.Trigger:
    """A statement-level trigger that refuses lines adding up to more than their flow, also for bulk SQL."""
    return pgtrigger.Trigger(
        name=name,
        operation=operation,
        when=pgtrigger.After,
        level=pgtrigger.Statement,
        referencing=pgtrigger.Referencing(new="changed"),
        func=_SUM_WITHIN_FLOW.format(key=key),
    )


class Place(models.TextChoices):
    """Where money goes, when it is not simply one country (BR-10)."""

    COUNTRY = "country", _("One country")
    REGION = "region", _("Regional")
    NOT_SPECIFIED = "not_specified", _("Not specified")
    SHARED = "shared", _("Shared")


class SectorSplit(models.TextChoices):
    """Which sector money goes to, when it is not simply one (BR-10)."""

    SINGLE = "single", _("One sector")
    NOT_SPECIFIED = "not_specified", _("Not specified")
    SHARED = "shared", _("Shared")


def lines_of_flow(every_or_some: type, holds: Q, *, without: Q, outside_plans: bool = False) -> Q:
    """Whether `holds` is true of every line (BoolAnd) or of some line (BoolOr) of a flow; `without`, for a flow without lines.

    A scalar subquery on purpose: PostgreSQL answers it per row while it walks an index, and reads 50 flows for a page of 50.
    It turns EXISTS into a join over all flows and lines. Lines outside plans are left out unless asked for.
    """
    yes_or_no = models.BooleanField()
    lines = FlowLine.objects.filter(flow=OuterRef("pk")).order_by()
    if not outside_plans:
        lines = lines.filter(plan__isnull=False)
    holds = Coalesce(ExpressionWrapper(holds, yes_or_no), False, output_field=yes_or_no)
    answer = Subquery(
        lines.values("flow").annotate(answer=every_or_some(holds)).values("answer"), output_field=yes_or_no
    )
    return Q(Coalesce(answer, ExpressionWrapper(without, yes_or_no), output_field=yes_or_no))


class FlowQuerySet(models.QuerySet):
    """Which flows a person may see and change."""

    def visible_to(self, user):
        """Flows of published plans and FTS flows outside plans for everybody; the rest for their tracker or recipient."""
        if user.is_superuser:
            return self
        visible = Plan.objects.visible_to(user).values("pk")
        everybody = lines_of_flow(BoolAnd, Q(plan__in=visible), without=Q(fts_id__isnull=False))
        everybody &= Q(source_plan=None) | Q(source_plan__in=visible)
        if not user.is_authenticated:
            return self.filter(everybody)
        own = (
            Grant.objects.giving(user, Permission.REPORT_FUNDING)
            .filter(scope=Scope.ORGANISATION)
            .values("organisation")
        )
        tracked = Q(plan__in=Plan.objects.within(user, Permission.TRACK_FUNDING).values("pk"))
        tracks_one = lines_of_flow(BoolOr, tracked, without=NEVER)
        return self.filter(everybody | Q(recipient__in=own) | tracks_one | self._everywhere(user))

    def editable_by(self, user):
        """Flows all of whose lines lie in plans the user tracks; who tracks everywhere edits every flow."""
        if user.is_superuser:
            return self
        tracked = Q(plan__in=Plan.objects.within(user, Permission.TRACK_FUNDING).values("pk"))
        tracks_all = lines_of_flow(BoolAnd, tracked, without=NEVER, outside_plans=True)
        return self.filter(tracks_all | self._everywhere(user))

    def _everywhere(self, user):
        """Whether the user tracks funding everywhere, as a condition that PostgreSQL answers once per query."""
        return Q(Exists(Grant.objects.giving(user, Permission.TRACK_FUNDING).filter(scope=Scope.GLOBAL)))


@pghistory.track()
class Flow(models.Model):
    """One flow of money or goods. It changes status (history kept); it is never entered again per status (BR-06)."""

    class Status(models.TextChoices):
        PLEDGE = "pledge", _("Pledge")
        COMMITMENT = "commitment", _("Commitment")
        PAID = "paid", _("Paid")
        CANCELLED = "cancelled", _("Cancelled")

    class Type(models.TextChoices):
        STANDARD = "standard", _("Standard")
        PASS_THROUGH = "pass_through", _("Pass-through between partners")
        CARRY_OVER = "carry_over", _("Carry-over from an earlier year")
        PARKED = "parked", _("Parked, not yet distributed")
        REVERSAL = "reversal", _("Reversal")
        UNEARMARKED_ALLOCATION = "unearmarked_allocation", _("Allocation of unearmarked income")

    class ContributionType(models.TextChoices):
        FINANCIAL = "financial", _("Financial")
        IN_KIND = "in_kind", _("In kind")
        SERVICES = "services", _("Services or secondment")

    class Method(models.TextChoices):
        TRADITIONAL = "traditional", _("Traditional aid")
        CASH = "cash", _("Cash transfer programming")

    class Earmarking(models.TextChoices):
        UNEARMARKED = "unearmarked", _("Unearmarked")
        SOFTLY = "softly", _("Softly earmarked")
        EARMARKED = "earmarked", _("Earmarked")
        TIGHTLY = "tightly", _("Tightly earmarked")

    class Channel(models.TextChoices):
        FORM = "form", _("Entered in the portal")
        FILE = "file", _("Imported from a spreadsheet")
        FTS = "fts", _("Imported from OCHA FTS")
        API = "api", _("Sent through the API")

    fts_id = models.PositiveBigIntegerField(_("FTS flow id"), null=True, blank=True, unique=True)
    fts_version = models.PositiveIntegerField(_("FTS version"), null=True, blank=True)
    reference = models.CharField(_("reference"), max_length=200, blank=True)
    description = models.TextField(_("description"), blank=True)
    status = models.CharField(_("status"), max_length=20, choices=Status)
    type = models.CharField(_("flow type"), max_length=30, choices=Type, default=Type.STANDARD)
    contribution_type = models.CharField(
        _("contribution type"), max_length=20, choices=ContributionType, default=ContributionType.FINANCIAL
    )
    method = models.CharField(_("delivery method"), max_length=20, choices=Method, default=Method.TRADITIONAL)
    is_new_money = models.BooleanField(_("new money"), default=True)
    earmarking = models.CharField(_("earmarking"), max_length=20, choices=Earmarking, blank=True)
    earmarking_modality = models.CharField(_("earmarking modality, A to L"), max_length=1, blank=True)
    amount_usd = models.DecimalField(_("amount, USD"), max_digits=17, decimal_places=2)
    original_amount = models.DecimalField(_("original amount"), max_digits=19, decimal_places=2, null=True, blank=True)
    currency = models.ForeignKey(
        Currency, models.PROTECT, null=True, blank=True, related_name="flows", verbose_name=_("original currency")
    )
    units_per_usd = models.DecimalField(
        _("exchange rate, units per US dollar"), max_digits=20, decimal_places=10, null=True, blank=True
    )
    rate_source = models.CharField(_("source of the rate"), max_length=200, blank=True)
    rate_on = models.DateField(_("date of the rate"), null=True, blank=True)
    full_parked_usd = models.DecimalField(
        _("full amount before distribution, USD"), max_digits=17, decimal_places=2, null=True, blank=True
    )
    valuation_basis = models.CharField(_("basis of valuation in kind"), max_length=200, blank=True)
    budget_year = models.PositiveSmallIntegerField(_("budget year"), null=True, blank=True)
    flow_on = models.DateField(_("date"), null=True, blank=True)
    decided_on = models.DateField(_("decision date"), null=True, blank=True)
    first_reported_on = models.DateField(_("first reported"), null=True, blank=True)
    source_updated_at = models.DateTimeField(_("updated at the source"), null=True, blank=True)
    donor = models.ForeignKey(
        Organisation, models.PROTECT, null=True, blank=True, related_name="flows_given", verbose_name=_("donor")
    )
    is_donor_anonymous = models.BooleanField(_("donor wishes to stay anonymous"), default=False)
    recipient = models.ForeignKey(
        Organisation, models.PROTECT, null=True, blank=True, related_name="flows_received", verbose_name=_("recipient")
    )
    source_plan = models.ForeignKey(
        Plan, models.PROTECT, null=True, blank=True, related_name="flows_out", verbose_name=_("out of plan")
    )
    source_year = models.PositiveSmallIntegerField(_("out of year"), null=True, blank=True)
    source_place = models.CharField(_("out of place"), max_length=20, choices=Place, blank=True)
    source_country = models.ForeignKey(
        Country, models.PROTECT, null=True, blank=True, related_name="flows_out", verbose_name=_("out of country")
    )
    source_split = models.CharField(_("out of sectors"), max_length=20, choices=SectorSplit, blank=True)
    source_sector = models.ForeignKey(
        PlanSector, models.PROTECT, null=True, blank=True, related_name="flows_out", verbose_name=_("out of sector")
    )
    parent = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="children", verbose_name=_("parent flow")
    )
    fts_parent_id = models.PositiveBigIntegerField(_("FTS id of the parent flow"), null=True, blank=True)
    corrects = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="corrections", verbose_name=_("corrects")
    )
    reason = models.TextField(_("reason"), blank=True)
    keywords = ArrayField(models.CharField(max_length=100), default=list, blank=True, verbose_name=_("keywords"))
    emergencies = ArrayField(models.CharField(max_length=200), default=list, blank=True, verbose_name=_("emergencies"))
    project_name = models.TextField(_("project"), blank=True)
    project_code = models.CharField(_("project code"), max_length=100, blank=True)
    report_details = models.JSONField(_("who reported it"), default=list, blank=True)
    channel = models.CharField(
        _("how it came in"), max_length=10, choices=Channel, default=Channel.FORM, editable=False
    )
    recorded_at = models.DateTimeField(_("recorded at"), db_default=TransactionNow(), editable=False)

    objects = FlowQuerySet.as_manager()

    class Meta:
        verbose_name = _("flow")
        verbose_name_plural = _("flows")
        indexes = [
            models.Index(fields=["donor", "recipient", "flow_on"], name="flow_by_donor_recipient"),
            models.Index(fields=["-amount_usd", "-id"], name="flow_largest_first"),
            models.Index(fields=["source_plan"], name="flow_out_of_plan", condition=Q(source_plan__isnull=False)),
            models.Index(fields=["fts_parent_id"], name="flow_by_fts_parent", condition=Q(fts_parent_id__isnull=False)),
            models.Index(fields=["-flow_on", "-id"], name="flow_newest_first"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(amount_usd__gte=0) | Q(type="reversal") | Q(channel="fts"),
                name="flow_negative_only_as_reversal",
                violation_error_message=_(
                    "A negative amount is a reversal: choose the flow type “Reversal” and give the reason."
                ),
            ),
            models.CheckConstraint(
                condition=Q(amount_usd__lt=10**15),  # "not a number" is more than every number
                name="flow_amount_is_a_number",
                violation_error_message=_("Give the amount as a number."),
            ),
            models.CheckConstraint(
                condition=Q(currency=None) | Q(currency="USD") | Q(units_per_usd__gt=0) | Q(channel="fts"),
                name="flow_in_foreign_currency_has_its_rate",
                violation_error_message=_(
                    "This currency has no exchange rate for the date. Give a rate and its source."
                ),
            ),
            models.CheckConstraint(
                condition=Q(contribution_type="financial") | ~Q(valuation_basis="") | Q(channel="fts"),
                name="flow_in_kind_says_how_it_was_valued",
                violation_error_message=_("Say how the contribution in kind was valued."),
            ),
            models.CheckConstraint(
                condition=~Q(type="reversal") | ~Q(reason=""),
                name="reversal_has_its_reason",
                violation_error_message=_("Give the reason of the reversal."),
            ),
            models.CheckConstraint(
                condition=Q(parent=None) | ~Q(parent=F("id")),
                name="flow_is_not_its_own_parent",
                violation_error_message=_("A flow cannot be part of itself."),
            ),
            models.CheckConstraint(
                condition=Q(donor=None)
                | Q(recipient=None)
                | ~Q(donor=F("recipient"))
                | Q(channel="fts")
                | Q(type__in=["carry_over", "unearmarked_allocation"]),
                name="flow_between_two_organisations",
                violation_error_message=_(
                    "The donor and the recipient are the same organisation. Only a carry-over may be."
                ),
            ),
        ]
        triggers = [sum_within_flow("amount_holds_its_lines", pgtrigger.Update, "id")]

    def __str__(self) -> str:
        return f"{self.donor or _('Not specified')} → {self.recipient or _('Not specified')}: {self.amount_usd} USD"

    def get_absolute_url(self) -> str:
        """The address of the flow's page."""
        return reverse("funding:flow-detail", args=[self.pk])


class FlowLineQuerySet(models.QuerySet):
    """Lines of flows."""

    def for_pages(self):
        """Lines with everything that a list shows, in a constant number of queries."""
        return self.select_related("flow__donor", "flow__recipient", "plan", "country", "sector")


@pghistory.track()
class FlowLine(models.Model):
    """The part of a flow that goes to one plan, year, country and sector; or, honestly, to several or to none named (BR-10)."""

    flow = models.ForeignKey(Flow, models.CASCADE, related_name="lines", verbose_name=_("flow"))
    amount_usd = models.DecimalField(_("amount, USD"), max_digits=17, decimal_places=2)
    plan = models.ForeignKey(
        Plan, models.PROTECT, null=True, blank=True, related_name="flow_lines", verbose_name=_("plan")
    )
    year = models.PositiveSmallIntegerField(
        _("usage year"), null=True, blank=True, help_text=_("Empty when it is not known, or shared between years.")
    )
    place = models.CharField(_("place"), max_length=20, choices=Place, default=Place.NOT_SPECIFIED)
    country = models.ForeignKey(
        Country, models.PROTECT, null=True, blank=True, related_name="flow_lines", verbose_name=_("country")
    )
    split = models.CharField(_("sectors"), max_length=20, choices=SectorSplit, default=SectorSplit.NOT_SPECIFIED)
    sector = models.ForeignKey(
        PlanSector, models.PROTECT, null=True, blank=True, related_name="flow_lines", verbose_name=_("sector")
    )
    global_sector = models.ForeignKey(
        Sector, models.PROTECT, null=True, blank=True, related_name="flow_lines", verbose_name=_("global sector")
    )
    named_years = ArrayField(
        models.PositiveSmallIntegerField(), default=list, blank=True, verbose_name=_("years named")
    )
    named_countries = ArrayField(
        models.CharField(max_length=100), default=list, blank=True, verbose_name=_("countries named")
    )
    named_sectors = ArrayField(
        models.CharField(max_length=200), default=list, blank=True, verbose_name=_("sectors named")
    )
    recorded_at = models.DateTimeField(_("recorded at"), db_default=TransactionNow(), editable=False)

    objects = FlowLineQuerySet.as_manager()

    class Meta:
        verbose_name = _("line of a flow")
        verbose_name_plural = _("lines of flows")
        indexes = [
            models.Index(fields=["plan", "year"], name="flow_line_by_plan_year"),
            models.Index(fields=["country", "year"], name="flow_line_by_country_year"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(place="country", country__isnull=False) | (~Q(place="country") & Q(country=None)),
                name="line_names_its_country",
                violation_error_message=_("Name the country, or say that it is regional, shared or not specified."),
            ),
            models.CheckConstraint(
                condition=Q(sector=None) | Q(split="single"),
                name="line_with_a_sector_is_single",
                violation_error_message=_("A line that names its sector is not shared."),
            ),
            models.CheckConstraint(
                condition=Q(plan=None) | ~Q(split="single") | Q(sector__isnull=False),
                name="line_in_a_plan_names_its_sector",
                violation_error_message=_("Name the sector of the plan, or say that it is shared or not specified."),
            ),
        ]
        triggers = [
            sum_within_flow("lines_within_flow_on_insert", pgtrigger.Insert, "flow_id"),
            sum_within_flow("lines_within_flow_on_update", pgtrigger.Update, "flow_id"),
            pgtrigger.Trigger(
                name="sector_of_its_plan",
                operation=pgtrigger.Insert | pgtrigger.Update,
                when=pgtrigger.Before,
                condition=pgtrigger.Condition("NEW.sector_id IS NOT NULL"),
                func="""
                    IF NOT EXISTS (SELECT 1 FROM planning_plansector s WHERE s.id = NEW.sector_id AND s.plan_id = NEW.plan_id) THEN
                        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'flow_line_of_one_plan',
                            MESSAGE = 'The sector must belong to the same plan as the line.';
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.flow_id} · {self.plan} · {self.year} · {self.amount_usd} USD"

    def clean(self) -> None:
        """Refuse a sector of another plan, and lines that add up to more than their flow."""
        super().clean()
        if self.sector_id and self.sector.plan_id != self.plan_id:
            raise ValidationError({"sector": _("The sector must belong to the same plan as the line.")})
        if self.flow_id and self.flow.pk and self.amount_usd is not None:
            others = self.flow.lines.exclude(pk=self.pk).values_list("amount_usd", flat=True)
            total = sum(others, self.amount_usd)
            if abs(total) > abs(self.flow.amount_usd) or total * self.flow.amount_usd < 0:
                raise ValidationError({"amount_usd": _(LINES_WITHIN_FLOW)})
