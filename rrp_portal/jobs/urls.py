"""Routes of jobs."""

from django.urls import path

from rrp_portal.jobs import views

app_name = "jobs"
urlpatterns = [
    path("", views.job_list, name="list"),
    path("<int:pk>/", views.job_detail, name="detail"),
    path("<int:pk>/progress/", views.job_progress, name="progress"),
    path("<int:pk>/retry/", views.job_retry, name="retry"),
    path("<int:pk>/report.csv", views.job_report, name="report"),
]
