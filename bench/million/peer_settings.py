"""The product's settings with the pages of the peers beside its own; see `peers`.

Their static files are kept apart, and no table of theirs is made.
"""

from bench.million.settings import *  # noqa: F403
from runai_access.settings import BASE_DIR, DATABASES, IS_SQLITE, TEMPLATES
from runai_access.settings import INSTALLED_APPS as OURS

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.forms",
    *OURS,
]
# Peers get Django's own backend: ours plans for our queries, not for theirs.
if not IS_SQLITE:
    DATABASES["default"]["ENGINE"] = "django.db.backends.postgresql"
MIGRATION_MODULES = {"admin": None}
ROOT_URLCONF = "bench.million.peer_urls"
TEMPLATES = [
    {**engine, "DIRS": [*engine["DIRS"], BASE_DIR / "bench" / "million" / "templates"]}  # type: ignore[misc]
    for engine in TEMPLATES
]
VAR_DIR = BASE_DIR / "bench" / "var"
STATIC_ROOT = VAR_DIR / "static"
STORAGES = {
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
