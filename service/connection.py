"""A connection of the server: uvicorn's, with a limit for what stands before a body, in bytes and in seconds, and with a gate."""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from service.errors import NotHttp
from service.gate import Gate
from service.problems import head_of, problem_bytes

HEAD_BYTES = 2**16
HEAD_SECONDS = 10.0
_NOT_HTTP, _LAST = head_of(NotHttp), "connection: close"


class _TurnedAway:
    """Stands for a request that has its answer: what still comes of it is not looked at."""

    response_complete = True
    message_event = asyncio.Event()


class Connection(HttpToolsProtocol):
    """Closed when its first line and headers are too long, or do not come; uvicorn would wait, and keep them all.

    What comes to a full service gets its answer here.
    """

    def __init__(self, config: Any, *arguments: Any, **options: Any) -> None:
        super().__init__(config, *arguments, **options)
        self._gate: Gate = config.app.state.gate
        self._late: asyncio.TimerHandle | None = None
        self._heading, self._head = False, 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Whoever connects has something to ask."""
        super().connection_made(transport)
        self._late = self.loop.call_later(HEAD_SECONDS, transport.close)

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing more is waited for."""
        self._arrived()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        super().on_message_begin()
        self._heading, self._head = True, 0
        if self._late is None:
            self._late = self.loop.call_later(HEAD_SECONDS, self.transport.close)

    def data_received(self, data: bytes) -> None:
        """Some bytes, of a head or of a body."""
        super().data_received(data)
        if self._heading:
            self._head += len(data)
            if self._head > HEAD_BYTES:
                self.transport.close()

    def on_headers_complete(self) -> None:
        """The head is there."""
        self._heading = False
        self._arrived()
        idle = self.cycle is None or self.cycle.response_complete
        if idle and self.parser.get_method() == b"POST" and self._gate.is_shut:
            self._turn_away()
        else:
            super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The body is there. If it was answered before, the connection begins to be idle now."""
        super().on_message_complete()
        if self.cycle.response_complete and not self.transport.is_closing():
            self._unset_keepalive_if_required()
            self.timeout_keep_alive_task = self.loop.call_later(self.timeout_keep_alive, self.timeout_keep_alive_handler)

    def _turn_away(self) -> None:
        path, origin = self.url.partition(b"?")[0], dict(self.headers).get(b"origin", b"")
        keep = self.parser.get_http_version() != "1.0" and self.parser.should_keep_alive() and not self._gate.life.stopping
        lines = self._lines() if keep else [*self._lines(), _LAST]
        self.cycle = _TurnedAway()  # type: ignore[assignment]
        self.transport.write(self._gate.turn_away(path.decode("latin-1"), origin.decode("latin-1"), lines))
        if not keep:
            self.transport.close()
        self.on_response_complete()

    def send_400_response(self, msg: str) -> None:
        """A problem like all others, and the last answer of the connection."""
        problem = NotHttp("expected a request line, headers and a body as RFC 9112 has them")
        self.transport.write(problem_bytes(_NOT_HTTP, problem, [*self._lines(), _LAST]))
        self.transport.close()

    def _lines(self) -> list[str]:
        """What uvicorn says with every answer: the date."""
        return [f"{name.decode()}: {value.decode()}" for name, value in self.server_state.default_headers]

    def _arrived(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None
