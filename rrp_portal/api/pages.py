"""Pages of lists by cursor: the place in the order, never an offset, so that page 1,000 costs what page 1 costs."""

from collections.abc import Sequence
from typing import Any

from django.core import signing
from django.db.models import Model, Q, QuerySet
from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError
from rest_framework.pagination import BasePagination
from rest_framework.response import Response
from rest_framework.utils.urls import remove_query_param, replace_query_param

PAGE_SIZE = 50
MAX_PAGE_SIZE = 1000


def page_size_of(request) -> int:
    """How many rows the reader wants on a page: 50 unless told, at most 1,000. Raises ValidationError for anything else."""
    given = request.query_params.get("page_size")
    if given is None:
        return PAGE_SIZE
    if given.isdecimal() and len(given) < 6 and 1 <= int(given) <= MAX_PAGE_SIZE:
        return int(given)
    sentence = _("Give a page size from 1 to %(most)s, or leave it out for %(usual)s rows.")
    raise ValidationError({"page_size": [sentence % {"most": MAX_PAGE_SIZE, "usual": PAGE_SIZE}]}, code="page_size")


def after(ordering: Sequence[str], values: Sequence[Any]) -> Q:
    """The rows that follow the row with these values in the order: a comparison of rows, spelt for an index."""
    following = Q()
    same = Q()
    for name, value in zip(ordering, values, strict=True):
        field, lookup = name.lstrip("-"), "lt" if name.startswith("-") else "gt"
        following |= same & Q(**{f"{field}__{lookup}": value})
        same &= Q(**{field: value})
    first = ordering[0]
    return Q(**{f"{first.lstrip('-')}__{'lte' if first.startswith('-') else 'gte'}": values[0]}) & following


def backwards(ordering: Sequence[str]) -> list[str]:
    """The opposite order."""
    return [name[1:] if name.startswith("-") else f"-{name}" for name in ordering]


class CursorPages(BasePagination):
    """Pages in the order of the view's `ordering`, whose fields are never empty and together name one row.

    A list that is already in memory (figures of a past day) is paged by its positions.
    """

    def paginate_queryset(self, queryset, request, view=None) -> list:
        """One page of rows; remembers the places before and after it. Raises ValidationError for a cursor that is not ours."""
        self.request = request
        self.ordering = list(view.ordering)
        self.size = page_size_of(request)
        self.next = self.previous = None
        place = self._place()
        if isinstance(queryset, QuerySet):
            return self._rows(queryset, place)
        start = place["at"] if place and "at" in place else 0
        self.next = {"at": start + self.size} if len(queryset) > start + self.size else None
        self.previous = {"at": max(0, start - self.size)} if start else None
        return list(queryset[start : start + self.size])

    def _rows(self, queryset: QuerySet, place: dict | None) -> list:
        backward = bool(place and place.get("back"))
        ordering = backwards(self.ordering) if backward else self.ordering
        queryset = queryset.order_by(*ordering)
        if place:
            queryset = queryset.filter(after(ordering, place["values"]))
        rows = list(queryset[: self.size + 1])
        more, rows = len(rows) > self.size, rows[: self.size]
        if backward:
            rows.reverse()
        if rows:
            self.next = self._mark(rows[-1]) if (more or backward) else None
            self.previous = self._mark(rows[0]) | {"back": True} if (place and (more or not backward)) else None
        return rows

    def _mark(self, row: Model) -> dict:
        values = [getattr(row, name.lstrip("-")) for name in self.ordering]
        return {"values": [value if isinstance(value, int | str) else str(value) for value in values]}

    def _signer(self) -> signing.Signer:
        return signing.Signer(salt=" ".join(["cursor", self.request.path, *self.ordering]))

    def _place(self) -> dict | None:
        given = self.request.query_params.get("cursor")
        if not given:
            return None
        try:
            return self._signer().unsign_object(given)
        except (signing.BadSignature, ValueError) as error:
            sentence = _("This cursor is not of this list. Begin without a cursor and follow the links “next”.")
            raise ValidationError({"cursor": [sentence]}, code="cursor") from error

    def _link(self, place: dict | None) -> str | None:
        if place is None:
            return None
        url = remove_query_param(self.request.build_absolute_uri(), "cursor")
        return replace_query_param(url, "cursor", self._signer().sign_object(place))

    def get_next_link(self) -> str | None:
        """The address of the next page, or None on the last."""
        return self._link(self.next)

    def get_previous_link(self) -> str | None:
        """The address of the page before, or None on the first."""
        return self._link(self.previous)

    def get_paginated_response(self, data) -> Response:
        """The page with its links, which CSV readers find in the Link header."""
        links = {"next": self.get_next_link(), "previous": self.get_previous_link()}
        header = ", ".join(f'<{url}>; rel="{name}"' for name, url in links.items() if url)
        return Response(links | {"results": data}, headers={"Link": header} if header else None)

    def get_paginated_response_schema(self, schema: dict) -> dict:
        """How the OpenAPI document describes a page."""
        link = {"type": "string", "format": "uri", "nullable": True}
        return {
            "type": "object",
            "required": ["next", "previous", "results"],
            "properties": {"next": link, "previous": link, "results": schema},
        }

    def get_schema_operation_parameters(self, view) -> list[dict]:
        """The parameters that every list takes."""
        return [
            {
                "name": "cursor",
                "in": "query",
                "required": False,
                "description": "The place to go on from; take it from `next` or `previous`.",
                "schema": {"type": "string"},
            },
            {
                "name": "page_size",
                "in": "query",
                "required": False,
                "description": "Rows on a page.",
                "schema": {"type": "integer", "minimum": 1, "maximum": MAX_PAGE_SIZE, "default": PAGE_SIZE},
            },
        ]
