"""Writes over several rows of the shared data, and questions that other rooms ask of it."""

from rrp_portal.reference.services.organisation_types import ReferenceDataMissing, organisation_type_for_fts

__all__ = ["ReferenceDataMissing", "organisation_type_for_fts"]
