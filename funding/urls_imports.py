"""Routes of funding imports."""

from django.urls import path

from funding import views_imports

app_name = "imports"
urlpatterns = [
    path("", views_imports.import_create, name="create"),
    path("<int:pk>/", views_imports.import_result, name="result"),
]
