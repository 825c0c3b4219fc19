"""Starting an import: one call for the page, the API and the command."""

from collections.abc import Sequence
from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.files import File
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from rrp_portal.jobs import services as jobs
from rrp_portal.jobs.models import Job
from rrp_portal.reference.models import Grant
from rrp_portal.reference.roles import Permission

IMPORT = "fts_import"


def may_import(user: Any) -> bool:
    """Whether the person tracks funding somewhere, or administers the portal."""
    if not user.is_authenticated:
        return False
    return user.is_superuser or Grant.objects.giving(user, Permission.TRACK_FUNDING).exists()


def start_import(
    user: Any,
    files: Sequence[File] = (),
    *,
    plan: int | None = None,
    year: int | None = None,
    is_complete: bool = False,
    wake: bool = True,
) -> Job:
    """Start a job that imports the files, or that fetches an FTS plan or year and imports it; returns the waiting job.

    `user` None is the portal itself. Raises PermissionDenied for a person who tracks no funding.
    """
    if user is not None and not may_import(user):
        raise PermissionDenied
    fetches = not files
    arguments = {"plan": plan, "year": year, "complete": is_complete or fetches, "fetch": fetches}
    return jobs.start(IMPORT, _title(files, plan, year), user, arguments=arguments, files=files, wake=wake)


def _title(files: Sequence[File], plan: int | None, year: int | None) -> str:
    if files:
        name = (files[0].name or "").rsplit("/", 1)[-1]
        others = len(files) - 1
        if not others:
            return _("Import of %(file)s") % {"file": name}
        sentence = ngettext(
            "Import of %(file)s and %(count)s other file", "Import of %(file)s and %(count)s other files", others
        )
        return sentence % {"file": name, "count": others}
    if plan and year:
        return _("Fetch of FTS plan %(plan)s, %(year)s") % {"plan": plan, "year": year}
    if plan:
        return _("Fetch of FTS plan %(plan)s") % {"plan": plan}
    return _("Fetch of all FTS flows of %(year)s") % {"year": year}
