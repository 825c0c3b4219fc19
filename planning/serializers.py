"""What the API says about plans, their versions, chapters and requirement lines: codes beside names, money as strings of US dollars."""

from rest_framework import serializers

from planning.models import Chapter, Plan, PlanSector, PlanVersion, Requirement
from rrp_portal.reference.models import Organisation, PopulationGroup, Sector
from rrp_portal.serializers import CleanModelSerializer, CodedField, LocalNameField, NumberedField


class VersionInForceSerializer(serializers.Serializer):
    """The version that a plan's figures stand on."""

    id = serializers.IntegerField()
    label = serializers.SerializerMethodField()
    approved_on = serializers.DateField()
    people_in_need = serializers.IntegerField(allow_null=True)
    people_targeted = serializers.IntegerField(allow_null=True)
    source = serializers.CharField()

    def get_label(self, version) -> str:
        return PlanVersion(major=version["major"], minor=version["minor"]).label


class NamedSerializer(serializers.Serializer):
    """An organisation by its number in the portal and its name."""

    id = serializers.IntegerField()
    name = serializers.CharField()


class SectorOfPlanSerializer(serializers.Serializer):
    """A sector as the plan names it, and the sector of the portal that it is."""

    id = serializers.IntegerField()
    code = serializers.CharField()
    name = serializers.CharField()


class PlanSerializer(serializers.ModelSerializer):
    """A plan with its version in force, people, years, countries and sectors."""

    name = LocalNameField()
    situation = serializers.SlugRelatedField("code", read_only=True, allow_null=True)
    situation_name = LocalNameField(source="situation", allow_null=True)
    years = serializers.SerializerMethodField()
    countries = serializers.ListField(child=serializers.CharField())
    has_regional_chapter = serializers.BooleanField()
    populations = serializers.ListField(child=serializers.CharField(), source="population_codes")
    lead_organisations = NamedSerializer(many=True, source="leads")
    sectors = SectorOfPlanSerializer(many=True, source="plan_sectors")
    version = VersionInForceSerializer(source="version_in_force", allow_null=True)
    is_reference_only = serializers.BooleanField()

    class Meta:
        model = Plan
        fields = [
            "code",
            "name",
            "type",
            "is_emergency",
            "is_reference_only",
            "situation",
            "situation_name",
            "starts_on",
            "ends_on",
            "years",
            "countries",
            "has_regional_chapter",
            "populations",
            "lead_organisations",
            "sectors",
            "version",
            "fts_id",
            "fts_code",
            "published_on",
            "is_demonstration",
        ]

    def get_years(self, plan) -> list[int]:
        return list(plan.years)

    def to_representation(self, plan):
        """The plan, written without asking forty fields one by one: most of a page of plans was spent on that."""
        situation, version = plan.situation, plan.version_in_force
        return {
            "code": plan.code,
            "name": plan.local_name,
            "type": plan.type,
            "is_emergency": plan.is_emergency,
            "is_reference_only": plan.is_reference_only,
            "situation": situation.code if situation else None,
            "situation_name": situation.local_name if situation else None,
            "starts_on": plan.starts_on.isoformat(),
            "ends_on": plan.ends_on.isoformat(),
            "years": list(plan.years),
            "countries": plan.countries,
            "has_regional_chapter": plan.has_regional_chapter,
            "populations": plan.population_codes,
            "lead_organisations": [{"id": lead["id"], "name": lead["name"]} for lead in plan.leads],
            "sectors": [{"id": row["id"], "code": row["code"], "name": row["name"]} for row in plan.plan_sectors],
            "version": self._version(version) if version else None,
            "fts_id": plan.fts_id,
            "fts_code": plan.fts_code,
            "published_on": plan.published_on and plan.published_on.isoformat(),
            "is_demonstration": plan.is_demonstration,
        }

    def _version(self, version: dict) -> dict:
        return {
            "id": version["id"],
            "label": PlanVersion(major=version["major"], minor=version["minor"]).label,
            "approved_on": version["approved_on"],
            "people_in_need": version["people_in_need"],
            "people_targeted": version["people_targeted"],
            "source": version["source"],
        }


class VersionSerializer(serializers.ModelSerializer):
    """A version of a plan."""

    plan = serializers.SlugRelatedField("code", read_only=True)
    label = serializers.CharField()

    class Meta:
        model = PlanVersion
        fields = [
            "id",
            "plan",
            "label",
            "major",
            "minor",
            "scope",
            "status",
            "approved_on",
            "reason",
            "source",
            "people_in_need",
            "people_targeted",
            "created_at",
        ]


class ChapterSerializer(serializers.ModelSerializer):
    """A chapter: one country of a plan, or its regional part (no country)."""

    plan = serializers.SlugRelatedField("code", read_only=True)
    country = serializers.CharField(source="country_id", allow_null=True)
    country_name = LocalNameField(source="country", allow_null=True)

    class Meta:
        model = Chapter
        fields = ["id", "plan", "country", "country_name", "title", "position", "overlap_with_hrp_usd"]


class RequirementSerializer(CleanModelSerializer):
    """A requirement line. `amount_usd` is net: the amount needed less what another partner's budget covers."""

    version = NumberedField(queryset=PlanVersion.objects.all())
    plan = serializers.CharField(source="version.plan.code", read_only=True)
    version_label = serializers.CharField(source="version.label", read_only=True)
    version_status = serializers.CharField(source="version.status", read_only=True)
    chapter = NumberedField(queryset=Chapter.objects.all())
    country = serializers.CharField(source="chapter.country_id", read_only=True, allow_null=True)
    country_name = LocalNameField(source="chapter.country", allow_null=True)
    plan_sector = NumberedField(source="sector", queryset=PlanSector.objects.all(), allow_null=True)
    sector = serializers.CharField(source="sector.sector.code", read_only=True, allow_null=True)
    sector_name = serializers.CharField(source="sector.name", read_only=True, allow_null=True)
    subsector = CodedField("code", queryset=Sector.objects.exclude(parent=None), allow_null=True, required=False)
    partner = NumberedField(queryset=Organisation.objects.standing(), allow_null=True)
    partner_name = serializers.CharField(source="partner.name", read_only=True, allow_null=True)
    population_group = CodedField("code", queryset=PopulationGroup.objects.all(), allow_null=True, required=False)
    amount_usd = serializers.DecimalField(max_digits=17, decimal_places=2, read_only=True)

    class Meta:
        model = Requirement
        fields = [
            "id",
            "plan",
            "version",
            "version_label",
            "version_status",
            "chapter",
            "country",
            "country_name",
            "plan_sector",
            "sector",
            "sector_name",
            "subsector",
            "partner",
            "partner_name",
            "population_group",
            "year",
            "starts_on",
            "ends_on",
            "gross_usd",
            "covered_elsewhere_usd",
            "amount_usd",
            "people_targeted",
            "activity",
            "note",
            "source",
            "status",
            "created_at",
            "changed_at",
        ]
        read_only_fields = ["source", "status"]
