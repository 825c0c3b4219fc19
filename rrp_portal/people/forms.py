"""Forms about people: what they look like and how they are read. Who may do what stands in services.py."""

from datetime import timedelta

from django import forms
from django.contrib.auth import password_validation
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from planning.models import Plan
from rrp_portal.people.invitations import account_with
from rrp_portal.people.reach import Reach
from rrp_portal.reference.models import ApiToken, Grant, Invitation, User
from rrp_portal.reference.roles import SCOPES, Role, Scope

NARROWER = {
    Scope.BUREAU: {Scope.BUREAU, Scope.COUNTRY, Scope.PLAN, Scope.CHAPTER, Scope.SECTOR, Scope.ORGANISATION},
    Scope.COUNTRY: {Scope.COUNTRY, Scope.PLAN, Scope.CHAPTER, Scope.SECTOR, Scope.ORGANISATION},
    Scope.PLAN: {Scope.PLAN, Scope.CHAPTER, Scope.SECTOR, Scope.ORGANISATION},
    Scope.CHAPTER: {Scope.CHAPTER, Scope.SECTOR, Scope.ORGANISATION},
}
NEEDS_PLAN = {Scope.CHAPTER, Scope.SECTOR}


class FilterForm(forms.Form):
    """Which grants, invitations or history rows a list shows; everything stands in the address."""

    q = forms.CharField(label=_("Person"), required=False, max_length=100)
    role = forms.ChoiceField(label=_("Role"), required=False, choices=[("", _("All roles")), *Role.choices])
    plan = forms.CharField(label=_("Plan code"), required=False, max_length=50)

    def narrow(self, queryset, person: str):
        """The rows that fit; `person` is the path to the user, or empty where the row itself has name and address."""
        if not self.is_valid():
            return queryset.none()
        wanted, prefix = self.cleaned_data, f"{person}__" if person else ""
        if wanted["q"]:
            words = {f"{prefix}name__icontains": wanted["q"], f"{prefix}email__icontains": wanted["q"]}
            queryset = queryset.filter(Q(*words.items(), _connector=Q.OR))
        if wanted["role"]:
            queryset = queryset.filter(role=wanted["role"])
        if wanted["plan"]:
            queryset = queryset.filter(
                Q(plan__code__iexact=wanted["plan"]) | Q(chapter__plan__code__iexact=wanted["plan"])
            )
        return queryset


class WhatForm(forms.Form):
    """First step of giving a role: which role, for what kind of thing, and in which plan where that narrows the choice."""

    what = forms.ChoiceField(label=_("Role, and what it is for"))
    plan = forms.CharField(
        label=_("Plan code"), required=False, max_length=50, widget=forms.TextInput({"list": "plans"})
    )

    def __init__(self, *args, reach: Reach, roles: list[Role], scopes: set[Scope], **kwargs):
        super().__init__(*args, **kwargs)
        self.reach = reach
        self.fields["what"].choices = [("", _("Choose a role")), *self._choices(roles, scopes)]
        if self._scope_asked_for() not in NEEDS_PLAN:
            del self.fields["plan"]
        elif self.plans().count() == 1:
            self.fields["plan"].widget = forms.HiddenInput()

    def plans(self):
        """The plans in which the user may give roles for a chapter or a sector."""
        return Plan.objects.filter(pk__in=self.reach.chapters.values("plan"))

    def _choices(self, roles, scopes):
        for role in roles:
            there = [scope for scope in Scope if scope in SCOPES[role] and scope in scopes]
            if len(there) == 1:
                yield f"{role}:{there[0]}", _("%(role)s (%(scope)s)") % {"role": role.label, "scope": there[0].label}
            elif there:
                yield (
                    role.label,
                    [
                        (f"{role}:{s}", _("%(role)s (%(scope)s)") % {"role": role.label, "scope": s.label})
                        for s in there
                    ],
                )

    def _scope_asked_for(self) -> str:
        return (self.data.get("what") or "").partition(":")[2]

    def clean_plan(self):
        """The plan with this code; the only one within reach where none is given."""
        plans = self.plans()
        code = self.cleaned_data["plan"].strip()
        found = list(plans.filter(code__iexact=code) if code else plans.order_by("pk")[:2])
        if code and not found:
            raise forms.ValidationError(_("You coordinate no plan with this code. Choose one from the list."))
        return found[0] if len(found) == 1 else None

    @property
    def grant(self) -> Grant:
        """The beginning of a grant: role and scope."""
        role, _colon, scope = self.cleaned_data["what"].partition(":")
        return Grant(role=role, scope=scope)

    @property
    def is_complete(self) -> bool:
        """Whether the second step can be shown."""
        return self.is_valid() and ("plan" not in self.fields or self.cleaned_data["plan"] is not None)


def scopes_within(reach: Reach, held: list[Grant]) -> set[Scope]:
    """The kinds of scope that may lie within the grants held."""
    if reach.everything:
        return set(Scope)
    return set().union(*(NARROWER.get(Scope(grant.scope), set()) for grant in held))


class OrganisationField(forms.CharField):
    """An organisation by its name, its acronym, or the number that the list puts behind it."""

    widget = forms.TextInput({"list": "organisations", "autocomplete": "off"})

    def __init__(self, *, queryset, **kwargs):
        super().__init__(max_length=300, **kwargs)
        self.queryset = queryset

    def clean(self, value):
        """The organisation. Raises ValidationError where none or several fit."""
        text = super().clean(value)
        _before, _sign, number = text.rpartition("#")
        number = number.rstrip(") ")
        if _sign and number.isascii() and number.isdigit() and len(number) < 18:
            found = list(self.queryset.filter(pk=number)[:2])
        else:
            found = list(self.queryset.filter(Q(name__iexact=text) | Q(acronym__iexact=text))[:2])
        if len(found) == 1:
            return found[0]
        if found:
            raise forms.ValidationError(
                _("Several organisations are called so. Choose one from the list, with its number.")
            )
        raise forms.ValidationError(
            _("No organisation that you can give roles for is called so. Choose one from the list.")
        )


