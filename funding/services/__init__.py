"""Writing flows: one call each for pages, API and jobs, with every guard inside (BR-01, BR-06 to BR-17, BR-25, I17)."""

from funding.services.boundary import Boundary
from funding.services.guards import Confirm
from funding.services.notes import notes_on
from funding.services.recording import FIELDS, change_flow, flow_version, record_flow
from funding.services.reversal import reverse_flow
from funding.services.twins import suspected_twins

__all__ = [
    "FIELDS",
    "Boundary",
    "Confirm",
    "change_flow",
    "flow_version",
    "notes_on",
    "record_flow",
    "reverse_flow",
    "suspected_twins",
]
