"""Routes of flows."""

from django.urls import path

from funding.views import editing, reading

app_name = "funding"
urlpatterns = [
    path("", reading.flow_list, name="flow-list"),
    path("flows.csv", reading.flow_table, name="flow-table"),
    path("new/", editing.flow_create, name="flow-create"),
    path("<int:pk>/", reading.flow_detail, name="flow-detail"),
    path("<int:pk>/edit/", editing.flow_edit, name="flow-edit"),
    path("<int:pk>/reverse/", editing.flow_reverse, name="flow-reverse"),
]
