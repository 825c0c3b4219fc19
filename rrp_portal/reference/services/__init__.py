"""Writes over several rows of the shared data, and questions that other rooms ask of it."""

from rrp_portal.reference.services.merging import merge_organisations, undo_merge
from rrp_portal.reference.services.organisation_types import ReferenceDataMissing, organisation_type_for_fts

__all__ = ["ReferenceDataMissing", "merge_organisations", "organisation_type_for_fts", "undo_merge"]
