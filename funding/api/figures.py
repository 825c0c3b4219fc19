"""Figures over REST: the rows that the pages show, their identity, the world's totals, and what is behind each of them."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from django.db.models import Value
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.response import Response

from funding import rollups
from funding.api.explained import as_parts
from funding.api.past import day_of, figures_of, stamp_of
from funding.api.stamps import Shown, shown
from funding.filters import FigureFilter
from funding.models import Figure
from funding.serializers import ExplanationSerializer, FigureSerializer, IdentitySerializer, WorldSerializer
from planning.models import Plan
from rrp_portal.api.filters import refuse_unknown
from rrp_portal.api.resources import CHUNK, Listed

WITHOUT_REQUIREMENTS = frozenset({Figure.Level.DONOR, Figure.Level.COUNTRY_DONOR})
PARTS = (("counted", True), ("left_out", False))

AS_OF = OpenApiParameter(
    "as_of", OpenApiTypes.DATE, description="Figures as they stood at the end of this day; needs plan and year."
)
PLAN = OpenApiParameter("plan", str, required=True, description="Code of the plan.")
YEAR = OpenApiParameter("year", int, required=True, description="Calendar year.")


def key_of(filterset: FigureFilter) -> dict[str, Any]:
    """What the filters ask for, as plain keys. Raises ValidationError for a value that a filter cannot take."""
    if not filterset.is_valid():
        raise ValidationError(
            {name: [str(sentence) for sentence in sentences] for name, sentences in filterset.form.errors.items()}
        )
    given = {name: value for name, value in filterset.form.cleaned_data.items() if value not in (None, "")}
    codes = {"country": "iso3", "sector": "code", "partner": "pk", "donor": "pk"}
    return {name: getattr(value, codes[name]) if name in codes else value for name, value in given.items()}


@extend_schema_view(list=extend_schema(parameters=[AS_OF]))
class FigureResource(Listed):
    """The figures of visible plans: one row per cell of each table, as the pages show them, computed by the roll-up workers.

    With `as_of`, `plan` and `year`, the figures as they stood on a past day.
    """

    serializer_class = FigureSerializer
    queryset = Figure.objects.none()
    filterset_class = FigureFilter
    parameters = ("as_of",)
    ordering = ("plan_id", "year", "level", "place", "country_key", "split", "sector_key", "partner_key", "donor_key")
    file_name = "figures"

    def get_queryset(self):
        """Figures of visible plans."""
        plans = Plan.objects.visible_to(self.request.user)
        return Figure.objects.filter(plan__in=plans.values("pk")).annotate(
            country_key=Coalesce("country_id", Value("")),
            sector_key=Coalesce("sector_id", Value(0)),
            partner_key=Coalesce("partner_id", Value(0)),
            donor_key=Coalesce("donor_id", Value(0)),
        )

    def filter_queryset(self, queryset):
        """The filtered figures; those of a past day as a list."""
        day = day_of(self.request)
        if day is None:
            return super().filter_queryset(queryset)
        plan, year, wanted = self._plan_year("as_of")
        return figures_of(plan, year, day, wanted)

    def paginate_queryset(self, queryset):
        """One page of figures, each with its names, version, day and time."""
        page = super().paginate_queryset(queryset)
        return page if isinstance(queryset, list) else shown(page)

    def csv_rows(self, rows: Iterable[Figure | Shown]) -> Iterator[dict[str, Any]]:
        """The figures as rows of a file, in portions that share their look-ups."""
        rows = iter(self.each(rows))
        while portion := list(islice(rows, CHUNK)):
            yield from super().csv_rows(portion if isinstance(portion[0], Shown) else shown(portion))

    def _plan_year(self, *others: str) -> tuple[Plan, int, dict[str, Any]]:
        """The plan, the year, and what else the filters ask for. Raises ValidationError where one is missing."""
        filterset = FigureFilter(self.request.query_params, queryset=Figure.objects.none(), request=self.request)
        refuse_unknown(self.request, {*filterset.filters, *self.parameters, *others})
        wanted = key_of(filterset)
        missing = {name: [_("Name the plan and the year.")] for name in ("plan", "year") if name not in wanted}
        if missing:
            raise ValidationError(missing, code="required")
        return wanted.pop("plan"), int(wanted.pop("year")), wanted

    @extend_schema(
        responses=IdentitySerializer,
        parameters=[
            PLAN,
            YEAR,
            AS_OF,
            OpenApiParameter("level", str, enum=sorted(set(Figure.Level.values) - WITHOUT_REQUIREMENTS)),
        ],
        filters=False,
    )
    @action(detail=False, pagination_class=None)
    def identity(self, request):
        """The sums under one table of a plan-year, which prove that its rows explain the whole net gap."""
        plan, year, wanted = self._plan_year()
        level = wanted.get("level", Figure.Level.SECTOR)
        if level in WITHOUT_REQUIREMENTS:
            raise ValidationError(
                {"level": [_("Donors require nothing. Choose a table with requirements.")]}, code="level"
            )
        day = day_of(request)
        rows = rollups.read(plan.pk, year, [level], day)[level]
        if country := wanted.get("country"):
            rows = [row for row in rows if row.country_id == country]
        sums, stamp = rollups.identity(rows), stamp_of(plan, year, day)
        about = {"plan": plan.code, "year": year, "level": level}
        about |= {name: getattr(stamp, name) for name in ("version", "as_of", "computed_at")}
        names = set(IdentitySerializer().fields) - set(about)
        return Response(IdentitySerializer(about | {name: getattr(sums, name) for name in names}).data)

    @extend_schema(responses=WorldSerializer, parameters=[OpenApiParameter("year", int)], filters=False)
    @action(detail=False, pagination_class=None)
    def world(self, request):
        """The sum over all published refugee response plans, of a year or of all years; each plan counts once."""
        refuse_unknown(request, {"year"})
        filterset = FigureFilter(request.query_params, queryset=Figure.objects.none(), request=request)
        year = key_of(filterset).get("year")
        year = None if year is None else int(year)
        row = rollups.world(Plan.objects.published(), year)
        shown = {name: getattr(row, name) for name in WorldSerializer().fields if name != "year"}
        return Response(WorldSerializer({"year": year} | shown).data)

    @extend_schema(
        responses=ExplanationSerializer,
        parameters=[
            PLAN,
            YEAR,
            AS_OF,
            OpenApiParameter("measure", str, required=True, enum=rollups.EXPLAINED),
            OpenApiParameter("place", str),
            OpenApiParameter("country", str, description="ISO 3166-1 alpha-3 code."),
            OpenApiParameter("split", str),
            OpenApiParameter("sector", str, description="Code of the sector."),
            OpenApiParameter(
                "plan_sector", int, description="A sector as the plan has it, where it has several with one code."
            ),
            OpenApiParameter("partner", int),
            OpenApiParameter("donor", int),
            OpenApiParameter("offset", int, description="Rows to pass over; take it from `next_offset`."),
            OpenApiParameter("limit", int, description="Rows of each kind, at most 1,000; 100 unless told."),
        ],
        filters=False,
    )
    @action(detail=False, pagination_class=None)
    def explain(self, request):
        """The rows that make one figure, and those left out, each with its reason."""
        plan, year, wanted = self._plan_year("measure", "offset", "limit", "plan_sector")
        answer = ExplanationSerializer(as_parts(request, plan, year, wanted)).data
        if request.accepted_renderer.format == "csv":
            counted, left_out = ([{"counts": counts} | row for row in answer[name]] for name, counts in PARTS)
            return Response([*counted, *left_out])
        return Response(answer)
