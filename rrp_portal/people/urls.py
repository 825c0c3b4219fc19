"""Routes of people, grants, invitations and tokens."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
