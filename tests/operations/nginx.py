"""A real nginx in front of replicas; only its port and its upstreams are configured."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from tests.conftest import skip_for_missing_tool
from tests.operations.conftest import listens, wait_until
from tests.servers import Server, free_port

# Debian installs it in a folder that only root has in PATH.
_FOLDERS = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin:/opt/homebrew/bin"
# max_fails=0: a replica that was restarted gets requests again immediately.
_CONFIG = """
daemon off;
worker_processes 1;
pid nginx.pid;
error_log error.log;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    upstream replicas {{ {servers} {keepalive} }}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://replicas;
            proxy_http_version 1.1;
            proxy_set_header Host $host;
            proxy_set_header Connection "";
        }}
    }}
}}
"""


@contextmanager
def running_nginx(
    parent: Path, replicas: Sequence[Server], *, keeps_connections: bool
) -> Iterator[str]:
    """Run nginx with its files in a new folder below `parent`; yield its URL."""
    program = shutil.which("nginx", path=_FOLDERS)
    if program is None:
        skip_for_missing_tool("no nginx on this machine: apt-get install nginx-light")
    port = free_port()
    folder = parent / f"nginx-{port}"
    folder.mkdir()
    servers = "".join(f"server {urlsplit(one.url).netloc} max_fails=0; " for one in replicas)
    keepalive = "keepalive 8;" if keeps_connections else ""
    config = folder / "nginx.conf"
    config.write_text(_CONFIG.format(servers=servers, keepalive=keepalive, port=port))
    # nginx writes to this file before it has read the path of its error log.
    first_log = ["-e", str(folder / "error.log")]
    with subprocess.Popen([program, "-p", str(folder), *first_log, "-c", str(config)]) as process:
        try:
            wait_until(lambda: process.poll() is not None or listens(port), "nginx to listen")
            assert process.poll() is None, (folder / "error.log").read_text()
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
