"""Pages about people: signing in, one's own account, everyone else, and groups."""
