"""HTTP/1.1 as far as load needs it: a request as bytes, an answer out of bytes."""

import re
import socket
from dataclasses import dataclass

HOST = "127.0.0.1"
_LENGTH = re.compile(rb"\r\ncontent-length:\s*(\d+)", re.IGNORECASE)
_CLOSES = re.compile(rb"\r\nconnection:\s*close", re.IGNORECASE)


@dataclass(frozen=True)
class Answer:
    """A whole one."""

    status: int
    head: bytes
    body: bytes

    @property
    def closes(self) -> bool:
        """Whether the server says that it closes the connection."""
        return bool(_CLOSES.search(self.head))


class Broken(Exception):
    """The connection ended before the answer was whole."""

    def __init__(self, received: int, why: str) -> None:
        super().__init__(f"{why} after {received} bytes")
        self.received = received


def request(path: str, body: bytes | None = None, *, close: bool = False, accept: str = "*/*") -> bytes:
    """GET without a body, otherwise POST of JSON."""
    lines = [f"{'GET' if body is None else 'POST'} {path} HTTP/1.1", f"Host: {HOST}", f"Accept: {accept}"]
    lines += ["Connection: close"] if close else []
    lines += [] if body is None else ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + (body or b"")


def whole(buffer: bytes | bytearray) -> Answer | None:
    """The answer, once all of it is there. The service gives every answer a Content-Length; nginx keeps it."""
    end = buffer.find(b"\r\n\r\n")
    if end < 0:
        return None
    head = bytes(buffer[:end])
    length = _LENGTH.search(head)
    if length is None or len(buffer) < end + 4 + int(length[1]):
        return None
    return Answer(int(head[9:12]), head, bytes(buffer[end + 4 : end + 4 + int(length[1])]))


class Plain:
    """A connection that blocks, where it matters exactly when a request had been sent."""

    def __init__(self, port: int, seconds: float = 60) -> None:
        """Raises ConnectionRefusedError."""
        self._socket = socket.create_connection((HOST, port), timeout=seconds)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, data: bytes) -> None:
        """Into the system's hands. Raises OSError."""
        self._socket.sendall(data)

    def answer(self) -> Answer:
        """Wait for it. Raises Broken."""
        buffer = bytearray()
        while (answer := whole(buffer)) is None:
            try:
                part = self._socket.recv(1 << 16)
            except OSError as error:
                raise Broken(len(buffer), type(error).__name__) from None
            if not part:
                raise Broken(len(buffer), "closed")
            buffer += part
        return answer

    def ask(self, data: bytes) -> Answer:
        """Send and wait. Raises OSError, Broken."""
        self.send(data)
        return self.answer()

    def close(self) -> None:
        """Leave."""
        self._socket.close()
