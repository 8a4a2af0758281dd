"""The server: uvicorn, stopped so that nothing accepted is lost."""

import os
import socket
import sys
import threading
import time
from types import FrameType

import anyio
import uvicorn
from fastapi import FastAPI

from service.connection import Connection
from service.door import LAST, shut
from service.settings import Settings

KEEP_ALIVE = 75
"""Seconds that a connection may be idle: longer than clients and proxies keep theirs (httpx 5 s, most balancers 60 s), so that
nothing is sent where the service has just hung up."""
_TURN = 0.001
"""Seconds that a thread which computes in Python keeps the others waiting: the event loop among them."""
_PATIENCE = 1.8
"""Seconds beyond the deadline after which the process ends whatever still runs."""
_QUIET = 0.3
"""Seconds in which a connection that was accepted at the last moment sends its request."""


class Server(uvicorn.Server):
    """Two steps more than uvicorn's: a drain that ends, and a door that shuts before anybody is sent away."""

    def __init__(self, app: FastAPI, settings: Settings) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                host=settings.host,
                port=settings.port,
                http=Connection,
                ws="none",
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_keep_alive=KEEP_ALIVE,
                proxy_headers=False,  # nothing depends on where a request came from
                timeout_graceful_shutdown=settings.deadline_ms / 1000 + 1,  # type: ignore[arg-type]  # fractions count
            )
        )
        sys.setswitchinterval(_TURN)
        self._life, self._metrics, self._drain = app.state.life, app.state.context.metrics, settings.drain_seconds
        self._deadline = settings.deadline_ms / 1000
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
        """Shut the door, answer whoever is in, and go; who does not let go is left.

        sockets: those that workers share. Their supervisor shuts that door, when all of them end.
        """
        last = threading.Timer(self._deadline + _PATIENCE, os._exit, (1,))
        last.daemon = True
        last.start()
        self._life.stop()
        if sockets is None:
            for server in self.servers:
                for listener in server.sockets:
                    shut(listener)
        await anyio.sleep(LAST if sockets is None else 4 * LAST)
        for server in self.servers:
            server.close()
        await anyio.sleep(_QUIET)
        await super().shutdown(sockets)
