"""What has come: flows with their lines, and the figures computed from them."""

from funding.models.boundary import BoundaryException
from funding.models.figure import Figure, PlanYear, PublishedTotal, StaleMark
from funding.models.flow import Flow, FlowLine, Place, SectorSplit

__all__ = [
    "BoundaryException",
    "Figure",
    "Flow",
    "FlowLine",
    "Place",
    "PlanYear",
    "PublishedTotal",
    "SectorSplit",
    "StaleMark",
]
