"""What the API says about flows, their lines, and figures: codes beside names, money as strings of US dollars."""

from django.utils.translation import gettext_lazy
from rest_framework import serializers

from funding.models import Figure, Flow, FlowLine, Place, PlanYear, SectorSplit
from funding.rollups import percent_2dp
from funding.services import notes_on
from rrp_portal.serializers import LocalNameField


def usd(**options) -> serializers.DecimalField:
    """An amount in US dollars, as a string with two decimals."""
    return serializers.DecimalField(max_digits=19, decimal_places=2, read_only=True, **options)


class PercentField(serializers.DecimalField):
    """A percentage with two decimals, half rounded up; null where nothing is required (BR-19, BR-20)."""

    def __init__(self, **options):
        super().__init__(max_digits=12, decimal_places=2, allow_null=True, read_only=True, **options)

    def to_representation(self, value):
        """The percentage as a string."""
        return super().to_representation(percent_2dp(value))


class FlowLineSerializer(serializers.ModelSerializer):
    """The part of a flow that goes to one plan, year, place and sector."""

    plan = serializers.CharField(source="plan.code", allow_null=True, read_only=True)
    country = serializers.CharField(source="country_id", allow_null=True, read_only=True)
    country_name = LocalNameField(source="country", allow_null=True)
    plan_sector = serializers.IntegerField(source="sector_id", allow_null=True, read_only=True)
    sector = serializers.CharField(source="sector.sector.code", allow_null=True, read_only=True)
    sector_name = serializers.CharField(source="sector.name", allow_null=True, read_only=True)
    global_sector = serializers.CharField(source="global_sector.code", allow_null=True, read_only=True)

    class Meta:
        model = FlowLine
        fields = [
            "id",
            "amount_usd",
            "plan",
            "year",
            "place",
            "country",
            "country_name",
            "split",
            "plan_sector",
            "sector",
            "sector_name",
            "global_sector",
            "named_years",
            "named_countries",
            "named_sectors",
        ]


class FlowSerializer(serializers.ModelSerializer):
    """A flow with its lines. A donor who wishes to stay anonymous is null for those who do not keep the flow."""

    donor = serializers.SerializerMethodField()
    donor_name = serializers.SerializerMethodField()
    recipient = serializers.IntegerField(source="recipient_id", allow_null=True, read_only=True)
    recipient_name = serializers.CharField(source="recipient.name", allow_null=True, read_only=True)
    currency = serializers.CharField(source="currency_id", allow_null=True, read_only=True)
    source_plan = serializers.CharField(source="source_plan.code", allow_null=True, read_only=True)
    source_country = serializers.CharField(source="source_country_id", allow_null=True, read_only=True)
    source_plan_sector = serializers.IntegerField(source="source_sector_id", allow_null=True, read_only=True)
    parent = serializers.IntegerField(source="parent_id", allow_null=True, read_only=True)
    corrects = serializers.IntegerField(source="corrects_id", allow_null=True, read_only=True)
    lines = FlowLineSerializer(many=True, read_only=True)

    class Meta:
        model = Flow
        fields = [
            "id",
            "fts_id",
            "fts_version",
            "reference",
            "description",
            "status",
            "type",
            "contribution_type",
            "method",
            "is_new_money",
            "earmarking",
            "earmarking_modality",
            "amount_usd",
            "original_amount",
            "currency",
            "units_per_usd",
            "rate_source",
            "rate_on",
            "full_parked_usd",
            "valuation_basis",
            "budget_year",
            "flow_on",
            "decided_on",
            "first_reported_on",
            "source_updated_at",
            "donor",
            "donor_name",
            "is_donor_anonymous",
            "recipient",
            "recipient_name",
            "source_plan",
            "source_year",
            "source_place",
            "source_country",
            "source_split",
            "source_plan_sector",
            "parent",
            "corrects",
            "reason",
            "keywords",
            "emergencies",
            "project_name",
            "project_code",
            "channel",
            "recorded_at",
            "lines",
        ]

    def get_donor(self, flow) -> int | None:
        return flow.donor_id if flow.is_donor_known else None

    def get_donor_name(self, flow) -> str | None:
        return flow.donor.name if flow.donor_id and flow.is_donor_known else None


class FlowDetailSerializer(FlowSerializer):
    """A flow with its lines and what a person should know about it: why it became a pass-through, what is not counted yet."""

    notes = serializers.SerializerMethodField()

    class Meta(FlowSerializer.Meta):
        fields = [*FlowSerializer.Meta.fields, "notes"]

    def get_notes(self, flow) -> list[str]:
        return notes_on(flow, flow.lines.all())


