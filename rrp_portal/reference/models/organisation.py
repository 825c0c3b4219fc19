"""Organisations: who appeals, who gives, who receives."""

import pghistory
import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from rrp_portal.reference.models.codelist import CodeListItem
from rrp_portal.reference.models.geography import Country

GOVERNMENT_TYPES = ("gov_host", "gov_local", "gov_donor")


class OrganisationType(CodeListItem):
    """A type of organisation and what follows from it: may it own a requirement (I1), may it give, is it local."""

    class Localisation(models.TextChoices):
        INTERNATIONAL = "international", _("International")
        LOCAL = "local", _("Local or national")
        NONE = "none", _("Not classified")

    code = models.CharField(_("code"), max_length=20, primary_key=True)
    may_own_requirement = models.BooleanField(_("may own a requirement"), default=False)
    may_give = models.BooleanField(_("may be a donor"), default=True)
    localisation = models.CharField(
        _("localisation class"), max_length=20, choices=Localisation, default=Localisation.NONE
    )
    fts_types = ArrayField(models.CharField(max_length=120), default=list, blank=True, verbose_name=_("FTS types"))
    iati_code = models.CharField(_("IATI organisation type"), max_length=5, blank=True)
    why_no_requirement = models.TextField(
        _("why it cannot own a requirement"),
        blank=True,
        help_text=_("One or two sentences that say what to do instead."),
    )

    class Meta:
        verbose_name = _("organisation type")
        verbose_name_plural = _("organisation types")
        constraints = [
            models.CheckConstraint(
                condition=~Q(code__in=GOVERNMENT_TYPES) | Q(may_own_requirement=False),
                name="government_never_owns_a_requirement",
                violation_error_message=_("A government body can never own a requirement in a refugee response plan."),
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="keeps_requirements_lawful",
                operation=pgtrigger.UpdateOf("code", "may_own_requirement"),
                when=pgtrigger.Before,
                func="""
                    IF NEW.code <> OLD.code THEN
                        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'organisation_type_code_stays',
                            MESSAGE = 'The code of an organisation type cannot change. Make a new type instead.';
                    END IF;
                    IF OLD.may_own_requirement AND NOT NEW.may_own_requirement AND EXISTS (
                        SELECT 1 FROM planning_requirement r JOIN reference_organisation o ON o.id = r.partner_id
                          LEFT JOIN reference_organisation kept ON kept.id = o.merged_into_id
                         WHERE o.type_id = NEW.code OR kept.type_id = NEW.code) THEN
                        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'organisation_type_owns_requirements',
                            MESSAGE = 'Organisations of this type own requirement lines. Move or withdraw their lines first.';
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]


class OrganisationQuerySet(models.QuerySet):
    """Which organisations count as themselves, and whose they are."""

    def standing(self):
        """Organisations that have not been merged into another."""
        return self.filter(merged_into=None)

    def of(self, user):
        """The organisations in which the user holds a grant."""
        return self.filter(grants__user=user)


@pghistory.track()
class Organisation(models.Model):
    """An organisation. Never deleted while anything names it; twins are merged, and a merge can be undone."""

    name = models.CharField(_("name"), max_length=255)
    acronym = models.CharField(_("acronym"), max_length=50, blank=True)
    native_name = models.CharField(_("name in its own language"), max_length=255, blank=True)
    type = models.ForeignKey(OrganisationType, models.PROTECT, related_name="organisations", verbose_name=_("type"))
    fts_type = models.CharField(_("type as FTS gives it"), max_length=120, blank=True)
    country = models.ForeignKey(
        Country, models.PROTECT, null=True, blank=True, related_name="organisations", verbose_name=_("country")
    )
    parent = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="members", verbose_name=_("parent organisation")
    )
    fts_id = models.PositiveIntegerField(_("FTS id"), null=True, blank=True, unique=True)
    iati_id = models.CharField(_("IATI identifier"), max_length=100, blank=True)
    website = models.URLField(_("website"), blank=True)
    is_verified = models.BooleanField(_("verified"), default=False)
    is_women_led = models.BooleanField(_("women-led"), default=False)
    is_refugee_led = models.BooleanField(_("refugee-led"), default=False)
    is_youth_led = models.BooleanField(_("youth-led"), default=False)
    is_disability_led = models.BooleanField(_("organisation of persons with disabilities"), default=False)
    is_lead_agency = models.BooleanField(_("lead agency"), default=False)
    is_demonstration = models.BooleanField(_("demonstration"), default=False, editable=False)
    merged_into = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        related_name="merged_from",
        verbose_name=_("merged into"),
    )
    retired_on = models.DateField(_("retired on"), null=True, blank=True)

    objects = OrganisationQuerySet.as_manager()

    class Meta:
        verbose_name = _("organisation")
        verbose_name_plural = _("organisations")
        indexes = [models.Index(fields=["name"], name="organisation_by_name")]
        constraints = [
            models.CheckConstraint(
                condition=~Q(merged_into=models.F("id")),
                name="organisation_not_merged_into_itself",
                violation_error_message=_("An organisation cannot be merged into itself."),
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="type_keeps_requirements_lawful",
                operation=pgtrigger.UpdateOf("type_id", "merged_into_id"),
                when=pgtrigger.Before,
                condition=pgtrigger.Condition(
                    "NEW.type_id IS DISTINCT FROM OLD.type_id OR NEW.merged_into_id IS DISTINCT FROM OLD.merged_into_id"
                ),
                func="""
                    IF NOT EXISTS (
                        SELECT 1 FROM planning_requirement WHERE partner_id = NEW.id
                        UNION ALL
                        SELECT 1 FROM planning_requirement r JOIN reference_organisation o ON o.id = r.partner_id
                         WHERE o.merged_into_id = NEW.id) THEN
                        RETURN NEW;
                    END IF;
                    IF NEW.type_id <> OLD.type_id
                       AND NOT (SELECT may_own_requirement FROM reference_organisationtype WHERE code = NEW.type_id) THEN
                        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'organisation_type_owns_requirements',
                            MESSAGE = 'This organisation owns requirement lines, and an organisation of this type cannot. '
                                      'Move or withdraw its lines first.';
                    END IF;
                    IF NOT (SELECT t.may_own_requirement FROM reference_organisation kept
                              JOIN reference_organisationtype t ON t.code = kept.type_id WHERE kept.id = NEW.merged_into_id) THEN
                        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'organisation_merge_keeps_requirements_lawful',
                            MESSAGE = 'This organisation owns requirement lines, and the one it is merged into cannot.';
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def short_name(self) -> str:
        """The acronym where there is one, else the name."""
        return self.acronym or self.name

    def clean(self) -> None:
        """Refuse a type that cannot own requirements while the organisation owns some (I1)."""
        super().clean()
        if not self.pk or not self.type_id or self.type.may_own_requirement:
            return
        if self.requirements.exists():
            raise ValidationError(
                {
                    "type": _(
                        "This organisation owns requirement lines, and an organisation of this type cannot. "
                        "Move or withdraw its lines first."
                    )
                }
            )


class OrganisationMerge(models.Model):
    """One merge of a twin into the organisation that stays: every reference that was moved, so that it can be undone."""

    merged = models.ForeignKey(
        Organisation, models.PROTECT, related_name="merges_away", verbose_name=_("merged organisation")
    )
    kept = models.ForeignKey(
        Organisation, models.PROTECT, related_name="merges_here", verbose_name=_("kept organisation")
    )
    moved = models.JSONField(_("moved references"), default=dict)
    reason = models.TextField(_("reason"), blank=True)
    made_by = models.ForeignKey(
        "reference.User", models.PROTECT, null=True, related_name="+", verbose_name=_("made by")
    )
    made_at = models.DateTimeField(_("made at"), auto_now_add=True)
    undone_at = models.DateTimeField(_("undone at"), null=True, blank=True)
    undone_by = models.ForeignKey(
        "reference.User", models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("undone by")
    )

    class Meta:
        verbose_name = _("merge of organisations")
        verbose_name_plural = _("merges of organisations")

    def __str__(self) -> str:
        return f"{self.merged} → {self.kept}"
