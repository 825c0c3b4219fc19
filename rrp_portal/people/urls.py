"""Routes of people, grants, invitations and tokens."""

from django.urls import path

from rrp_portal.people.views import grants, invitations, tokens

urlpatterns = [
    path("people/", grants.people, name="people"),
    path("people/invitations/", grants.invitation_list, name="people-invitations"),
    path("people/invitations/<int:pk>/resend/", invitations.resend, name="people-invitation-resend"),
    path("people/invitations/<int:pk>/withdraw/", invitations.withdraw, name="people-invitation-withdraw"),
    path("people/history/", grants.history, name="people-history"),
    path("people/give/", grants.give, name="people-give"),
    path("people/give/organisations/", grants.organisation_choices, name="people-organisations"),
    path("people/grants/<int:pk>/withdraw/", grants.withdraw, name="people-withdraw"),
    path("invitations/<str:key>/", invitations.invitation, name="invitation"),
    path("tokens/", tokens.tokens, name="tokens"),
    path("tokens/<int:pk>/revoke/", tokens.revoke, name="token-revoke"),
    # Stands before allauth's page of the same name: nobody changes the address by which they are known.
    path("accounts/email/", grants.my_account, name="account_email"),
]
