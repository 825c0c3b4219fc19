"""What the API says about flows, their lines, and figures: codes beside names, money as strings of US dollars."""

from rest_framework import serializers

from funding.models import Figure, Flow, FlowLine, PlanYear
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


class FigureSerializer(serializers.ModelSerializer):
    """One cell of one table of one plan-year, in US dollars, net of money passed on inside the plan.

    `coverage` is a percentage, null where nothing is required; `net_gap` is negative when over-funded; `unmet` and `over` are never
    negative. `special` names the rows of money without an exact place or sector.
    """

    plan = serializers.CharField(source="plan.code")
    plan_name = serializers.CharField(source="plan.local_name")
    country = serializers.CharField(source="country_id", allow_null=True)
    country_name = LocalNameField(source="country", allow_null=True)
    plan_sector = serializers.IntegerField(source="sector_id", allow_null=True)
    sector = serializers.CharField(source="sector.sector.code", allow_null=True)
    sector_name = serializers.CharField(source="sector.name", allow_null=True)
    partner = serializers.IntegerField(source="partner_id", allow_null=True)
    partner_name = serializers.CharField(source="partner.name", allow_null=True)
    donor = serializers.IntegerField(source="donor_id", allow_null=True)
    donor_name = serializers.CharField(source="donor.name", allow_null=True)
    special = serializers.CharField(source="row.special")
    coverage = PercentField(source="row.coverage")
    coverage_of_original = PercentField(source="row.coverage_of_original")
    flexible_share = PercentField(source="row.flexible_share")
    net_gap = usd(source="row.net_gap")
    unmet = usd(source="row.unmet")
    over = usd(source="row.over")
    without_requirement = usd(source="row.without_requirement")
    basis = serializers.ChoiceField(choices=PlanYear.Basis.choices, source="stamp.basis")
    version = serializers.CharField(source="stamp.version", allow_null=True)
    as_of = serializers.DateField(source="stamp.as_of", allow_null=True)
    computed_at = serializers.DateTimeField(source="stamp.computed_at", allow_null=True)

    class Meta:
        model = Figure
        fields = [
            "plan",
            "plan_name",
            "year",
            "level",
            "place",
            "country",
            "country_name",
            "split",
            "plan_sector",
            "sector",
            "sector_name",
            "partner",
            "partner_name",
            "donor",
            "donor_name",
            "special",
            "required",
            "original",
            "funded",
            "paid",
            "committed",
            "pledged",
            "in_kind",
            "carry_over",
            "new_money",
            "flexible",
            "incoming",
            "received",
            "passed_on",
            "coverage",
            "coverage_of_original",
            "flexible_share",
            "net_gap",
            "unmet",
            "over",
            "without_requirement",
            "basis",
            "version",
            "as_of",
            "computed_at",
        ]


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
