"""Filters that refuse what they do not know: a misspelt filter must not quietly answer with everything."""

from collections.abc import Iterable
from difflib import get_close_matches

from django.utils.translation import gettext as _
from django_filters.rest_framework import DjangoFilterBackend

ALWAYS_KNOWN = frozenset({"cursor", "page_size", "format"})


def refuse_unknown(request, known: Iterable[str]) -> None:
    """Raise ValidationError naming every parameter that is not known here, with the closest known one or the whole list."""
    from rest_framework.exceptions import (
        ErrorDetail,
        ValidationError,
    )  # its module reads the settings that name this one

    known = sorted(set(known))
    errors = {}
    for name in request.query_params:
        if name in ALWAYS_KNOWN or name in known:
            continue
        near = get_close_matches(name, known, n=1)
        guess = _("Did you mean “%(near)s”?") % {"near": near[0]} if near else ""
        known_here = _("Known here: %(names)s.") % {"names": ", ".join(known) or "–"}
        sentence = _("There is no filter “%(name)s”.") % {"name": name}
        errors[name] = [ErrorDetail(" ".join(filter(None, (sentence, guess, known_here))), code="unknown_filter")]
    if errors:
        raise ValidationError(errors)


class KnownFilters(DjangoFilterBackend):
    """The view's filters; a parameter that is none of them is refused with 400 and the list of those that are."""

    def filter_queryset(self, request, queryset, view):
        """The filtered rows. Raises ValidationError for a filter that does not exist or a value it cannot take."""
        filters = self.get_filterset_class(view, queryset)
        known = set(getattr(view, "parameters", ()))
        if filters is not None:
            known |= set(filters.base_filters)
        refuse_unknown(request, known)
        if ALWAYS_KNOWN.issuperset(request.query_params):
            return queryset  # nothing is asked for: a form of twenty empty fields would say the same
        return super().filter_queryset(request, queryset, view)
