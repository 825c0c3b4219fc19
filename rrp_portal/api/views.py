"""The front door of the API: its list of resources, its OpenAPI document, its documentation page, and its own 404."""

from functools import lru_cache

from django.contrib.auth.decorators import login_not_required
from django.http import HttpResponsePermanentRedirect, JsonResponse
from django.shortcuts import render
from django.urls import Resolver404, resolve, reverse
from django.utils.translation import get_language, override
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import api_view, permission_classes
from rest_framework.exceptions import NotFound
from rest_framework.permissions import AllowAny
from rest_framework.response import Response

from rrp_portal.api import manual


@lru_cache(maxsize=8)
def document(language: str) -> dict:
    """The OpenAPI document in a language; made once per process."""
    with override(language):
        return SchemaGenerator().get_schema(request=None, public=True)


@extend_schema(exclude=True)
@api_view(["GET"])
@permission_classes([AllowAny])
def resources(request):
    """The address of every list, and of the documentation."""
    paths = sorted(path for path in document("en")["paths"] if "{" not in path and path.count("/") == 4)
    lists = {path.split("/")[3]: request.build_absolute_uri(path) for path in paths}
    described = {name: request.build_absolute_uri(reverse(f"api:{name}")) for name in ("schema", "docs")}
    return Response(lists | described)


@csrf_exempt
@login_not_required
@require_safe
def schema(request):
    """The OpenAPI 3 document."""
    return JsonResponse(document(get_language() or "en"), headers={"Access-Control-Allow-Origin": "*"})


@login_not_required
@require_safe
def docs(request):
    """The documentation page, made from the OpenAPI document."""
    example = request.build_absolute_uri(reverse("api:figure-list")) + "?level=total&format=csv"
    shown = manual.resources(document(get_language() or "en"))
    return render(request, "api/docs.html", {"resources": shown, "example": example})


@extend_schema(exclude=True)
@api_view(["GET", "POST", "PUT", "PATCH", "DELETE"])
@permission_classes([AllowAny])
def unknown(request):
    """No resource lives here: 404 as the API says it; a forgotten slash is mended for reading."""
    if request.method == "GET" and not request.path.endswith("/"):
        try:
            found = resolve(request.path + "/")
        except Resolver404:
            found = None
        if found and found.url_name != "unknown":
            return HttpResponsePermanentRedirect(request.get_full_path(force_append_slash=True))
    raise NotFound
