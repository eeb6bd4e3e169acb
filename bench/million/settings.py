"""The product's settings, with an empty view and a plain file beside its own, and a clock."""

import sys

from bench.beside_settings import *  # noqa: F403
from runai_access.settings import MIDDLEWARE as OURS

# Django REST framework loads these where they are installed, as they are for tests: some megabytes
# that the product, as `make run` installs it, does not have.
for _name in ("requests", "pygments"):
    sys.modules[_name] = None  # type: ignore[assignment]  # which is how one says that there is none

MIDDLEWARE = ["bench.million.clock.ClockMiddleware", *OURS]
