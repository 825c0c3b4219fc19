"""People: users who sign in by e-mail, the grants that say what they may do and where, and invitations."""

import secrets

import pghistory
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from rrp_portal.reference.models.geography import Bureau, Country
from rrp_portal.reference.models.organisation import Organisation
from rrp_portal.reference.roles import PERMISSIONS, SCOPES, Permission, Role, Scope, roles_with


class UserManager(BaseUserManager):
    """Creates users by e-mail address."""

    def create_user(self, email, password=None, **fields):
        """A user with this e-mail address; without a password they cannot sign in until they set one."""
        user = self.model(email=self.normalize_email(email), **fields)
        user.set_password(password)
        user.save()
        return user

    def create_superuser(self, email, password=None, **fields):
        """A user who may do everything, for the first administrator of an installation."""
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, email):
        """The user with this address, whatever its capitals."""
        return self.get(email__iexact=email)


class User(AbstractBaseUser, PermissionsMixin):
    """A person who signs in by e-mail."""

    email = models.EmailField(_("e-mail address"), unique=True)
    name = models.CharField(_("name"), max_length=200, blank=True)
    language = models.CharField(_("language"), max_length=10, blank=True)
    is_active = models.BooleanField(_("active"), default=True)
    is_staff = models.BooleanField(_("may use the administration pages"), default=False)
    is_demonstration = models.BooleanField(_("demonstration"), default=False, editable=False)
    joined_at = models.DateTimeField(_("joined at"), auto_now_add=True)

    objects = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: list[str] = []

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        constraints = [
            models.UniqueConstraint(
                Lower("email"),
                name="one_user_per_email_address",
                violation_error_message=_("Someone already has an account with this e-mail address."),
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.email

    def get_full_name(self) -> str:
        """The name shown beside what the person did."""
        return str(self)

    def get_short_name(self) -> str:
        """The same as the full name: names are not split."""
        return str(self)


class GrantQuerySet(models.QuerySet):
    """Which grants a user holds, and who may give which."""

    def giving(self, user, permission: Permission):
        """The user's grants whose role carries the permission; none for a visitor."""
        if not user.is_authenticated:
            return self.none()
        return self.filter(user=user, role__in=roles_with(permission))

    def held_by(self, user):
        """The user's own grants."""
        return self.filter(user=user) if user.is_authenticated else self.none()


@pghistory.track()
class Grant(models.Model):
    """A role, given to a person, within one scope. Every change is history; nobody grants to themselves."""

    user = models.ForeignKey(User, models.CASCADE, related_name="grants", verbose_name=_("person"))
    role = models.CharField(_("role"), max_length=40, choices=Role)
    scope = models.CharField(_("scope"), max_length=20, choices=Scope)
    bureau = models.ForeignKey(
        Bureau, models.PROTECT, null=True, blank=True, related_name="grants", verbose_name=_("regional bureau")
    )
    country = models.ForeignKey(
        Country, models.PROTECT, null=True, blank=True, related_name="grants", verbose_name=_("country")
    )
    plan = models.ForeignKey(
        "planning.Plan", models.CASCADE, null=True, blank=True, related_name="grants", verbose_name=_("plan")
    )
    chapter = models.ForeignKey(
        "planning.Chapter", models.CASCADE, null=True, blank=True, related_name="grants", verbose_name=_("chapter")
    )
    sector = models.ForeignKey(
        "planning.PlanSector", models.CASCADE, null=True, blank=True, related_name="grants", verbose_name=_("sector")
    )
    organisation = models.ForeignKey(
        Organisation, models.PROTECT, null=True, blank=True, related_name="grants", verbose_name=_("organisation")
    )
    granted_by = models.ForeignKey(
        User,
        models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        related_name="grants_given",
        verbose_name=_("granted by"),
    )
    granted_at = models.DateTimeField(_("granted at"), auto_now_add=True)

    objects = GrantQuerySet.as_manager()

    class Meta:
        verbose_name = _("grant")
        verbose_name_plural = _("grants")
        constraints = [
            models.UniqueConstraint(
                fields=["user", "role", "scope", "bureau", "country", "plan", "chapter", "sector", "organisation"],
                name="one_grant_per_person_role_and_scope",
                nulls_distinct=False,
                violation_error_message=_("This person already has this role here."),
            ),
            models.CheckConstraint(
                condition=~Q(user=F("granted_by")) | Q(granted_by=None),
                name="nobody_grants_to_themselves",
                violation_error_message=_(
                    "Nobody can grant a role to themselves. Ask another administrator or coordinator."
                ),
            ),
            models.CheckConstraint(
                condition=(
                    Q(
                        scope="global",
                        bureau=None,
                        country=None,
                        plan=None,
                        chapter=None,
                        sector=None,
                        organisation=None,
                    )
                    | Q(
                        scope="bureau",
                        bureau__isnull=False,
                        country=None,
                        plan=None,
                        chapter=None,
                        sector=None,
                        organisation=None,
                    )
                    | Q(
                        scope="country",
                        country__isnull=False,
                        bureau=None,
                        plan=None,
                        chapter=None,
                        sector=None,
                        organisation=None,
                    )
                    | Q(
                        scope="plan",
                        plan__isnull=False,
                        bureau=None,
                        country=None,
                        chapter=None,
                        sector=None,
                        organisation=None,
                    )
                    | Q(
                        scope="chapter",
                        chapter__isnull=False,
                        bureau=None,
                        country=None,
                        plan=None,
                        sector=None,
                        organisation=None,
                    )
                    | Q(
                        scope="sector",
                        chapter__isnull=False,
                        sector__isnull=False,
                        bureau=None,
                        country=None,
                        plan=None,
                        organisation=None,
                    )
                    | Q(
                        scope__in=["organisation", "pledge_entity"],
                        organisation__isnull=False,
                        bureau=None,
                        country=None,
                        plan=None,
                        chapter=None,
                        sector=None,
                    )
                ),
                name="grant_names_what_its_scope_needs",
                violation_error_message=_(
                    "Name exactly what the scope needs, for example a plan for the scope “Plan”."
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.get_role_display()} ({self.target})"

    @property
    def target(self):
        """What the grant is for: a plan, an organisation …, or the word for everything."""
        if self.scope == Scope.SECTOR:
            return f"{self.chapter} · {self.sector}"
        return getattr(self, self.scope, None) or self.organisation or Scope(self.scope).label

    @property
    def permissions(self) -> frozenset[Permission]:
        """What the role permits within the scope."""
        return PERMISSIONS[Role(self.role)]

    def clean(self) -> None:
        """Refuse a role in a scope it does not exist in."""
        super().clean()
        if self.role and self.scope and self.scope not in SCOPES[Role(self.role)]:
            raise ValidationError(
                {
                    "scope": _("The role “%(role)s” is granted for: %(scopes)s.")
                    % {
                        "role": self.get_role_display(),
                        "scopes": ", ".join(str(Scope(scope).label) for scope in sorted(SCOPES[Role(self.role)])),
                    }
                }
            )
        if self.sector_id and self.chapter_id and self.sector.plan_id != self.chapter.plan_id:
            raise ValidationError({"sector": _("Choose a sector of the same plan as the chapter.")})


def new_invitation_key() -> str:
    """A key that cannot be guessed, for the link in an invitation."""
    return secrets.token_urlsafe(32)


class Invitation(models.Model):
    """An invitation by e-mail that carries a grant, accepted once and before it expires."""

    email = models.EmailField(_("e-mail address"))
    name = models.CharField(_("name"), max_length=200, blank=True)
    key = models.CharField(_("key"), max_length=64, unique=True, default=new_invitation_key, editable=False)
    role = models.CharField(_("role"), max_length=40, choices=Role)
    scope = models.CharField(_("scope"), max_length=20, choices=Scope)
    bureau = models.ForeignKey(Bureau, models.PROTECT, null=True, blank=True, related_name="+")
    country = models.ForeignKey(Country, models.PROTECT, null=True, blank=True, related_name="+")
    plan = models.ForeignKey("planning.Plan", models.CASCADE, null=True, blank=True, related_name="+")
    chapter = models.ForeignKey("planning.Chapter", models.CASCADE, null=True, blank=True, related_name="+")
    sector = models.ForeignKey("planning.PlanSector", models.CASCADE, null=True, blank=True, related_name="+")
    organisation = models.ForeignKey(Organisation, models.PROTECT, null=True, blank=True, related_name="+")
    invited_by = models.ForeignKey(User, models.PROTECT, related_name="invitations_sent", verbose_name=_("invited by"))
    invited_at = models.DateTimeField(_("invited at"), auto_now_add=True)
    expires_at = models.DateTimeField(_("expires at"))
    accepted_at = models.DateTimeField(_("accepted at"), null=True, blank=True)
    withdrawn_at = models.DateTimeField(_("withdrawn at"), null=True, blank=True)

    class Meta:
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")

    def __str__(self) -> str:
        return f"{self.email}: {self.get_role_display()}"


class ApiToken(models.Model):
    """A key for the API: only its hash is stored, it has scopes, it can be revoked."""

    class Access(models.TextChoices):
        READ = "read", _("Read")
        WRITE = "write", _("Read and write")

    user = models.ForeignKey(User, models.CASCADE, related_name="api_tokens", verbose_name=_("owner"))
    name = models.CharField(_("what it is for"), max_length=100)
    prefix = models.CharField(_("first characters"), max_length=12, editable=False)
    digest = models.CharField(_("SHA-256 of the key"), max_length=64, unique=True, editable=False)
    access = models.CharField(_("access"), max_length=10, choices=Access, default=Access.READ)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    expires_at = models.DateTimeField(_("expires at"), null=True, blank=True)
    last_used_at = models.DateTimeField(_("last used at"), null=True, blank=True, editable=False)
    revoked_at = models.DateTimeField(_("revoked at"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("API token")
        verbose_name_plural = _("API tokens")

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"
