"""Loading the whole demonstration."""

from datetime import date

from funding.demonstration import people, regional_plan, worked_plan
from planning.models import Plan


def load(today: date) -> dict[str, int]:
    """Load what is not there yet; returns how many plans and people were created. Loading twice changes nothing."""
    created = {"plans": 0, "people": 0}
    for code, build in ((worked_plan.CODE, worked_plan.build), (regional_plan.CODE, regional_plan.build)):
        if not Plan.objects.filter(code=code).exists():
            build()
            created["plans"] += 1
    created["people"] = people.load(today)
    return created
