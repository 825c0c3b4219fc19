"""The project: wiring, and the few things every app stands on."""

from rrp_portal.celery import app as celery_app

__all__ = ["celery_app"]
