"""Organisations, their types, and merging twins."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import models, transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from rrp_portal.reference.admin.base import PortalAdmin, ReadOnlyAdmin
from rrp_portal.reference.admin.lists import CodeListAdmin
from rrp_portal.reference.forms import MergeForm, OrganisationTypeForm
from rrp_portal.reference.models import Organisation, OrganisationMerge, OrganisationType
from rrp_portal.reference.services import merge_organisations, undo_merge
from rrp_portal.reference.services.merging import preview, references, undo_obstacle
from rrp_portal.workflow import Refused

MOST_AT_ONCE = 20


@admin.register(OrganisationType)
class OrganisationTypeAdmin(CodeListAdmin):
    """Types of organisations."""

    form = OrganisationTypeForm
    list_display = [
        "code",
        "name",
        "may_own_requirement",
        "may_give",
        "localisation",
        "iati_code",
        "position",
        "retired_on",
    ]
    list_filter = ["may_own_requirement", "may_give", "localisation"]


class StandingFilter(admin.SimpleListFilter):
    """Organisations that stand for themselves, or those merged into another."""

    title = gettext_lazy("merged")
    parameter_name = "merged"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, object]]:
        """The two choices."""
        return [("no", gettext_lazy("Standing")), ("yes", gettext_lazy("Merged into another"))]

    def queryset(self, request: HttpRequest, queryset: models.QuerySet) -> models.QuerySet:
        """The organisations of the choice."""
        if self.value() in {"yes", "no"}:
            return queryset.filter(merged_into__isnull=self.value() == "no")
        return queryset


@admin.register(Organisation)
class OrganisationAdmin(PortalAdmin):
    """Organisations: verified and merged here, never deleted."""

    list_display = ["name", "acronym", "type", "country", "is_verified", "fts_id", "merged_into"]
    list_filter = ["is_verified", StandingFilter, "type", "type__localisation", "is_lead_agency"]
    list_select_related = ["type", "country", "merged_into"]
    search_fields = ["name", "acronym", "native_name", "=fts_id", "=iati_id"]
    ordering = ["name", "id"]
    autocomplete_fields = ["type", "country", "parent"]
    readonly_fields = ["merged_into", "changes"]
    actions = ["merge_into", "verify"]
    formfield_overrides = {models.URLField: {"assume_scheme": "https"}}

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        """Nobody: an organisation is merged or retired, and its history stays."""
        return False

    def get_search_results(self, request: HttpRequest, queryset: models.QuerySet, search_term: str):
        """Where an organisation is chosen, merged ones are not offered."""
        found, may_have_duplicates = super().get_search_results(request, queryset, search_term)
        if request.path.endswith("/autocomplete/"):
            found = found.filter(merged_into=None)
        return found, may_have_duplicates

    def get_urls(self) -> list:
        """The page that asks into which organisation."""
        merge = path("merge/", self.admin_site.admin_view(self.merge_view), name="reference_organisation_merge")
        return [merge, *super().get_urls()]

    @admin.action(description=gettext_lazy("Verify"))
    def verify(self, request: HttpRequest, queryset: models.QuerySet) -> None:
        """Mark the chosen organisations as verified."""
        changed = queryset.filter(is_verified=False).update(is_verified=True)
        sentence = ngettext(
            "%(number)s organisation is now verified.", "%(number)s organisations are now verified.", changed
        )
        self.message_user(request, sentence % {"number": changed})

    @admin.action(description=gettext_lazy("Merge into…"), permissions=["change"])
    def merge_into(self, request: HttpRequest, queryset: models.QuerySet) -> HttpResponse | None:
        """Ask into which organisation the chosen ones go."""
        keys = list(queryset.values_list("pk", flat=True)[: MOST_AT_ONCE + 1])
        if len(keys) > MOST_AT_ONCE:
            sentence = _("Merge at most %(number)s organisations at a time.") % {"number": MOST_AT_ONCE}
            self.message_user(request, sentence, messages.ERROR)
            return None
        address = reverse("admin:reference_organisation_merge")
        return HttpResponseRedirect(f"{address}?ids={','.join(map(str, keys))}")

    def merge_view(self, request: HttpRequest) -> HttpResponse:
        """Show what would move, ask for the organisation to keep and the reason, and merge."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        keys = [int(key) for key in request.GET.get("ids", "").split(",")[:MOST_AT_ONCE] if key.isdecimal()]
        merged = list(Organisation.objects.filter(pk__in=keys).select_related("type", "merged_into").order_by("name"))
        if not merged:
            raise Http404
        form = MergeForm(request.POST or None, merged=merged, site=self.admin_site)
        if request.method == "POST" and form.is_valid() and self._merge(request, merged, form):
            kept = form.cleaned_data["kept"]
            return HttpResponseRedirect(reverse("admin:reference_organisation_change", args=[kept.pk]))
        context = self.admin_site.each_context(request) | {
            "title": _("Merge organisations"),
            "opts": self.opts,
            "form": form,
            "media": self.media + form.media,
            "merged": [(organisation, preview(organisation)) for organisation in merged],
        }
        status = 422 if form.is_bound else 200
        return TemplateResponse(request, "admin/reference/merge.html", context, status=status)

    def _merge(self, request: HttpRequest, merged: list[Organisation], form: MergeForm) -> bool:
        """Merge all or none; whether it was done."""
        kept, reason = form.cleaned_data["kept"], form.cleaned_data["reason"]
        try:
            with transaction.atomic():
                merges = [
                    merge_organisations(merged=one, kept=kept, user=request.user, reason=reason) for one in merged
                ]
        except Refused as refused:
            form.add_error(None, str(refused))
            return False
        stayed = sum(len(keys) for merge in merges for keys in merge.moved["stayed"].values())
        names = {"merged": ", ".join(one.name for one in merged), "kept": kept}
        self.message_user(
            request, _("%(merged)s: merged into %(kept)s. This can be undone in the list of merges.") % names
        )
        if stayed:
            sentence = ngettext(
                "%(number)s row cannot move and stays where it is; figures count it for the kept organisation.",
                "%(number)s rows cannot move and stay where they are; figures count them for the kept organisation.",
                stayed,
            )
            self.message_user(request, sentence % {"number": stayed}, messages.WARNING)
        return True


