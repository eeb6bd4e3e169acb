"""Django's PostgreSQL backend with limits on waiting, which also works through a connection pooler."""