class FigureSerializer(serializers.Serializer):
    """One cell of one table of one plan-year, in US dollars, net of money passed on inside the plan.

    `coverage` is a percentage, null where nothing is required; `net_gap` is negative when over-funded; `unmet` and `over` are never
    negative. `special` names the rows of money without an exact place or sector.
    """

    plan = serializers.CharField()
    plan_name = serializers.CharField()
    is_demonstration = serializers.BooleanField()
    year = serializers.IntegerField()
    level = serializers.ChoiceField(choices=Figure.Level.choices)
    place = serializers.ChoiceField(choices=Place.choices, allow_blank=True)
    country = serializers.CharField(allow_null=True)
    country_name = serializers.CharField(allow_null=True)
    split = serializers.ChoiceField(choices=SectorSplit.choices, allow_blank=True)
    plan_sector = serializers.IntegerField(allow_null=True)
    sector = serializers.CharField(allow_null=True)
    sector_name = serializers.CharField(allow_null=True)
    partner = serializers.IntegerField(allow_null=True)
    partner_name = serializers.CharField(allow_null=True)
    donor = serializers.IntegerField(allow_null=True)
    donor_name = serializers.CharField(allow_null=True)
    special = serializers.CharField(help_text=gettext_lazy("not_specified, shared, or empty"))
    required = usd()
    original = usd()
    funded = usd()
    paid = usd()
    committed = usd()
    pledged = usd()
    in_kind = usd()
    carry_over = usd()
    new_money = usd()
    flexible = usd()
    incoming = usd()
    received = usd()
    passed_on = usd()
    net_gap = usd()
    unmet = usd()
    over = usd()
    without_requirement = usd()
    coverage = PercentField()
    coverage_of_original = PercentField()
    flexible_share = PercentField()
    basis = serializers.ChoiceField(choices=PlanYear.Basis.choices)
    version = serializers.CharField(allow_null=True)
    as_of = serializers.DateField(allow_null=True)
    computed_at = serializers.DateTimeField(allow_null=True)

    AMOUNTS = (
        "required", "original", "funded", "paid", "committed", "pledged", "in_kind", "carry_over", "new_money", "flexible",
        "incoming", "received", "passed_on", "net_gap", "unmet", "over", "without_requirement",
    )  # fmt: skip
    PERCENTAGES = ("coverage", "coverage_of_original", "flexible_share")

    def to_representation(self, figure):
        """The row, written without asking forty fields one by one: a file of 100,000 figures takes seconds."""
        row, stamp, names = figure.row, figure.stamp, figure.names
        sector, sector_name = names.sectors.get(row.sector_id, (None, None))
        percentages = {name: percent_2dp(getattr(row, name)) for name in self.PERCENTAGES}
        return {
            "plan": stamp.plan.code,
            "plan_name": stamp.plan.local_name,
            "is_demonstration": stamp.plan.is_demonstration,
            "year": row.year,
            "level": row.level,
            "place": row.place,
            "country": row.country_id,
            "country_name": names.countries.get(row.country_id),
            "split": row.split,
            "plan_sector": row.sector_id,
            "sector": sector,
            "sector_name": sector_name,
            "partner": row.partner_id,
            "partner_name": names.organisations.get(row.partner_id),
            "donor": row.donor_id,
            "donor_name": names.organisations.get(row.donor_id),
            "special": row.special,
            **{name: f"{getattr(row, name):.2f}" for name in self.AMOUNTS},
            **{name: None if value is None else f"{value:.2f}" for name, value in percentages.items()},
            "basis": stamp.basis,
            "version": stamp.version,
            "as_of": stamp.as_of and stamp.as_of.isoformat(),
            "computed_at": stamp.computed_at and stamp.computed_at.isoformat().replace("+00:00", "Z"),
        }


class IdentitySerializer(serializers.Serializer):
    """The sums under one table: net_gap = unmet − over − without_requirement − not_specified − shared (BR-21)."""

    plan = serializers.CharField()
    year = serializers.IntegerField()
    level = serializers.ChoiceField(choices=Figure.Level.choices)
    required = usd()
    original = usd()
    funded = usd()
    paid = usd()
    committed = usd()
    pledged = usd()
    coverage = PercentField()
    net_gap = usd()
    unmet = usd()
    over = usd()
    without_requirement = usd()
    not_specified = usd()
    shared = usd()
    holds = serializers.BooleanField()
    version = serializers.CharField(allow_null=True)
    as_of = serializers.DateField(allow_null=True)
    computed_at = serializers.DateTimeField(allow_null=True)


class WorldSerializer(serializers.Serializer):
    """All refugee response plans of a year together, each once; plans shown for reference are left out (BR-03, BR-04)."""

    year = serializers.IntegerField(allow_null=True)
    required = usd()
    original = usd()
    funded = usd()
    paid = usd()
    committed = usd()
    pledged = usd()
    in_kind = usd()
    carry_over = usd()
    new_money = usd()
    flexible = usd()
    coverage = PercentField()
    net_gap = usd()


class PartSerializer(serializers.Serializer):
    """One row behind a figure: a requirement line, a line of a flow, or a published total; `amount` is its part, in US dollars."""

    kind = serializers.CharField()
    reason = serializers.CharField()
    amount = usd()
    requirement = serializers.IntegerField(allow_null=True)
    flow = serializers.IntegerField(allow_null=True)
    line = serializers.IntegerField(allow_null=True)
    fts_id = serializers.IntegerField(allow_null=True)
    donor_name = serializers.CharField(allow_null=True)
    recipient_name = serializers.CharField(allow_null=True)
    status = serializers.CharField(allow_null=True)
    source = serializers.CharField(allow_null=True)


class ExplanationSerializer(serializers.Serializer):
    """A figure and the rows behind it, largest first; `total` is the figure itself, in US dollars, whatever the page."""

    plan = serializers.CharField()
    year = serializers.IntegerField()
    measure = serializers.CharField()
    as_of = serializers.DateField(allow_null=True)
    total = usd()
    counted_rows = serializers.IntegerField()
    left_out_rows = serializers.IntegerField()
    next_offset = serializers.IntegerField(allow_null=True)
    counted = PartSerializer(many=True)
    left_out = PartSerializer(many=True)
