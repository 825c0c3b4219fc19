"""Every route of the site; the only file that knows all apps."""

from django.conf import settings
from django.contrib import admin
from django.contrib.auth.decorators import login_not_required
from django.urls import include, path
from django.views.generic import TemplateView
from django.views.i18n import set_language

from rrp_portal import health, views

urlpatterns = [
    path("", include("funding.urls_public")),
    path("todo/", views.todo, name="todo"),
    path("flows/", include("funding.urls")),
    path("imports/", include("funding.urls_imports")),
    path("jobs/", include("rrp_portal.jobs.urls")),
    path("", include("rrp_portal.people.urls")),
    path("api/v1/", include("rrp_portal.urls_api")),
    path("accounts/", include("allauth.urls")),
    path("i18n/setlang/", login_not_required(set_language), name="set_language"),
    path("admin/", admin.site.urls),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
]

if settings.DEBUG:
    urlpatterns.append(path("design/", TemplateView.as_view(template_name="design.html"), name="design"))
