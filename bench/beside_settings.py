"""The product's settings, with an empty view beside its own; see `beside_urls`."""

from runai_access.settings import *  # noqa: F403

ROOT_URLCONF = "bench.beside_urls"
