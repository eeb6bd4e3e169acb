"""Settings for tests in the pytest process."""

import os
import tempfile
from pathlib import Path
from typing import NoReturn

os.environ.setdefault("RUNAI_ACCESS_SECRET_KEY", "only-for-tests-" + "x" * 32)

# Playwright runs an event loop in the main thread, which Django would mistake for an async view.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

from runai_access.settings import *  # noqa: F403
from runai_access.settings import DATABASES, IS_SQLITE, TEMPLATES

# The first process of a run makes and removes the folder: .ci/test, or pytest. pytest-xdist's
# workers inherit it.
OWNS_RUN_FOLDER = "TESTS_RUN_FOLDER" not in os.environ
if OWNS_RUN_FOLDER:
    os.environ["TESTS_RUN_FOLDER"] = tempfile.mkdtemp(prefix="runai-access-tests-")
RUN_FOLDER = Path(os.environ["TESTS_RUN_FOLDER"])
# The phases of .ci/test run at the same time, each with workers of the same names.
_PHASE = os.environ.get("PYTEST_XDIST_TESTRUNUID", "main")[:8]
_FOLDER = RUN_FOLDER / _PHASE / os.environ.get("PYTEST_XDIST_WORKER", "main")
_FOLDER.mkdir(parents=True, exist_ok=True)


class _MissingVariable(str):
    """What a template shows for a variable that does not exist: an error instead of nothing."""

    __slots__ = ()

    def __contains__(self, part: object) -> bool:
        return part == "%s"

    def __mod__(self, name: object) -> NoReturn:
        raise AssertionError(f"A template shows {name}, which does not exist.")


TEMPLATES[0]["OPTIONS"]["string_if_invalid"] = _MissingVariable("missing")

# A fixture signs in for all tests of a file, however long they take.
REAUTHENTICATION_SECONDS = 36_000

# No limit has an effect: a test sends all its requests as one caller.
API_MILLISECONDS_PER_SECOND = 1_000_000
API_MILLISECONDS_BURST = 10_000_000

# Pages are rendered without `collectstatic`; servers that tests start run it.
STORAGES = {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
STATIC_ROOT = _FOLDER
VAR_DIR = _FOLDER

# Two runs can use one PostgreSQL server at the same time.
DATABASES["default"]["TEST"] = {"NAME": f"test_{RUN_FOLDER.name}_{_PHASE}"}
if IS_SQLITE:
    # A file, so that threads and processes can share it as they do in production. It need not
    # survive a power cut.
    DATABASES["default"]["TEST"] = {"NAME": str(_FOLDER / "test.sqlite3")}
    DATABASES["default"]["OPTIONS"]["init_command"] = (
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF; PRAGMA recursive_triggers=ON;"
    )
