"""People: accounts, grants, invitations, API tokens. Daily granting happens on the page “People”; this is the master key."""

from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialApp, SocialToken
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group
from django.db import models
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from rrp_portal.reference.admin.base import PortalAdmin, ReadOnlyAdmin
from rrp_portal.reference.forms import PersonCreationForm
from rrp_portal.reference.models import ApiToken, Grant, Invitation, User
from rrp_portal.reference.roles import Role

# Rights come from grants, which are scoped; addresses follow the account; secrets are for nobody's eyes; providers are settings.
for hidden in (Group, EmailAddress, Authenticator, SocialApp, SocialToken):
    if admin.site.is_registered(hidden):
        admin.site.unregister(hidden)


@admin.register(User)
class PersonAdmin(PortalAdmin, UserAdmin):
    """Accounts: made by invitation or here, closed instead of deleted."""

    add_form = PersonCreationForm
    list_display = ["email", "name", "is_active", "is_staff", "is_superuser", "last_login"]
    list_filter = ["is_active", "is_staff", "is_superuser", "is_demonstration", "grants__role"]
    search_fields = ["email", "name"]
    ordering = ["email"]
    filter_horizontal: list[str] = []
    actions = ["forget_second_step"]
    fieldsets = [
        (None, {"fields": ["email", "password", "name", "language"]}),
        (_("Access"), {"fields": ["is_active", "is_staff", "is_superuser"]}),
        (_("Dates"), {"fields": ["last_login", "joined_at"]}),
    ]
    add_fieldsets = [(None, {"fields": ["email", "name", "usable_password", "password1", "password2"]})]

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> list[str]:
        """Only a superuser makes superusers, and nobody changes their own access."""
        fields = ["last_login", "joined_at"]
        if obj is not None and obj.pk == request.user.pk:
            return [*fields, "is_active", "is_staff", "is_superuser"]
        return fields if request.user.is_superuser else [*fields, "is_superuser"]

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """A superuser's account is changed by superusers only."""
        if obj is not None and obj.is_superuser and not request.user.is_superuser:
            return False
        return super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Nobody: what a person did keeps their name. Close the account instead."""
        return False

    @admin.action(description=_("Forget the second step of signing in"))
    def forget_second_step(self, request: HttpRequest, queryset: models.QuerySet) -> None:
        """For people who lost their device and their recovery codes: they sign in with the password and set it up anew."""
        people = queryset if request.user.is_superuser else queryset.filter(is_superuser=False)
        affected = people.filter(authenticator__isnull=False).distinct()
        for person in affected:
            self.log_change(request, person, "Second step of signing in forgotten")
        number = affected.count()
        Authenticator.objects.filter(user__in=people).delete()
        sentence = ngettext(
            "%(number)s person now signs in with the password alone, until they set up the second step again.",
            "%(number)s people now sign in with the password alone, until they set up the second step again.",
            number,
        )
        self.message_user(request, sentence % {"number": number})

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """Save, and keep the address that people sign in with the same as the one shown."""
        super().save_model(request, obj, form, change)
        if change and "email" in form.changed_data:
            EmailAddress.objects.filter(user=obj).delete()
            EmailAddress.objects.create(user=obj, email=obj.email.lower(), verified=True, primary=True)


@admin.register(Grant)
class GrantAdmin(PortalAdmin):
    """Grants: whoever saves one here is named as the person who gave it, and nobody gives one to themselves."""

    list_display = ["user", "role", "scope", "target", "granted_by", "granted_at"]
    list_filter = ["role", "scope"]
    list_select_related = [
        "user", "granted_by", "bureau", "country", "plan", "chapter__country", "sector", "organisation"
    ]  # fmt: skip
    search_fields = ["user__email", "user__name", "organisation__name", "plan__code", "plan__name"]
    ordering = ["-granted_at", "-id"]
    autocomplete_fields = ["user", "bureau", "country", "plan", "chapter", "sector", "organisation"]
    readonly_fields = ["granted_by", "granted_at", "changes"]
    actions = None

    def has_change_permission(self, request: HttpRequest, obj: Grant | None = None) -> bool:
        """The grants of administrators are given and withdrawn on the page “People”, which keeps the last one."""
        return not _of_administrator(obj) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Grant | None = None) -> bool:
        """As for changing."""
        return not _of_administrator(obj) and super().has_delete_permission(request, obj)

    def formfield_for_choice_field(self, db_field: models.Field, request: HttpRequest, **kwargs: Any) -> Any:
        """Every role but the administrator's."""
        if db_field.name == "role":
            roles = [(role.value, role.label) for role in Role if role != Role.SYSTEM_ADMIN]
            kwargs["choices"] = [("", "---------"), *roles]
        return super().formfield_for_choice_field(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: Grant, form: Any, change: bool) -> None:
        """Save with the giver; the database refuses a grant to oneself."""
        obj.granted_by = request.user
        super().save_model(request, obj, form, change)


def _of_administrator(grant: Grant | None) -> bool:
    """Whether the grant, as it stands in the database, makes an administrator."""
    return grant is not None and Grant.objects.filter(pk=grant.pk, role=Role.SYSTEM_ADMIN).exists()


@admin.register(Invitation)
class InvitationAdmin(ReadOnlyAdmin):
    """Invitations, without their keys; they are sent and withdrawn on the page “People”."""

    list_display = ["email", "role", "scope", "invited_by", "invited_at", "expires_at", "accepted_at", "withdrawn_at"]
    list_filter = ["role", ("accepted_at", admin.EmptyFieldListFilter), ("withdrawn_at", admin.EmptyFieldListFilter)]
    list_select_related = ["invited_by"]
    search_fields = ["email", "name"]
    ordering = ["-invited_at", "-id"]
    exclude = ["key"]


@admin.register(ApiToken)
class ApiTokenAdmin(ReadOnlyAdmin):
    """API tokens, without their hashes; each can be revoked."""

    list_display = ["name", "prefix", "user", "access", "created_at", "expires_at", "last_used_at", "revoked_at"]
    list_filter = ["access", ("revoked_at", admin.EmptyFieldListFilter)]
    list_select_related = ["user"]
    search_fields = ["name", "prefix", "user__email", "user__name"]
    ordering = ["-created_at", "-id"]
    exclude = ["digest"]
    actions = ["revoke"]

    @admin.action(description=_("Revoke"))
    def revoke(self, request: HttpRequest, queryset: models.QuerySet) -> None:
        """End the chosen tokens now."""
        ended = queryset.filter(revoked_at=None).update(revoked_at=timezone.now())
        sentence = ngettext("%(number)s token is revoked.", "%(number)s tokens are revoked.", ended)
        self.message_user(request, sentence % {"number": ended})
