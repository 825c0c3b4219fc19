"""Files that come into the shared data: our own lists, OCHA's administrative areas, exchange rates."""

from rrp_portal.reference.imports.admin_areas import import_admin_areas
from rrp_portal.reference.imports.csvfile import FileRefused, Problem
from rrp_portal.reference.imports.exchange_rates import import_exchange_rates
from rrp_portal.reference.imports.lists import Outcome, load_lists

__all__ = ["FileRefused", "Outcome", "Problem", "import_admin_areas", "import_exchange_rates", "load_lists"]
