"""The product's settings, with an empty view and a plain file beside its own, and a clock."""

from bench.beside_settings import *  # noqa: F403
from runai_access.settings import MIDDLEWARE as OURS

MIDDLEWARE = ["bench.million.clock.ClockMiddleware", *OURS]
