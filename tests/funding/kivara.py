"""The worked regional plan RTST26 for tests: the reference rows it stands on, and the plan itself."""

from funding.demonstration import worked_plan
from tests.factories import make_currency, make_organisation_type, make_sector

ORGANISATIONS = worked_plan.ORGANISATIONS
LINES = worked_plan.LINES


def make_kivara():
    """The plan with its first version approved on 2 April 2026 and its thirteen flows; has plan, version, who by name, flows by name."""
    for code in set(worked_plan.ORGANISATIONS.values()):
        make_organisation_type(code)
    for code in worked_plan.SECTORS:
        make_sector(code)
    for code in ("USD", "EUR", "CHF"):
        make_currency(code)
    return worked_plan.build()
