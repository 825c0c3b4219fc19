"""Pages of imports: drop files or name a plan, then follow the job."""

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods, require_safe

from funding.imports import IMPORT, may_import, start_import
from funding.imports.forms import ImportForm
from rrp_portal.jobs.models import Job

RECENT = 10
FORM_BYTES = 1024 * 1024  # what the fields and boundaries of a form may add to its files


@csrf_exempt  # looking for the token reads the whole body; one that is too large is refused before, and the rest is protected below
@require_http_methods(["GET", "HEAD", "POST"])
def import_create(request: HttpRequest) -> HttpResponse:
    """The form, and the start of the job."""
    if not may_import(request.user):
        raise PermissionDenied
    if int(request.META.get("CONTENT_LENGTH") or 0) > settings.IMPORT_MAX_BYTES + FORM_BYTES:
        return _too_large(request)
    return _import_create(request)


@csrf_protect
def _import_create(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        return _page(request, ImportForm())
    form = ImportForm(request.POST, request.FILES)
    if not form.is_valid():
        return _page(request, form, status=422)
    job = start_import(request.user, form.cleaned_data.pop("files"), **form.cleaned_data)
    return redirect("jobs:detail", job.pk)


def _too_large(request: HttpRequest) -> HttpResponse:
    form = ImportForm({})
    form.full_clean()
    form.errors.clear()
    sentence = _(
        "The files have more than %(most)s together, which is the most that the portal reads. Import fewer at a time."
    )
    form.add_error("files", sentence % {"most": filesizeformat(settings.IMPORT_MAX_BYTES)})
    return _page(request, form, status=422)


def _page(request: HttpRequest, form: ImportForm, status: int = 200) -> HttpResponse:
    recent = (
        Job.objects.visible_to(request.user).filter(kind=IMPORT).defer("result", "arguments").order_by("-created_at")
    )
    most = filesizeformat(settings.IMPORT_MAX_BYTES)
    return render(
        request, "funding/import_form.html", {"form": form, "recent": recent[:RECENT], "most": most}, status=status
    )


@require_safe
def import_result(request: HttpRequest, pk: int) -> HttpResponse:
    """An import's result stands on the page of its job."""
    job = get_object_or_404(Job.objects.visible_to(request.user), pk=pk, kind=IMPORT)
    return redirect("jobs:detail", job.pk)
