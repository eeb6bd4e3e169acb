"""The settings of runai-access with the pages of the peers added; see `peers`.

Their static files are separate, and they have no tables.
"""

from bench.million.settings import *  # noqa: F403
from runai_access.settings import BASE_DIR, DATABASES, IS_SQLITE, TEMPLATES
from runai_access.settings import INSTALLED_APPS as OURS

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.forms",
    *OURS,
]
# Peers use Django's backend: ours is tuned for our queries.
if not IS_SQLITE:
    DATABASES["default"]["ENGINE"] = "django.db.backends.postgresql"
MIGRATION_MODULES = {"admin": None}
ROOT_URLCONF = "bench.million.peer_urls"
TEMPLATES = [
    {**engine, "DIRS": [*engine["DIRS"], BASE_DIR / "bench" / "million" / "templates"]}
    for engine in TEMPLATES
]
VAR_DIR = BASE_DIR / "bench" / "var"
STATIC_ROOT = VAR_DIR / "static"
STORAGES = {
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
