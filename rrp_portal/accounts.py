"""Accounts: who may open one, and how single sign-on finds its person."""

from allauth.account.adapter import DefaultAccountAdapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter


class InvitationOnlyAdapter(DefaultAccountAdapter):
    """Accounts begin with an invitation."""

    def is_open_for_signup(self, request) -> bool:
        """Nobody signs up without an invitation."""
        return False


class KnownPeopleAdapter(DefaultSocialAccountAdapter):
    """Single sign-on lets in people who already have an account here."""

    def is_open_for_signup(self, request, sociallogin) -> bool:
        """Nobody signs up without an invitation."""
        return False
