"""Routes of the public pages that show figures."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
