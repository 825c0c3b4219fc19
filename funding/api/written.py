"""What a flow says when it is sent: the words of the form, with codes for plans, countries and sectors."""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from rest_framework import serializers

from funding.models import Flow, FlowLine
from funding.serializers import FlowLineSerializer
from funding.services import FIELDS, Confirm
from planning.models import Plan, PlanSector
from rrp_portal.api.written import refuse_unwritable
from rrp_portal.reference.models import Country, Organisation, Sector
from rrp_portal.serializers import CodedField, NumberedField


class LineWritten(serializers.ModelSerializer):
    """A line: `amount` in the currency of the flow, or `amount_usd`; without either it takes all that is left."""

    id = serializers.IntegerField(required=False)
    amount = serializers.DecimalField(max_digits=19, decimal_places=2, required=False, allow_null=True)
    plan = CodedField("code", queryset=Plan.objects.all(), required=False, allow_null=True)
    country = serializers.PrimaryKeyRelatedField(queryset=Country.objects.all(), required=False, allow_null=True)
    plan_sector = serializers.PrimaryKeyRelatedField(
        source="sector", queryset=PlanSector.objects.all(), required=False, allow_null=True
    )
    global_sector = CodedField("code", queryset=Sector.objects.all(), required=False, allow_null=True)

    class Meta:
        model = FlowLine
        fields = [
            "id",
            "amount",
            "amount_usd",
            "plan",
            "year",
            "place",
            "country",
            "split",
            "plan_sector",
            "global_sector",
            "named_years",
            "named_countries",
            "named_sectors",
        ]
        extra_kwargs = {"amount_usd": {"required": False}}
        validators: list = []


class FlowWritten(serializers.ModelSerializer):
    """A flow: amounts in its original currency; US dollars, boundary and date of the rate follow. Rules are those of the form."""

    donor = NumberedField(queryset=Organisation.objects.all(), required=False, allow_null=True)
    recipient = NumberedField(queryset=Organisation.objects.all(), required=False, allow_null=True)
    parent = NumberedField(queryset=Flow.objects.all(), required=False, allow_null=True)
    lines = LineWritten(many=True, required=False)
    confirmed = serializers.ListField(
        child=serializers.ChoiceField(choices=[choice.value for choice in Confirm]), required=False, write_only=True
    )

    class Meta:
        model = Flow
        fields = [*sorted(FIELDS), "lines", "confirmed"]
        extra_kwargs = {"status": {"required": False}}
        validators: list = []

    def said(self) -> dict[str, Any]:
        """The arguments for `record_flow` or `change_flow`."""
        said = dict(self.validated_data)
        if "confirmed" in said:
            said["confirmed"] = {Confirm(choice) for choice in said["confirmed"]}
        return said


class ReversalWritten(serializers.Serializer):
    """What was taken back: a positive amount in the flow's original currency, from which lines, when, and why."""

    amount = serializers.DecimalField(max_digits=19, decimal_places=2)
    reason = serializers.CharField(allow_blank=True)
    decided_on = serializers.DateField(required=False)
    lines = LineWritten(many=True, required=False)


def refuse_unwritable_lines(lines: Any, shown: list[dict[str, Any]]) -> None:
    """Raise ValidationError, by line, for names that a line does not have or that cannot be written."""
    writable = LineWritten().fields
    stored = {line["id"]: line for line in shown}
    errors: dict[int, Any] = {}
    for position, line in enumerate(lines if isinstance(lines, list) else ()):
        if not isinstance(line, Mapping):
            continue
        before = stored.get(line.get("id")) if isinstance(line.get("id"), int) else None
        try:
            refuse_unwritable(line, writable=writable, shown=before, known=FlowLineSerializer().fields)
        except serializers.ValidationError as error:
            errors[position] = error.detail
    if errors:
        raise serializers.ValidationError({"lines": errors})


def beside_fields(error: ValidationError) -> ValidationError:
    """The service's refusals under the names of the API: `lines-0-sector` becomes `lines.0.plan_sector`."""
    renamed = {}
    for field, errors in error.error_dict.items():
        parts = field.split("-")
        if parts[0] == "lines" and len(parts) == 3:
            parts[2] = "plan_sector" if parts[2] == "sector" else parts[2]
        renamed[".".join(parts)] = errors
    return ValidationError(renamed)
