"""The pages of users and groups, sign-in, and the user's own account."""
