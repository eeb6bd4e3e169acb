"""Refuse new connections first, and only then stop: so a rolling restart drops no request.

A server that stops accepting leaves connections behind which their clients believe open: some still
in the kernel's queue, some accepted and not yet heard. Both would be closed without an answer. So
the first packet of a new connection (SYN, RFC 9293 §3.5) is dropped while the server still accepts
and reads. Its client sends it again a second later, is refused, and asks another replica.
"""

import ctypes
import socket
import struct
import sys
from contextlib import suppress

from runai_access.server.sockets import listeners

# How long a connection that is open already may take until its request has been read.
DRAIN_SECONDS = 0.3

_SO_ATTACH_FILTER = 26  # asm-generic/socket.h; Python has no name for it
_FLAGS, _SYN = 13, 0x02  # the byte of a TCP header that holds the flags (RFC 9293 §3.1)
# Classic BPF (linux/filter.h), each instruction as code, jump if true, jump if false, operand.
_LOAD_BYTE, _JUMP_IF_SET, _RETURN = 0x30, 0x45, 0x06
_DROP_SYN = (
    (_LOAD_BYTE, 0, 0, _FLAGS),
    (_JUMP_IF_SET, 0, 1, _SYN),
    (_RETURN, 0, 0, 0),
    (_RETURN, 0, 0, 0xFFFFFFFF),
)


def take_no_more_connections() -> None:
    """Drop what would open a connection to this process; where that can't be done, do nothing."""
    if sys.platform != "linux":
        return
    program = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *row) for row in _DROP_SYN))
    filter_ = struct.pack("HL", len(_DROP_SYN), ctypes.addressof(program))
    for listener in listeners():
        # Refused by a kernel that has no filters: then the server stops as it would without.
        with suppress(OSError):
            listener.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, filter_)


def x_shutdown() -> None:
    import time
    for listener in listeners():
        until = time.monotonic() + 1
        n = 0
        while time.monotonic() < until:
            waiting = struct.unpack_from("I", listener.getsockopt(socket.IPPROTO_TCP, 11, 104), 24)[0]
            if not waiting:
                break
            n += 1
            time.sleep(0.0005)
        listener.shutdown(socket.SHUT_RD)
        print("queue waited", n, flush=True)


def x_ifindex() -> None:
    for listener in listeners():
        listener.setsockopt(socket.SOL_SOCKET, 62, 2**31 - 1)
