"""Accounts: who may open one, and how single sign-on finds its person."""

from allauth.account.adapter import DefaultAccountAdapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter


class InvitationOnlyAdapter(DefaultAccountAdapter):
    """Accounts begin with an invitation."""

    def is_open_for_signup(self, request) -> bool:
        """Nobody signs up without an invitation."""
        return False


class KnownPeopleAdapter(DefaultSocialAccountAdapter):
    """Single sign-on lets in people who already have an account here, found by an address that the provider verified."""

    def is_open_for_signup(self, request, sociallogin) -> bool:
        """Nobody signs up without an invitation."""
        return False

    def authenticate_by_email(self, sociallogin):
        """The person with a verified address, or None; a provider that writes "false" as a word has not verified it."""
        for address in sociallogin.email_addresses:
            address.verified = address.verified is True or str(address.verified).lower() == "true"
        return super().authenticate_by_email(sociallogin)
