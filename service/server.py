"""The server: uvicorn, stopped so that nothing accepted is lost."""

import contextlib
import ctypes
import os
import socket
import struct
import sys
import time
from types import FrameType

import anyio
import uvicorn
from fastapi import FastAPI

from service.settings import Settings

_TURN = 0.001
"""Seconds that a thread which computes in Python keeps the others waiting: the event loop among them."""
_QUIET = 0.3
"""Seconds in which a connection that was accepted at the last moment sends its request."""
_LAST = 0.05
"""Seconds in which connections that had come before the door was shut are let in."""


class Server(uvicorn.Server):
    """Two steps more than uvicorn's: an ending drain, and a door that shuts before anybody is sent away."""

    def __init__(self, app: FastAPI, settings: Settings, **options: object) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                host=settings.host,
                port=settings.port,
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,  # nothing depends on where a request came from
                timeout_graceful_shutdown=int(settings.deadline_ms / 1000 + 1),
                **options,  # type: ignore[arg-type]
            )
        )
        sys.setswitchinterval(_TURN)
        self._life, self._metrics, self._drain = app.state.life, app.state.context.metrics, settings.drain_seconds
        self._asked: float | None = None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """The first signal begins the end; the others change nothing."""
        if self._asked is None:
            self._captured_signals.append(sig)
            self._asked = time.monotonic()
            self._life.stopping = True

    async def on_tick(self, counter: int) -> bool:
        """Ends the main loop once the drain is over."""
        if self._asked is not None:
            self._metrics.ends()
            self.should_exit = time.monotonic() >= self._asked + self._drain
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Shut the door, answer whoever is in, and go."""
        self._life.stop()
        for server in self.servers:
            for listener in server.sockets:
                _shut(listener)
        await anyio.sleep(_LAST)
        for server in self.servers:
            server.close()
        await anyio.sleep(_QUIET)
        await super().shutdown(sockets)


def _shut(listener: socket.socket) -> None:
    """Let nobody knock any more, so that nobody waits at the door when it closes: such connections would be reset.

    A packet filter that drops everything: the kernel keeps what it has accepted, and who comes now finds a closed port later.
    """
    option = getattr(socket, "SO_ATTACH_FILTER", 26)
    drop = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 0))  # BPF_RET | BPF_K, 0 bytes
    program = struct.pack("HL", 1, ctypes.addressof(drop))
    with contextlib.suppress(OSError), socket.socket(fileno=os.dup(listener.fileno())) as same:  # other systems have none
        same.setsockopt(socket.SOL_SOCKET, option, program)
