"""The settings of runai-access with an empty view, a plain file and a clock added."""

import sys

from bench.beside_settings import *  # noqa: F403
from runai_access.settings import MIDDLEWARE as OURS

# Django REST framework imports it if it is installed, as for tests: some megabytes that an installation
# by `make run` does not have.
sys.modules["pygments"] = None  # type: ignore[assignment]  # makes an import fail

MIDDLEWARE = ["bench.million.clock.ClockMiddleware", *OURS]
