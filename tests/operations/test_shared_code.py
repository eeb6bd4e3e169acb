"""What the main process imports before it forks the workers is safe to fork."""

import subprocess
import sys

from tests.servers import ROOT, server_environment

_IMPORT = """
import sys
import threading
from runai_access.server.application import import_and_freeze_code
import_and_freeze_code()
from django.db import connections
print(threading.active_count(), [connection.connection for connection in connections.all()])
print("scim2_models" in sys.modules)
"""


def test_importing_the_code_starts_no_thread_and_opens_no_connection() -> None:
    """A forked worker has neither the threads of the main process nor its connections.

    The libraries of SCIM, which need 20 MB, are not imported before its first request.
    """
    imported = subprocess.run(
        [sys.executable, "-c", _IMPORT],
        cwd=ROOT,
        env=server_environment({"RUNAI_ACCESS_SECRET_KEY": "x" * 40}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert imported.stdout == "1 [None]\nFalse\n", imported.stderr
