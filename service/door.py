"""How a port is closed so that nobody who has knocked is sent away."""

import contextlib
import ctypes
import os
import socket
import struct

LAST = 0.05
"""Seconds in which connections that had come before the door was shut are let in."""


def shut(listener: socket.socket) -> None:
    """Let nobody knock any more, so that nobody waits at the door when it closes: such connections would be reset.

    A packet filter that drops everything: the kernel keeps what it has accepted, and who comes now finds a closed port later.
    """
    option = getattr(socket, "SO_ATTACH_FILTER", 26)
    drop = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 0))  # BPF_RET | BPF_K, 0 bytes
    program = struct.pack("HL", 1, ctypes.addressof(drop))
    with contextlib.suppress(OSError), socket.socket(fileno=os.dup(listener.fileno())) as same:  # other systems have none
        same.setsockopt(socket.SOL_SOCKET, option, program)