@admin.register(OrganisationMerge)
class OrganisationMergeAdmin(ReadOnlyAdmin):
    """Merges that were made; each can be undone."""

    list_display = ["merged", "kept", "made_by", "made_at", "undone_at", "undone_by"]
    list_filter = [("undone_at", admin.EmptyFieldListFilter), "made_at"]
    list_select_related = ["merged", "kept", "made_by", "undone_by"]
    search_fields = ["merged__name", "kept__name", "reason"]
    ordering = ["-made_at", "-id"]
    fields = ["merged", "kept", "reason", "made_by", "made_at", "rows", "undone_at", "undone_by"]
    readonly_fields = ["rows"]
    change_form_template = "admin/reference/merge_change.html"

    def get_urls(self) -> list:
        """The page that asks before undoing."""
        undo = path(
            "<int:pk>/undo/", self.admin_site.admin_view(self.undo_view), name="reference_organisationmerge_undo"
        )
        return [undo, *super().get_urls()]

    @admin.display(description=gettext_lazy("rows"))
    def rows(self, merge: OrganisationMerge) -> str:
        """How many rows moved, stayed, or could not be put back."""
        return "\n".join(f"{title}: {', '.join(parts)}" for title, parts in _summary(merge)) or "–"

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """The page of one merge, with the way to undo it while it stands."""
        merge = self.get_object(request, object_id)
        may_undo = merge is not None and merge.undone_at is None and self.may_merge(request)
        return super().change_view(request, object_id, form_url, (extra_context or {}) | {"may_undo": may_undo})

    def may_merge(self, request: HttpRequest) -> bool:
        """Whoever changes organisations merges them and undoes merges."""
        return self.admin_site.get_model_admin(Organisation).has_change_permission(request)

    def undo_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask, then undo."""
        if not self.may_merge(request):
            raise PermissionDenied
        merge = get_object_or_404(OrganisationMerge.objects.select_related("merged", "kept__merged_into"), pk=pk)
        page = HttpResponseRedirect(reverse("admin:reference_organisationmerge_change", args=[pk]))
        if reason := undo_obstacle(merge):
            self.message_user(request, reason, messages.ERROR)
            return page
        if request.method == "POST":
            try:
                merge = undo_merge(merge, user=request.user)
            except Refused as refused:  # somebody was faster
                self.message_user(request, str(refused), messages.ERROR)
                return page
            self.message_user(
                request, _("The merge is undone: %(merged)s stands for itself again.") % {"merged": merge.merged}
            )
            if merge.moved["changed_since"] or merge.moved["refused"]:
                sentence = _("Some rows were left with %(kept)s; they are listed below.") % {"kept": merge.kept}
                self.message_user(request, sentence, messages.WARNING)
            return page
        context = self.admin_site.each_context(request) | {
            "title": _("Undo the merge of %(merged)s into %(kept)s") % {"merged": merge.merged, "kept": merge.kept},
            "opts": self.opts,
            "merge": merge,
            "summary": _summary(merge),
        }
        return TemplateResponse(request, "admin/reference/undo.html", context)


def _summary(merge: OrganisationMerge) -> list[tuple[str, list[str]]]:
    """What the merge did by kind of row, with numbers and, for what was left, the keys."""
    titles = {
        "moved": _("Moved"),
        "stayed": _("Could not move"),
        "changed_since": _("Changed since and left alone"),
        "refused": _("Could not be put back"),
    }
    names = {reference.label: str(reference) for reference in references()}
    return [
        (title, [_line(names.get(label, label), keys, with_keys=part != "moved") for label, keys in found.items()])
        for part, title in titles.items()
        if (found := merge.moved.get(part))
    ]


def _line(name: str, keys: list, *, with_keys: bool) -> str:
    if not with_keys:
        return f"{name} ({len(keys)})"
    shown = ", ".join(f"#{key}" for key in keys[:MOST_AT_ONCE])
    return f"{name} ({len(keys)}: {shown}{', …' if len(keys) > MOST_AT_ONCE else ''})"
