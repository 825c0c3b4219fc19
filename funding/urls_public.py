"""Routes of the public pages that show figures."""

from django.urls import path

from funding.views_public import about, countries, explain, home, organisations, plans

urlpatterns = [
    path("", home.home, name="home"),
    path("plans/<slug:code>/", plans.plan_detail, name="plan-detail"),
    path("plans/<slug:code>/explain/", explain.plan_explain, name="plan-explain"),
    path("plans/<slug:code>/<slug:table>.csv", plans.plan_table, name="plan-table"),
    path("plans/<slug:code>/<slug:table>/", plans.plan_rows, name="plan-rows"),
    path("countries/", countries.country_list, name="country-list"),
    path("countries/<slug:iso3>/", countries.country_detail, name="country-detail"),
    path("organisations/", organisations.organisation_list, name="organisation-list"),
    path("organisations/<int:pk>/", organisations.organisation_detail, name="organisation-detail"),
    path("donors/", organisations.donor_list, name="donor-list"),
    path("donors/<int:pk>/", organisations.donor_detail, name="donor-detail"),
    path("methodology/", about.methodology, name="methodology"),
    path("data/", about.data, name="data"),
]
