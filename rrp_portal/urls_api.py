"""Routes of the REST API."""

from django.urls import include, path, re_path
from rest_framework.routers import SimpleRouter

from funding.api import FigureResource, FlowResource
from planning.api import ChapterResource, PlanResource, RequirementResource, VersionResource
from rrp_portal.api.views import docs, resources, schema, unknown
from rrp_portal.jobs.api import JobResource
from rrp_portal.reference import api as reference

app_name = "api"

router = SimpleRouter()
router.register("plans", PlanResource, "plan")
router.register("versions", VersionResource, "version")
router.register("chapters", ChapterResource, "chapter")
router.register("requirements", RequirementResource, "requirement")
router.register("flows", FlowResource, "flow")
router.register("figures", FigureResource, "figure")
router.register("organisations", reference.OrganisationResource, "organisation")
router.register("organisation-types", reference.OrganisationTypeResource, "organisation-type")
router.register("countries", reference.CountryResource, "country")
router.register("admin-areas", reference.AdminAreaResource, "admin-area")
router.register("bureaus", reference.BureauResource, "bureau")
router.register("sectors", reference.SectorResource, "sector")
router.register("population-groups", reference.PopulationGroupResource, "population-group")
router.register("currencies", reference.CurrencyResource, "currency")
router.register("exchange-rates", reference.ExchangeRateResource, "exchange-rate")
router.register("situations", reference.SituationResource, "situation")
router.register("jobs", JobResource, "job")

urlpatterns = [
    path("", resources, name="index"),
    path("openapi.json", schema, name="schema"),
    path("docs/", docs, name="docs"),
    path("", include(router.urls)),
    re_path(r"", unknown, name="unknown"),
]
