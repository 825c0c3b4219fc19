"""The base of every resource: reads begin at `visible_to`, writes stay within `editable_by`, lists are pages or whole CSV files."""

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from django.utils.translation import gettext as _
from rest_framework import mixins
from rest_framework.exceptions import ValidationError
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.viewsets import GenericViewSet

from rrp_portal.access import editable_or_refuse, save_within_reach
from rrp_portal.api import csv
from rrp_portal.api.conditional import require_fresh, with_tag
from rrp_portal.api.written import refuse_unwritable

CHUNK = 1000


def columns_of(serializer: Serializer, prefix: str = "") -> Iterator[str]:
    """The columns of a row: an object within it spreads over several, as `csv.flat` spreads its values."""
    for field in serializer._readable_fields:
        name = prefix + field.field_name
        if isinstance(field, Serializer):
            yield from columns_of(field, f"{name}_")
        else:
            yield name


class Resource(GenericViewSet):
    """Answers with ETag; `ordering` names one row and is never empty."""

    ordering: tuple[str, ...] = ("pk",)
    file_name = "rows"

    def state_of(self, obj: Any) -> str:
        """A word that changes with every change of the row; empty where rows are not changed through the API."""
        return ""

    def finalize_response(self, request, response, *args, **kwargs):
        """The answer with its ETag, once it is rendered."""
        response = super().finalize_response(request, response, *args, **kwargs)
        if request.method in ("GET", "HEAD") and response.status_code == 200 and isinstance(response, Response):
            response.add_post_render_callback(partial(with_tag, request, state=getattr(self, "state", "")))
        return response


class Listed(mixins.ListModelMixin, Resource):
    """Lists: a page of JSON, or the whole list as CSV, written while it is read."""

    def csv_columns(self) -> list[str]:
        """The columns of the CSV file, in order."""
        return list(columns_of(self.get_serializer()))

    def csv_rows(self, rows: Iterable[Any]) -> Iterator[dict[str, Any]]:
        """The rows of the CSV file, from a page or from a whole queryset, which is read while it is written."""
        serializer = self.get_serializer()
        return (serializer.to_representation(row) for row in self.each(rows))

    def each(self, rows: Iterable[Any]) -> Iterable[Any]:
        """The rows in their order; a queryset in portions, so that a long file needs little memory."""
        return rows.order_by(*self.ordering).iterator(chunk_size=CHUNK) if isinstance(rows, QuerySet) else rows

    def list(self, request, *args, **kwargs):
        """A page of rows; with ?format=csv and no page asked for, all of them in one file."""
        rows = self.filter_queryset(self.get_queryset())
        if request.accepted_renderer.format == "csv":
            return self.as_csv(rows)
        return self.get_paginated_response(self.page_of(rows))

    def page_of(self, rows: Iterable[Any]) -> Iterable[dict[str, Any]]:
        """The page that the reader asks for, as plain data."""
        return self.get_serializer(self.paginate_queryset(rows), many=True).data

    def as_csv(self, rows):
        """One page where the reader asks for pages, else the whole list. Raises ValidationError when that is too long."""
        if {"cursor", "page_size"} & set(self.request.query_params):
            page = self.paginate_queryset(rows)
            return self.get_paginated_response(list(self.csv_rows(page)))
        if isinstance(rows, QuerySet) and rows.order_by()[: csv.MAX_ROWS + 1].count() > csv.MAX_ROWS:
            sentence = _("The list has more than %(most)s rows. Narrow it with filters, or fetch it in pages.")
            raise ValidationError([sentence % {"most": f"{csv.MAX_ROWS:,}"}], code="too_many_rows")
        written = csv.portions(csv.lines(self.csv_rows(rows), self.csv_columns()))
        response = StreamingHttpResponse(written, content_type="text/csv; charset=utf-8")
        response.headers["Content-Disposition"] = f'attachment; filename="{self.file_name}.csv"'
        return response


class Retrieved(mixins.RetrieveModelMixin, Resource):
    """One row by its key."""

    def retrieve(self, request, *args, **kwargs):
        """The row; 404 when there is none that the reader may see."""
        obj = self.get_object()
        self.state = self.state_of(obj)
        return Response(self.get_serializer(obj).data)


class Reading(Listed, Retrieved):
    """A resource that is read and never written here."""


class Writing(Reading):
    """A resource that is also written: by those who may edit the row, into what they may edit, from the state they read."""

    http_method_names = ["get", "post", "patch", "delete", "head", "options"]

    def refusal(self, obj: Any) -> str:
        """Why a row that may be read may not be changed, where there is more to say than that it is not yours."""
        return ""

    def locked(self) -> Any:
        """The row, locked and editable, in the state that the reader knows. Raises Http404, PermissionDenied or Stale."""
        model = self.get_queryset().model
        lookup = {self.lookup_field: self.kwargs[self.lookup_url_kwarg or self.lookup_field]}
        obj = self.get_object()
        editable_or_refuse(model._default_manager.all(), self.request.user, self.refusal(obj), **lookup)
        obj = model._default_manager.select_for_update(of=("self",)).get(pk=obj.pk)
        require_fresh(self.request, self.state_of(obj))
        return obj

    def written(self, obj: Any = None):
        """The serializer of the body for a new row, or for a change of this one. Raises ValidationError for a name it has not."""
        serializer = self.get_serializer(obj, data=self.request.data, partial=obj is not None)
        shown = None if obj is None else self.get_serializer(obj).data
        writable = [name for name, field in serializer.fields.items() if not field.read_only]
        refuse_unwritable(self.request.data, writable=writable, shown=shown, known=serializer.fields)
        serializer.is_valid(raise_exception=True)
        return serializer

    def create(self, request, *args, **kwargs):
        """The new row, as a reader sees it."""
        with transaction.atomic():
            serializer = self.written()
            save_within_reach(serializer.save, request.user)
            return self.answer(serializer.instance.pk, status=201)

    def partial_update(self, request, *args, **kwargs):
        """The changed row, as a reader sees it."""
        with transaction.atomic():
            serializer = self.written(self.locked())
            save_within_reach(serializer.save, request.user)
            return self.answer(serializer.instance.pk)

    def destroy(self, request, *args, **kwargs):
        """Nothing: the row is gone, and stays in its history."""
        with transaction.atomic():
            self.locked().delete()
        return Response(status=204)

    def answer(self, pk: Any, status: int = 200) -> Response:
        """The row as it now is, with the ETag to change it again."""
        obj = self.get_queryset().get(pk=pk)
        response = Response(self.get_serializer(obj).data, status=status)
        response.headers["ETag"] = f'"{self.state_of(obj)}"'
        return response
