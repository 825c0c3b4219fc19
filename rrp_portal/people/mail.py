"""Mails about grants and invitations, in plain text."""

import logging
from smtplib import SMTPException

from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.utils.translation import get_language, override

from rrp_portal.reference.models import Grant, Invitation

logger = logging.getLogger(__name__)


def _send(name: str, to: str, language: str, context: dict) -> bool:
    """Send the mail templates/people/mail/<name>.txt; its first line is the subject. Returns whether the server took it."""
    with override(language or get_language()):
        subject, _break, body = render_to_string(f"people/mail/{name}.txt", context).strip().partition("\n")
    try:
        send_mail(subject.strip(), body.strip() + "\n", None, [to])
    except (OSError, SMTPException):
        logger.exception("The mail server did not take the mail “%s”.", name)
        return False
    return True


def tell_grant(grant: Grant) -> bool:
    """Tell a person which role they have been given; returns whether the mail server took the mail."""
    return _send("grant", grant.user.email, grant.user.language, {"grant": grant})


def send_invitation(invitation: Invitation, address: str, language: str = "") -> bool:
    """Send the invitation with the address of its page; returns whether the mail server took the mail."""
    return _send("invitation", invitation.email, language, {"invitation": invitation, "address": address})
