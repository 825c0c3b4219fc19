"""What every administration page has in common: who may enter, refusals as sentences, history, and lists of constant cost."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.paginator import Paginator
from django.db import DatabaseError, InternalError, connection, models, transaction
from django.db.models.deletion import DO_NOTHING, PROTECT
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rrp_portal.api.refusals import as_refusal, entries
from rrp_portal.reference.history import changes_of
from rrp_portal.reference.models import Grant
from rrp_portal.reference.roles import Permission

BIG = 20_000
FOREIGN_KEY_VIOLATION = "23503"


def administers(user: Any) -> bool:
    """Whether the user may maintain everything: staff who is a superuser or holds an administrator's grant. Asked once per request."""
    if not (user.is_active and user.is_staff):
        return False
    if not hasattr(user, "_administers"):
        user._administers = user.is_superuser or Grant.objects.giving(user, Permission.ADMINISTER).exists()
    return user._administers


def sentence_of(error: DatabaseError) -> str | None:
    """What the database's refusal means, in a sentence for the person who tried; None when it is a fault of ours."""
    if isinstance(error, InternalError) and "pgtrigger: Cannot" in str(error):
        return _("This was settled when the row was made and cannot change. Make a new row instead.")
    if getattr(error.__cause__, "pgcode", None) == FOREIGN_KEY_VIOLATION:
        return _("Other rows refer to this one, so that it cannot be deleted. Change or delete those first.")
    refusal = as_refusal(error)
    return " ".join(str(entry["message"]) for entry in entries(refusal.detail)) if refusal is not None else None


class EstimatedPaginator(Paginator):
    """Counts exactly where it is cheap, and takes PostgreSQL's estimate for a large table that is not filtered."""

    @cached_property
    def count(self) -> int:
        """How many rows there are, or about how many."""
        query = getattr(self.object_list, "query", None)
        if query is None or query.where or query.distinct or query.is_sliced:
            return super().count
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT reltuples::bigint FROM pg_class WHERE oid = %s::regclass", [query.get_meta().db_table]
            )
            estimate = cursor.fetchone()[0]
        return estimate if estimate > BIG else super().count


class PortalAdmin(admin.ModelAdmin):
    """An administration page whose refusals are sentences on the form, also those that only the database makes."""

    paginator = EstimatedPaginator
    show_full_result_count = False
    list_per_page = 50
    save_on_top = True

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Administrators, and staff to whom Django's own permissions give it."""
        return administers(request.user) or super().has_module_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        """As for the module."""
        return administers(request.user) or super().has_view_permission(request, obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """As for the module."""
        return administers(request.user) or super().has_add_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        """As for the module."""
        return administers(request.user) or super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        """As for the module."""
        return administers(request.user) or super().has_delete_permission(request, obj)

    def get_form(self, request: HttpRequest, obj: models.Model | None = None, change: bool = False, **kwargs: Any):
        """The form; once the database has refused it, with the database's sentence on top and what was typed kept."""
        form = super().get_form(request, obj, change=change, **kwargs)
        refusal = getattr(request, "refusal_of_the_database", None)
        return refused(form, refusal) if refusal else form

    def changeform_view(self, request: HttpRequest, object_id=None, form_url="", extra_context=None) -> HttpResponse:
        """The page of one row. A refusal of the database comes back as a sentence on the form."""
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except DatabaseError as error:
            sentence = sentence_of(error) if request.method == "POST" else None
            if sentence is None:
                raise
            request.refusal_of_the_database = sentence
            return super().changeform_view(request, object_id, form_url, extra_context)

    def delete_view(self, request: HttpRequest, object_id: str, extra_context=None) -> HttpResponse:
        """The question before deleting. A refusal of the database is told on the page of the row."""
        try:
            return super().delete_view(request, object_id, extra_context)
        except DatabaseError as error:
            if (sentence := sentence_of(error)) is None:
                raise
            self.message_user(request, sentence, messages.ERROR)
            name = f"admin:{self.opts.app_label}_{self.opts.model_name}_change"
            return HttpResponseRedirect(reverse(name, args=[object_id]))

    def changelist_view(self, request: HttpRequest, extra_context=None) -> HttpResponse:
        """The list. An action on several rows happens whole or not at all."""
        if request.method != "POST":
            return super().changelist_view(request, extra_context)
        try:
            with transaction.atomic():
                return super().changelist_view(request, extra_context)
        except DatabaseError as error:
            if (sentence := sentence_of(error)) is None:
                raise
            self.message_user(request, sentence, messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())

    def get_deleted_objects(self, objs, request: HttpRequest):
        """What stands in the way of deleting, counted by kind instead of listed row by row."""
        protected = [line for obj in list(objs)[: self.list_per_page] for line in self.protections(obj)]
        if protected:
            return [], {}, set(), protected
        return super().get_deleted_objects(objs, request)

    def protections(self, obj: models.Model) -> list[str]:
        """The kinds of rows that refer to this one and keep it from being deleted, each with its number."""
        found = []
        for relation in self.model._meta.get_fields(include_hidden=True):
            if not isinstance(relation, models.ManyToOneRel) or relation.on_delete not in {PROTECT, DO_NOTHING}:
                continue
            if not relation.field.db_constraint:
                continue
            rows = relation.related_model._base_manager.filter(**{relation.field.name: obj}).count()
            if rows:
                name = capfirst(relation.related_model._meta.verbose_name_plural)
                found.append(_("%(object)s: %(kind)s, %(rows)s") % {"object": obj, "kind": name, "rows": rows})
        return found

    @admin.display(description=gettext_lazy("Changes"))
    def changes(self, obj: models.Model) -> SafeString | str:
        """The row's history, for the pages of models whose history is kept."""
        if obj.pk is None:
            return "–"
        return render_to_string("admin/reference/_changes.html", {"changes": changes_of(obj)})


def refused(form: type[forms.BaseForm], sentence: str) -> type[forms.BaseForm]:
    """The form, refusing with this sentence."""

    class RefusedForm(form):
        def clean(self):
            cleaned = super().clean()
            self.add_error(None, sentence)
            return cleaned

    return RefusedForm


class ReadOnlyAdmin(PortalAdmin):
    """Rows that are looked at here and written elsewhere."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        """Nobody."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        """Nobody."""
        return False
