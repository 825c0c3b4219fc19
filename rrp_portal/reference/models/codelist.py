"""What every list of codes has in common: a name per language, an order, and retirement instead of deletion."""

from unicodedata import combining, normalize

from django.db import models
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _


class CodeListQuerySet(models.QuerySet):
    """Questions that every code list answers."""

    def active(self):
        """The entries that may still be chosen."""
        return self.filter(retired_on=None)


class CodeListItem(models.Model):
    """One entry of a code list: maintained in the admin, retired when it is no longer used, never deleted while referenced."""

    name = models.CharField(_("name"), max_length=200)
    names = models.JSONField(
        _("names by language"),
        default=dict,
        blank=True,
        help_text=_("Language code to name, for example fr or zh-hans."),
    )
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    retired_on = models.DateField(_("retired on"), null=True, blank=True)

    objects = CodeListQuerySet.as_manager()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.local_name

    @property
    def local_name(self) -> str:
        """The name in the reader's language, or in English where it is not translated."""
        return self.names.get(get_language() or "en") or self.name

    @property
    def local_order(self) -> str:
        """What sorts it by its name in the reader's language; case and accents do not count."""
        return "".join(sign for sign in normalize("NFKD", self.local_name.casefold()) if not combining(sign))
