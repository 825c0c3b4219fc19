"""What is needed: plans, versions, chapters, sectors and requirement lines."""

from planning.models.plan import Chapter, Plan, PlanSector
from planning.models.requirement import Requirement
from planning.models.version import PlanVersion, PlanVersionStep

__all__ = ["Chapter", "Plan", "PlanSector", "PlanVersion", "PlanVersionStep", "Requirement"]
