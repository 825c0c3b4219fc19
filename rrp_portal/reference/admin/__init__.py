"""The administration: reference data is maintained here and nowhere else."""

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from rrp_portal.reference.admin import lists, organisations, people

admin.site.site_header = _("RRP Portal: administration")
admin.site.site_title = _("RRP Portal")
admin.site.index_title = _("Reference data, people and records")
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]  # one way in: throttled, with a second factor

__all__ = ["lists", "organisations", "people"]
