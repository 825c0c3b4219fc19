"""The bare reference for pages: Django with one table of 100,000 rows and one list of 50, nothing else."""

import os
from urllib.parse import parse_qs, urlsplit

import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.template import engines
from django.urls import path

_url = urlsplit(os.environ["DATABASE_URL"])
_query = parse_qs(_url.query)

settings.configure(
    SECRET_KEY="bare",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    MIDDLEWARE=["django.middleware.common.CommonMiddleware"],
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates"}],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": _url.path.lstrip("/"),
            "USER": _url.username,
            "HOST": _query.get("host", [""])[0],
            "PORT": _query.get("port", [""])[0],
            "CONN_MAX_AGE": 60,
        }
    },
)
django.setup()

from django.core.paginator import Paginator  # noqa: E402
from django.db import models  # noqa: E402


class Row(models.Model):
    name = models.TextField()
    donor = models.TextField()
    recipient = models.TextField()
    amount = models.DecimalField(max_digits=17, decimal_places=2)
    day = models.DateField()

    class Meta:
        app_label = "bare"
        db_table = "bare_row"

    def __str__(self):
        return self.name


PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Rows</title></head><body><table>
{% for row in rows %}<tr><td><a href="/{{ row.pk }}/">{{ row.name }}</a></td><td>{{ row.donor }}</td><td>{{ row.recipient }}</td>
<td>{{ row.amount|floatformat:2 }}</td><td>{{ row.day|date:"j F Y" }}</td></tr>{% endfor %}</table></body></html>"""
TEMPLATE = engines["django"].from_string(PAGE)


def paginated(request):
    """The list as Django's paginator makes it: a count and a slice."""
    page = Paginator(Row.objects.order_by("id"), 50).get_page(request.GET.get("page"))
    return HttpResponse(TEMPLATE.render({"rows": page}))


def sliced(request):
    """The list without its count."""
    return HttpResponse(TEMPLATE.render({"rows": Row.objects.order_by("id")[:50]}))


urlpatterns = [path("", paginated), path("sliced/", sliced)]
application = get_wsgi_application()
