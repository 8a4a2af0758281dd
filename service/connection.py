"""A connection of the server: uvicorn's, with a limit for what stands around a body, in bytes and in seconds, and with a gate."""

import asyncio
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from service.errors import HeadTooLarge, HeadTooSlow, NotHttp, Problem
from service.gate import TICKET, Gate
from service.negotiate import Bodies
from service.problems import head_of, problem_bytes

HEAD_BYTES = 2**16
HEAD_SECONDS = 10.0
_REJECTS_AT_ONCE = 16
"""Requests sent without waiting for answers, that are turned away in one go."""
_MOST_WAITING = 64
"""Requests of one connection that wait for their turn; the last of them gets its last answer."""
_STALL, _LEAST, _LOOKS = 60.0, 2**16, 16
"""Seconds in which a client has to take so many bytes of an answer that waits for it, and such a part of it."""
_LAST = "connection: close"
_LINGER = 1.0
"""Seconds in which what still comes after the last answer is read past: closed at once, its client would lose the answer.
Once more as long as it has not taken all of it."""
_FRAMING = (b"content-length", b"transfer-encoding")


class _Answered:
    """Stands for a request that has its answer: what still comes of it is not looked at."""

    response_started = response_complete = more_body = True
    message_event = asyncio.Event()


class Connection(HttpToolsProtocol):
    """Ends when a request's first line and headers are too long, or do not come; uvicorn would wait, and keep them all.

    What comes to a full service gets its answer here. Trailers are read past, and an upgrade to another protocol is not taken
    (RFC 9110, 7.8): the body that comes with the offer belongs to its request.
    """

    def __init__(self, config: Any, *arguments: Any, **options: Any) -> None:
        super().__init__(config, *arguments, **options)
        self._gate: Gate = config.app.state.gate
        self._bodies: Bodies = config.app.state.bodies
        self._untaken = 0
        """Bytes of answers that the other side has not taken, when it was last looked at."""
        self._late: asyncio.TimerHandle | None = None
        self._in_head = False
        self._counting, self._counted = False, 0
        """Whether a head or trailers come, and how many bytes whole reads brought of them."""
        self._framing: list[bytes] = []
        """How long the body is that comes with an offer to upgrade."""
        self._rejects = 0
        self._running: RequestResponseCycle | None = None
        self._ticket: object = None
        self._over = False
        """Whether what comes now is not looked at."""
        self._last: Problem | None = None
        """What is wrong with what came last, to be told once all others are answered."""
        self._stall: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Whoever connects has something to ask."""
        super().connection_made(transport)
        self._gate.knock()
        self._late = self.loop.call_later(HEAD_SECONDS, self._too_late)

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing more is waited for, and nobody waits for what is being done."""
        self._arrived()
        self._taken()
        self._hold(0)
        self._gate.seat(self._ticket)
        if self._running is not None and self._answers:
            self._running.disconnected = True
            self._running.message_event.set()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Some bytes, of a head or of a body."""
        self._unset_keepalive_if_required()
        self._rejects = 0
        rest = memoryview(data)
        while rest and not self._over and not self.transport.is_closing():
            rest = self._feed(rest)
        if self._idle and self._late is None and not self.transport.is_closing():
            self._unset_keepalive_if_required()
            self.timeout_keep_alive_task = self.loop.call_later(self.timeout_keep_alive, self.timeout_keep_alive_handler)

    def _feed(self, data: memoryview) -> memoryview:
        """What is left where an upgrade was offered."""
        self._counted += len(data)
        rest = data[len(data) :]
        try:
            try:
                self.parser.feed_data(data)
            except httptools.HttpParserUpgrade as offer:
                rest = data[offer.args[0] :]
                if self._framing:
                    self.parser = httptools.HttpRequestParser(self)
                    self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn does
                    self.parser.feed_data(b"POST / HTTP/1.1\r\n%b\r\n" % b"".join(self._framing))
        except httptools.HttpParserError:
            self.send_400_response("")
        if self._counting and self._counted > HEAD_BYTES and not self._over:
            self._end(
                HeadTooLarge(f"expected a request line and headers, and what follows a body, of at most {HEAD_BYTES} bytes")
            )
        return rest

    def _begin_counting(self) -> None:
        """From the next read on."""
        self._counting, self._counted = True, 0

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        super().on_message_begin()
        self._begin_counting()
        self._in_head = True
        if self._late is None:
            self._late = self.loop.call_later(HEAD_SECONDS, self._too_late)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Of a head; trailers say nothing here."""
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The head is there."""
        self._in_head = self._counting = False
        self._arrived()
        self._unset_keepalive_if_required()
        if self._framing:  # of a body whose request is known
            self._framing = []
            return
        if self.parser.should_upgrade():
            self._framing = [b"%b: %b\r\n" % header for header in self.headers if header[0] in _FRAMING]
        if len(self.pipeline) >= _MOST_WAITING:
            self.cycle.keep_alive, self._over = False, True
        if self._over:
            return
        if self.transport.is_closing():
            self.cycle = _Answered()  # type: ignore[assignment]
        elif self._idle and self.parser.get_method() == b"POST" and self._gate.is_shut:
            self._turn_away()
        else:
            super().on_headers_complete()
            if len(self.pipeline) == 1:
                self.flow.resume_reading()  # or nobody would see the client leave

    def on_chunk_header(self) -> None:
        """What follows may be trailers."""
        self._begin_counting()

    def on_body(self, body: bytes) -> None:
        """Some of it."""
        self._counting = False
        if not self._over:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """The body is there, or comes after the offer that is not taken."""
        self._counting = False
        if not self._framing and not self._over:
            super().on_message_complete()
            self.cycle.more_body = False  # also where the answer came first
            if self.cycle is self._running:
                self._announce()

    def on_response_complete(self) -> None:
        """The answer is on its way; if it was the last, it is seen off."""
        self._gate.seat(self._ticket)
        super().on_response_complete()
        if self._last is not None and not self._answers and not self.transport.is_closing():
            self._say_last(self._last)
        if self.transport.is_closing():
            self._see_off()

    def timeout_keep_alive_handler(self) -> None:
        """Nobody asked anything for long."""
        super().timeout_keep_alive_handler()
        self._see_off()

    def pause_writing(self) -> None:
        """An answer waits for its client to take it."""
        super().pause_writing()
        self._hold(self.transport.get_write_buffer_size())
        self._see_off()

    def resume_writing(self) -> None:
        """It has been taken."""
        super().resume_writing()
        self._hold(0)
        self._taken()

    def _hold(self, size: int) -> None:
        self._bodies.hold(size - self._untaken)
        self._untaken = size

    def _hang_up(self) -> None:
        self.transport.close()
        self._see_off()

    def _see_off(self) -> None:
        """What is not taken at all, or too slowly, is not kept: closing alone would wait for it."""
        if self._stall is None and (size := self.transport.get_write_buffer_size()):
            self._stall = self.loop.call_later(_STALL, self._look, size)

    def _look(self, before: int) -> None:
        self._stall = None
        if self.transport.get_write_buffer_size() > max(0, before - max(_LEAST, self._untaken // _LOOKS)):
            self.transport.abort()
        else:
            self._see_off()

    def _taken(self) -> None:
        if self._stall is not None:
            self._stall.cancel()
            self._stall = None

    def _too_late(self) -> None:
        """While a request is answered, the next one may take its time."""
        self._late = None
        if self._answers:
            self._late = self.loop.call_later(HEAD_SECONDS, self._too_late)
        elif self._in_head and not self.transport.is_closing():
            self._end(HeadTooSlow(f"expected the whole request line and all headers within {HEAD_SECONDS:g} seconds"))
        else:
            self._hang_up()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._running = cycle
        cycle.scope[TICKET] = self._ticket = object()  # type: ignore[literal-required]
        self._announce()
        super()._start_asgi_task(cycle, app)

    def _announce(self) -> None:
        """Once all of what is answered is there."""
        assert self._running is not None
        if self._answers and not self._running.more_body and self._running.scope["method"] == "POST":
            self._gate.expect(self._ticket)

    @property
    def _answers(self) -> bool:
        return self._running is not None and not self._running.response_complete

    @property
    def _idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _turn_away(self) -> None:
        path, origin = self.url.partition(b"?")[0], dict(self.headers).get(b"origin", b"")
        self._rejects += 1
        keep = (
            self.parser.get_http_version() != "1.0"
            and self.parser.should_keep_alive()
            and not self._gate.life.stopping
            and not self.flow.write_paused
            and not self.expect_100_continue  # the body may come, or not
            and self._rejects < _REJECTS_AT_ONCE
        )
        lines = self._lines() if keep else [*self._lines(), _LAST]
        self.cycle = _Answered()  # type: ignore[assignment]
        self.transport.write(self._gate.turn_away(path.decode("latin-1"), origin.decode("latin-1"), lines))
        if not keep:
            self.transport.close()
        self.on_response_complete()

    def send_400_response(self, msg: str) -> None:
        """A problem like all others."""
        self._end(NotHttp("expected a request line, headers and a body as RFC 9112 has them"))

    def _end(self, problem: Problem) -> None:
        """The last answer of the connection, after those to what came before it whole."""
        self._over = True
        self._arrived()
        if self.transport.is_closing():
            return
        broken = self.cycle if self.cycle is not None and self.cycle.more_body else None
        if broken is not None and self.pipeline and broken is self.pipeline[0][0]:  # it has its turn no more
            self.pipeline.popleft()
            self.cycle, broken = (self.pipeline[0][0] if self.pipeline else self._running), None  # type: ignore[assignment]
        if self._answers and broken is None:
            self._last = problem
            return
        if broken is None or not broken.response_started:
            self._say_last(problem)
        elif broken.response_complete:
            self._linger()
        else:
            self._hang_up()
        if broken is not None:  # it has its answer, whatever the application says
            broken.disconnected, broken.waiting_for_100_continue = True, False
            broken.message_event.set()

    def _say_last(self, problem: Problem) -> None:
        self.transport.write(problem_bytes(head_of(type(problem)), problem, [*self._lines(), _LAST]))
        self._linger()

    def _linger(self) -> None:
        """Nothing more is said."""
        self.transport.write_eof()
        self.flow.resume_reading()
        self.loop.call_later(_LINGER, self._farewell)

    def _farewell(self) -> None:
        if self.transport.get_write_buffer_size() and not self.transport.is_closing():  # what was said before is still on its way
            self._see_off()
            self.loop.call_later(_LINGER, self._farewell)
        else:
            self._hang_up()

    def _lines(self) -> list[str]:
        """What uvicorn says with every answer: the date."""
        return [f"{name.decode()}: {value.decode()}" for name, value in self.server_state.default_headers]

    def _arrived(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None
