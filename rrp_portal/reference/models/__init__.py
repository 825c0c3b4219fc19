"""Shared data that every app stands on: organisations, geography, sectors, money, people."""

from rrp_portal.reference.models.geography import AdminArea, Bureau, Country, Situation
from rrp_portal.reference.models.money import Currency, ExchangeRate
from rrp_portal.reference.models.organisation import GOVERNMENT_TYPES, Organisation, OrganisationMerge, OrganisationType
from rrp_portal.reference.models.people import ApiToken, Grant, Invitation, User
from rrp_portal.reference.models.sector import AgeBand, GlobalCluster, OutcomeArea, PopulationGroup, Sector, Sex

__all__ = [
    "GOVERNMENT_TYPES",
    "AdminArea",
    "AgeBand",
    "ApiToken",
    "Bureau",
    "Country",
    "Currency",
    "ExchangeRate",
    "GlobalCluster",
    "Grant",
    "Invitation",
    "Organisation",
    "OrganisationMerge",
    "OrganisationType",
    "OutcomeArea",
    "PopulationGroup",
    "Sector",
    "Sex",
    "Situation",
    "User",
]
