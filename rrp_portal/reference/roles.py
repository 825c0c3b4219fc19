"""Roles, the scopes they are granted in, and what each permits: a frozen map, so that access is reviewed like code (domain: roles)."""

from enum import StrEnum

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Permission(StrEnum):
    """What a role may do within the scope of its grant."""

    ADMINISTER = "administer"
    MANAGE_PLAN = "manage_plan"
    EDIT_PLAN = "edit_plan"
    COMMENT_PLAN = "comment_plan"
    VIEW_DRAFTS = "view_drafts"
    EDIT_SECTOR = "edit_sector"
    EDIT_OWN_LINES = "edit_own_lines"
    REPORT_FUNDING = "report_funding"
    TRACK_FUNDING = "track_funding"
    VET_PLAN = "vet_plan"
    REVIEW_PLAN = "review_plan"
    APPROVE_PLAN = "approve_plan"
    MANAGE_PLEDGES = "manage_pledges"
    ANSWER_REQUESTS = "answer_requests"
    GRANT = "grant"


class Scope(TextChoices):
    """What a grant is for."""

    GLOBAL = "global", _("Everything")
    BUREAU = "bureau", _("Regional bureau")
    COUNTRY = "country", _("Country")
    PLAN = "plan", _("Plan")
    CHAPTER = "chapter", _("Country chapter")
    SECTOR = "sector", _("Sector in a chapter")
    ORGANISATION = "organisation", _("Organisation")
    PLEDGE_ENTITY = "pledge_entity", _("Pledge entity")


class Role(TextChoices):
    """Who someone is in a response."""

    SYSTEM_ADMIN = "system_admin", _("System administrator")
    REFUGEE_COORDINATOR = "refugee_coordinator", _("Refugee coordinator")
    REGIONAL_REFUGEE_COORDINATOR = "regional_refugee_coordinator", _("Regional refugee coordinator")
    CO_LEAD = "co_lead", _("Co-lead")
    CORE_GROUP_MEMBER = "core_group_member", _("Core strategy group member")
    SECTOR_LEAD = "sector_lead", _("Sector lead")
    SECTOR_COLEAD = "sector_colead", _("Sector co-lead")
    PARTNER_FOCAL_POINT = "partner_focal_point", _("Partner focal point")
    PARTNER_FINANCE = "partner_finance", _("Partner finance officer")
    IM_OFFICER = "im_officer", _("Information management officer")
    FUNDING_TRACKER = "funding_tracker", _("Funding tracker")
    MFT_MEMBER = "mft_member", _("Country multi-functional team member")
    SENIOR_MANAGEMENT = "senior_management", _("Senior management")
    BUREAU_REVIEWER = "bureau_reviewer", _("Bureau reviewer")
    BUREAU_DIRECTOR = "bureau_director", _("Bureau director")
    PCS_REVIEWER = "pcs_reviewer", _("PCS reviewer")
    DIVISION_REVIEWER = "division_reviewer", _("Division reviewer")
    HQ_APPROVER = "hq_approver", _("Headquarters approver")
    GCR_FOCAL_POINT = "gcr_focal_point", _("GCR focal point")
    GOVERNMENT_LEAD = "government_lead", _("Government lead")
    MINISTRY_FOCAL_POINT = "ministry_focal_point", _("Ministry focal point")
    RC_RCO = "rc_rco", _("Resident coordinator or office")
    MSP_LEAD = "msp_lead", _("Multistakeholder pledge lead")
    PLATFORM_SECRETARIAT = "platform_secretariat", _("Support platform secretariat")
    DONOR = "donor", _("Donor")


_P, _S = Permission, Scope
_COORDINATE = frozenset(
    {_P.MANAGE_PLAN, _P.EDIT_PLAN, _P.COMMENT_PLAN, _P.VIEW_DRAFTS, _P.EDIT_SECTOR, _P.TRACK_FUNDING, _P.GRANT}
)
_COMMENT = frozenset({_P.VIEW_DRAFTS, _P.COMMENT_PLAN})

PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.SYSTEM_ADMIN: frozenset(Permission),
    Role.REFUGEE_COORDINATOR: _COORDINATE,
    Role.REGIONAL_REFUGEE_COORDINATOR: _COORDINATE,
    Role.CO_LEAD: _COMMENT | {_P.EDIT_PLAN},
    Role.CORE_GROUP_MEMBER: _COMMENT | {_P.EDIT_PLAN},
    Role.SECTOR_LEAD: _COMMENT | {_P.EDIT_SECTOR},
    Role.SECTOR_COLEAD: _COMMENT | {_P.EDIT_SECTOR},
    Role.PARTNER_FOCAL_POINT: _COMMENT | {_P.EDIT_OWN_LINES, _P.REPORT_FUNDING},
    Role.PARTNER_FINANCE: frozenset({_P.REPORT_FUNDING}),
    Role.IM_OFFICER: _COMMENT | {_P.EDIT_PLAN, _P.TRACK_FUNDING},
    Role.FUNDING_TRACKER: frozenset({_P.VIEW_DRAFTS, _P.TRACK_FUNDING}),
    Role.MFT_MEMBER: _COMMENT | {_P.VET_PLAN},
    Role.SENIOR_MANAGEMENT: _COMMENT | {_P.VET_PLAN},
    Role.BUREAU_REVIEWER: _COMMENT | {_P.REVIEW_PLAN},
    Role.BUREAU_DIRECTOR: _COMMENT | {_P.REVIEW_PLAN, _P.APPROVE_PLAN},
    Role.PCS_REVIEWER: _COMMENT | {_P.REVIEW_PLAN},
    Role.DIVISION_REVIEWER: _COMMENT,
    Role.HQ_APPROVER: _COMMENT | {_P.APPROVE_PLAN},
    Role.GCR_FOCAL_POINT: _COMMENT | {_P.MANAGE_PLEDGES},
    Role.GOVERNMENT_LEAD: _COMMENT,
    Role.MINISTRY_FOCAL_POINT: _COMMENT,
    Role.RC_RCO: _COMMENT,
    Role.MSP_LEAD: frozenset({_P.ANSWER_REQUESTS}),
    Role.PLATFORM_SECRETARIAT: frozenset({_P.ANSWER_REQUESTS}),
    Role.DONOR: frozenset(),
}

_OPERATION = frozenset({_S.PLAN, _S.CHAPTER, _S.COUNTRY})

SCOPES: dict[Role, frozenset[Scope]] = {
    Role.SYSTEM_ADMIN: frozenset({_S.GLOBAL}),
    Role.REFUGEE_COORDINATOR: _OPERATION,
    Role.REGIONAL_REFUGEE_COORDINATOR: frozenset({_S.PLAN, _S.BUREAU}),
    Role.CO_LEAD: frozenset({_S.PLAN, _S.CHAPTER}),
    Role.CORE_GROUP_MEMBER: frozenset({_S.PLAN, _S.CHAPTER}),
    Role.SECTOR_LEAD: frozenset({_S.SECTOR}),
    Role.SECTOR_COLEAD: frozenset({_S.SECTOR}),
    Role.PARTNER_FOCAL_POINT: frozenset({_S.ORGANISATION}),
    Role.PARTNER_FINANCE: frozenset({_S.ORGANISATION}),
    Role.IM_OFFICER: frozenset({_S.PLAN, _S.CHAPTER, _S.BUREAU, _S.GLOBAL}),
    Role.FUNDING_TRACKER: frozenset({_S.PLAN, _S.BUREAU, _S.GLOBAL}),
    Role.MFT_MEMBER: _OPERATION,
    Role.SENIOR_MANAGEMENT: _OPERATION,
    Role.BUREAU_REVIEWER: frozenset({_S.BUREAU}),
    Role.BUREAU_DIRECTOR: frozenset({_S.BUREAU}),
    Role.PCS_REVIEWER: frozenset({_S.GLOBAL}),
    Role.DIVISION_REVIEWER: frozenset({_S.GLOBAL}),
    Role.HQ_APPROVER: frozenset({_S.GLOBAL}),
    Role.GCR_FOCAL_POINT: _OPERATION,
    Role.GOVERNMENT_LEAD: _OPERATION,
    Role.MINISTRY_FOCAL_POINT: _OPERATION,
    Role.RC_RCO: _OPERATION,
    Role.MSP_LEAD: frozenset({_S.PLEDGE_ENTITY}),
    Role.PLATFORM_SECRETARIAT: frozenset({_S.PLEDGE_ENTITY}),
    Role.DONOR: frozenset({_S.GLOBAL, _S.ORGANISATION}),
}


def roles_with(permission: Permission) -> list[Role]:
    """The roles that carry the permission."""
    return [role for role, permissions in PERMISSIONS.items() if permission in permissions]
