"""The pages of access rules and roles, and of what they come to."""
