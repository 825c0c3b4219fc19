"""How figures are made, and where to take them from."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from funding.models import Figure, Flow, PublishedTotal
from funding.tables import KINDS
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
    years = Figure.objects.filter(level="total", plan__in=plans.values("pk")).values_list("year", flat=True).distinct()
    context = {
        "years": sorted(years, reverse=True),
        "kinds": [(slug, kind.title) for slug, kind in KINDS.items()],
        "example": plans.filter(figures__level="total").order_by("-starts_on", "name").first(),
        "has_fts": Flow.objects.filter(fts_id__isnull=False).exists() or PublishedTotal.objects.exists(),
    }
    return render(request, "funding/data.html", context)
