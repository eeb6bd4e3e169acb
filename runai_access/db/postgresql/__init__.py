"""Django's PostgreSQL backend with time limits and support for a connection pooler."""
