"""Real faults between the server and its database."""

import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from tests.conftest import skip_for_missing_tool


class Proxy:
    """Forwards connections to a port; while `is_swallowing`, drops all data but keeps connections."""

    def __init__(self, target: int) -> None:
        self.is_swallowing = False
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=100)
        self._open: list[socket.socket] = []
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    @contextmanager
    def swallowing(self) -> Iterator[None]:
        self.is_swallowing = True
        try:
            yield
        finally:
            self.is_swallowing = False

    def close(self) -> None:
        for open_socket in [self._listener, *self._open]:
            with suppress(OSError):
                open_socket.shutdown(socket.SHUT_RDWR)
            open_socket.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self._open.append(client)
                if self.is_swallowing:
                    continue  # accepted, but never answered
                server = socket.create_connection(("127.0.0.1", self._target))
                self._open.append(server)
                for source, sink in ((client, server), (server, client)):
                    threading.Thread(target=self._pump, args=[source, sink], daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if not self.is_swallowing:
                    sink.sendall(data)
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


@contextmanager
def dropped_packets(port: int) -> Iterator[None]:
    """Drop every packet to a port of this machine, as a broken network would."""
    iptables = shutil.which("iptables", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if iptables is None or os.geteuid() != 0:
        skip_for_missing_tool("dropping packets requires root and iptables")
    rule = ["INPUT", "-i", "lo", "-p", "tcp", "--dport", str(port), "-j", "DROP"]
    subprocess.run([iptables, "-w", "-I", *rule], check=True)
    try:
        yield
    finally:
        subprocess.run([iptables, "-w", "-D", *rule], check=True)
