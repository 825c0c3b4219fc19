"""What every resource of the REST API has in common: pages, CSV, refusals, filters, throttling. Knows no app.

Django REST framework imports the names below while it reads its settings, so nothing here imports models or views.
"""

from rrp_portal.api.csv import CSVRenderer
from rrp_portal.api.filters import KnownFilters
from rrp_portal.api.pages import CursorPages
from rrp_portal.api.refusals import explain_refusal
from rrp_portal.api.throttling import PersonThrottle, VisitorThrottle

__all__ = ["CSVRenderer", "CursorPages", "KnownFilters", "PersonThrottle", "VisitorThrottle", "explain_refusal"]
