"""Pages about people: grants, invitations, API tokens."""
