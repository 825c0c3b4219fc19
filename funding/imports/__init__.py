"""Real funding goes in: FTS answers, JSON lines and the CSV files of the Humanitarian Data Exchange."""

from funding.imports.fetching import fetch
from funding.imports.starting import IMPORT, may_import, start_import
from funding.imports.work import import_files

__all__ = ["IMPORT", "fetch", "import_files", "may_import", "start_import"]
