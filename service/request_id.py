"""A name for every request, in the answer and in the log."""

import random

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send


def new_id() -> str:
    """32 hexadecimal digits. Nobody has to be unable to guess it, and the kernel's random bits would cost a system call."""
    return f"{random.getrandbits(128):032x}"


class RequestId:
    """Sets scope["request_id"] and the header X-Request-ID."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope["request_id"] = new_id()

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["X-Request-ID"] = scope["request_id"]
            await send(message)

        await self._app(scope, receive, send_with_id)
