"""Refuse new connections while the requests that have arrived are still answered.

A server that closes its port resets the connections in the kernel's accept queue, and granian closes
every connection whose request it has not read yet. Their clients believe those connections to be
open, and may have sent a request. A proxy that loses a POST in this way cannot send it to another
replica, because it could be executed twice (RFC 9110 §9.2.2).

So the port refuses new connections shortly before it is closed. A refused client has sent nothing, and
connects to another replica immediately.
"""

import signal
import socket
import sys
from contextlib import suppress

from runai_access.server.sockets import listeners

# The signal by which the main process asks its workers to skip the rest of the drain delay.
SKIP_DRAIN = signal.SIGUSR1
# How long an open connection has until its request has been read.
LAST_READ_SECONDS = 0.3

_SO_BINDTOIFINDEX = 62  # asm-generic/socket.h; Python has no name for it
_NO_INTERFACE = 2**31 - 1


def refuse_connections() -> None:
    """Refuse new connections to this process, and keep those that are open or in the accept queue.

    A listening socket that is bound to a network interface ignores all others (socket(7)). Here it
    is one that does not exist, so the kernel refuses new connections as it does for a closed port.
    Without such an option (other systems, Linux before 5.7) this does nothing.
    """
    if sys.platform != "linux":
        return
    for listener in listeners():
        with suppress(OSError):
            listener.setsockopt(socket.SOL_SOCKET, _SO_BINDTOIFINDEX, _NO_INTERFACE)
