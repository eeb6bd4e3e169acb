"""Pages of access rules, roles, scopes and effective access."""
