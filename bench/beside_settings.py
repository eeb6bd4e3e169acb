"""The settings of runai-access with an empty view added; see `beside_urls`."""

from runai_access.settings import *  # noqa: F403

ROOT_URLCONF = "bench.beside_urls"
