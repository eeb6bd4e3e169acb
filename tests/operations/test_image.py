"""The image is built with buildah on a minimal Debian, and serves as a user without privileges.

It takes minutes, so it is one of the tests of `make test-all`.
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests import sizes
from tests.operations.conftest import wait_until
from tests.servers import ROOT, free_port, server_environment, status_of

pytestmark = [pytest.mark.any_database, pytest.mark.alone]


@pytest.mark.skipif(not sizes.IS_LARGE, reason="builds an image: part of make test-all")
def test_the_image_serves_as_a_user_without_privileges(tmp_path: Path) -> None:
    if os.getuid() != 0 or not shutil.which("buildah") or not shutil.which("mmdebstrap"):
        pytest.skip("only root can build it, with buildah and mmdebstrap")
    subprocess.run([ROOT / "tests/operations/build_image.sh", tmp_path], check=True, timeout=1200)
    storage = ["--root", str(tmp_path / "storage"), "--runroot", str(tmp_path / "run")]
    buildah = ["buildah", *storage, "--storage-driver", "vfs"]
    container = subprocess.run(
        [*buildah, "from", "localhost/runai-access:test"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    port = str(free_port())
    command = [*buildah, "run", "--isolation", "chroot", "--env", f"PORT={port}", container, "--"]
    with subprocess.Popen(
        [*command, "/opt/runai-access/bin/runai-access", "serve"], env=server_environment({})
    ) as process:
        try:
            url = f"http://127.0.0.1:{port}"
            wait_until(lambda: status_of(f"{url}/readyz") == 200, "the server", seconds=120)
            assert status_of(f"{url}/sign-in/") == 200
        finally:
            process.terminate()
