"""Access is a queryset: `visible_to(user)` and `editable_by(user)`. Knows no app.

Not visible is 404, visible but forbidden is 403 with a sentence.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Model
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _

T = TypeVar("T", bound=Model)


@transaction.atomic
def save_within_reach(save: Callable[[], T], user: Any) -> T:
    """Save a form or serializer, and undo it if that put the object beyond what the user may edit; returns the object.

    `save` is `form.save`, `serializer.save` or a service call. Raises PermissionDenied and leaves nothing
    behind: you may not save what you could not then edit.
    """
    obj = save()
    rows: Any = type(obj)._default_manager.all()
    if not rows.editable_by(user).filter(pk=obj.pk).exists():
        raise PermissionDenied(
            _("You cannot save this for others. Choose a plan or an organisation that you may edit.")
        )
    return obj


def editable_or_refuse(queryset: Any, user: Any, sentence: str = "", **lookup: Any) -> Any:
    """The one object that the user may edit; `sentence` says what to do where it may only be read.

    Raises Http404 when it is not visible, PermissionDenied when it is visible and not editable. One query, or two.
    """
    if (obj := queryset.editable_by(user).filter(**lookup).first()) is not None:
        return obj
    get_object_or_404(queryset.visible_to(user), **lookup)
    raise PermissionDenied(sentence or _("You may read this but not change it. Ask the coordinator of the plan."))
