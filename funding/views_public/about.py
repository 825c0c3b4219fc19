"""How figures are made, and where to take them from."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from funding.models import Flow, PublishedTotal
from funding.tables import KINDS
from funding.views_public.asked import years_with_figures
from planning.models import Plan


@login_not_required
@require_safe
def methodology(request: HttpRequest) -> HttpResponse:
    """The rules of every figure, in plain words."""
    return render(request, "funding/methodology.html")


@login_not_required
@require_safe
def data(request: HttpRequest) -> HttpResponse:
    """Every download, the API, and who may do what with the data."""
    plans = Plan.objects.visible_to(request.user)
    context = {
        "years": years_with_figures(plans)[::-1],
        "kinds": [(slug, kind.title) for slug, kind in KINDS.items()],
        "example": plans.filter(figures__level="total").order_by("-starts_on", "name").first(),
        "has_fts": Flow.objects.filter(fts_id__isnull=False).exists() or PublishedTotal.objects.exists(),
    }
    return render(request, "funding/data.html", context)