class GiveForm(forms.Form):
    """Second step: to whom, and for which plan, chapter, organisation …; `grant` holds the role and the kind of scope."""

    email = forms.EmailField(label=_("E-mail address"), widget=forms.EmailInput({"autocomplete": "off"}))
    name = forms.CharField(label=_("Name"), required=False, max_length=200)

    def __init__(self, *args, grant: Grant, reach: Reach, plan: Plan | None, **kwargs):
        super().__init__(*args, **kwargs)
        self.grant, scope = grant, grant.scope
        if scope == Scope.BUREAU:
            self.fields["bureau"] = forms.ModelChoiceField(
                reach.bureaus.order_by("name"), label=_("Regional bureau"), empty_label=_("Choose")
            )
        elif scope == Scope.COUNTRY:
            self.fields["country"] = forms.ModelChoiceField(
                reach.countries.order_by("name"), label=_("Country"), empty_label=_("Choose")
            )
        elif scope == Scope.PLAN:
            nearest = list(reach.plans.order_by("pk")[:2])
            self.fields["plan"] = forms.ModelChoiceField(
                reach.plans,
                to_field_name="code",
                initial=nearest[0].code if len(nearest) == 1 else None,
                label=_("Plan code"),
                widget=forms.TextInput({"list": "plans", "autocomplete": "off"}),
                error_messages={
                    "invalid_choice": _("You coordinate no plan with this code. Choose one from the list.")
                },
            )
        elif scope in NEEDS_PLAN:
            chapters = reach.chapters.filter(plan=plan).select_related("country", "plan").order_by("position", "pk")
            self.fields["chapter"] = forms.ModelChoiceField(
                chapters, label=_("Country chapter"), empty_label=_("Choose")
            )
            if scope == Scope.SECTOR:
                self.fields["sector"] = forms.ModelChoiceField(
                    plan.sectors.order_by("position", "name"), label=_("Sector")
                )
        elif scope in {Scope.ORGANISATION, Scope.PLEDGE_ENTITY}:
            self.fields["organisation"] = OrganisationField(queryset=reach.organisations, label=_("Organisation"))

    @property
    def account(self) -> User | None:
        """The account with this address, if there is one."""
        return account_with(self.cleaned_data["email"])

    @property
    def target(self) -> dict:
        """What the role is for, by field."""
        return {name: value for name, value in self.cleaned_data.items() if name not in {"email", "name"}}

    def as_grant(self, user: User) -> Grant:
        """The grant, not saved."""
        return Grant(user=user, role=self.grant.role, scope=self.grant.scope, **self.target)

    def as_invitation(self) -> Invitation:
        """The invitation, not saved."""
        who = {"email": self.cleaned_data["email"].lower(), "name": self.cleaned_data["name"]}
        return Invitation(role=self.grant.role, scope=self.grant.scope, **who, **self.target)


class WelcomeForm(forms.Form):
    """What somebody new tells the portal: a name and a password."""

    name = forms.CharField(label=_("Your name"), max_length=200, widget=forms.TextInput({"autocomplete": "name"}))
    password = forms.CharField(
        label=_("Password"),
        strip=False,
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
        help_text=_("At least 12 characters; a sentence is easier to remember than a word."),
    )

    def __init__(self, *args, email: str, **kwargs):
        super().__init__(*args, **kwargs)
        self.email = email

    def clean(self):
        """Refuse a password that is easy to guess."""
        cleaned = super().clean()
        if cleaned.get("password"):
            user = User(email=self.email, name=cleaned.get("name", ""))
            try:
                password_validation.validate_password(cleaned["password"], user)
            except forms.ValidationError as error:
                self.add_error("password", error)
        return cleaned

    def as_user(self) -> User:
        """The account, not saved."""
        user = User(email=self.email, name=self.cleaned_data["name"], language=get_language() or "")
        user.set_password(self.cleaned_data["password"])
        return user


class TokenForm(forms.Form):
    """A new API token: what it is for, what it may do, how long it lives."""

    LIFETIMES = [("30", _("30 days")), ("90", _("90 days")), ("365", _("One year")), ("never", _("It does not expire"))]

    name = forms.CharField(
        label=_("What it is for"), max_length=100, help_text=_("For example: monthly export to Power BI.")
    )
    access = forms.ChoiceField(label=_("Access"), choices=ApiToken.Access, initial=ApiToken.Access.READ)
    days = forms.ChoiceField(label=_("Valid for"), choices=LIFETIMES, initial="90")

    @property
    def expires_at(self):
        """When the token ends, or None."""
        days = self.cleaned_data["days"]
        return timezone.now() + timedelta(days=int(days)) if days != "never" else None


def plans_to_choose(reach: Reach, limit: int = 200):
    """The newest plans within reach, for the list behind a plan's code."""
    plans = Plan.objects.all() if reach.everything else Plan.objects.filter(pk__in=reach.chapters.values("plan"))
    return plans.order_by("-starts_on", "name").only("code", "name")[:limit]


def organisations_to_choose(reach: Reach, text: str = "", limit: int = 100):
    """Organisations within reach whose name or acronym contains the text, for the list behind an organisation's name."""
    found = reach.organisations
    if text:
        found = found.filter(Q(name__icontains=text) | Q(acronym__icontains=text))
    return found.order_by("name", "pk").only("name", "acronym")[:limit]
