"""Flows and figures over REST."""

from funding.api.figures import FigureResource
from funding.api.flows import FlowResource

__all__ = ["FigureResource", "FlowResource"]
