"""Everything that is wrong, as application/problem+json (RFC 9457).

Problem                      status code
├── NotJson                  400    not-json
├── NotHttp                  400    not-http
├── OriginRefused            400    origin-refused
├── ClientLeft               400    client-left
├── Unauthorized             401    unauthorized
├── NotFound                 404    not-found
│   └── UnknownModel         404    unknown-model
│       └── UnknownVersion   404    unknown-version
├── MethodNotAllowed         405    method-not-allowed
├── NotAcceptable            406    not-acceptable
├── HeadTooSlow              408    head-too-slow
├── BodyTooSlow              408    body-too-slow
├── BodyTooLarge             413    body-too-large
├── UnsupportedMediaType     415    unsupported-media-type
├── Misdirected              421    misdirected
├── Invalid                  422    invalid
├── TooMany                  429    too-many-requests
├── HeadTooLarge             431    head-too-large
├── Unexpected               500    unexpected
│   └── NotFinite            500    not-finite
├── Busy                     503    busy
│   ├── Loading              503    loading
│   └── Stopping             503    stopping
└── DeadlinePassed           504    deadline-passed
"""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar

import orjson

from schemas.problem import ProblemError

MEDIA_TYPE = "application/problem+json"
MAX_ERRORS = 20
MAX_BYTES = 16 * 1024
_MAX_DETAIL = 500


class Problem(Exception):
    """The base; `detail` says what is wrong and what would be right, `errors` where."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "unexpected"
    title: ClassVar[str] = "Something unexpected happened"
    headers: ClassVar[Mapping[str, str]] = {}
    retry_after: int | None = None
    """Seconds."""

    def __init__(self, detail: str, errors: Iterable[ProblemError] = (), *, retry_after: int | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = list(errors)[:MAX_ERRORS]
        if retry_after is not None:
            self.retry_after = retry_after

    def body(self, request_id: str, *, protocol: bool = False) -> bytes:
        """The JSON body, at most MAX_BYTES; protocol: with the member `error` of KServe's protocols."""
        detail = self.detail[: 2 * _MAX_DETAIL]
        errors = [{"pointer": e.pointer, "detail": e.detail[:_MAX_DETAIL]} for e in self.errors]
        problem = {
            "type": f"/problems/{self.code}",
            "title": self.title,
            "status": self.status,
            "detail": detail,
            "instance": request_id,
            "errors": errors,
            **({"error": detail} if protocol else {}),
        }
        while len(body := orjson.dumps(problem)) > MAX_BYTES:
            errors.pop()
        return body


class NotJson(Problem):
    """The body is not the JSON that the service takes."""

    status, code, title = 400, "not-json", "The body is not valid JSON"


class NotHttp(Problem):
    """What has arrived cannot be read as a request."""

    status, code, title = 400, "not-http", "This is not a request of HTTP/1.1"


class OriginRefused(Problem):
    """A page of another origin asks for more than the settings allow."""

    status, code, title = 400, "origin-refused", "A page of this origin may not ask this"


class ClientLeft(Problem):
    """The client has closed the connection; only the log would see this answer."""

    status, code, title = 400, "client-left", "The client has left"


class Unauthorized(Problem):
    """No key, or one that is not known."""

    status, code, title, headers = 401, "unauthorized", "A key is needed", MappingProxyType({"WWW-Authenticate": "Bearer"})


class NotFound(Problem):
    """No such path."""

    status, code, title = 404, "not-found", "There is nothing at this path"


class UnknownModel(NotFound):
    """No such model."""

    code, title = "unknown-model", "There is no model of this name"


class UnknownVersion(UnknownModel):
    """The model is served in another version."""

    code, title = "unknown-version", "The model is not served in this version"


class MethodNotAllowed(Problem):
    """The path does not take this method."""

    status, code, title = 405, "method-not-allowed", "The path does not take this method"


class NotAcceptable(Problem):
    """None of the accepted media types can be made."""

    status, code, title = 406, "not-acceptable", "None of the accepted media types can be made"


class HeadTooSlow(Problem):
    """The request's line and headers did not arrive in time."""

    status, code, title = 408, "head-too-slow", "The head of the request took too long"


class BodyTooSlow(Problem):
    """The body did not arrive in time."""

    status, code, title, headers = 408, "body-too-slow", "The body took too long", MappingProxyType({"Connection": "close"})


class BodyTooLarge(Problem):
    """The body is larger than the setting allows."""

    status, code, title = 413, "body-too-large", "The body is too large"


class UnsupportedMediaType(Problem):
    """The body is not declared as JSON."""

    status, code, title = 415, "unsupported-media-type", "The body is expected as application/json"


class Misdirected(Problem):
    """The service is not called by this name."""

    status, code, title = 421, "misdirected", "The service is not called by this name"


class Invalid(Problem):
    """The schema or the manifest refuses the request."""

    status, code, title = 422, "invalid", "The request cannot be answered as it is"


class TooMany(Problem):
    """The key has asked too often."""

    status, code, title = 429, "too-many-requests", "Too many requests"


class HeadTooLarge(Problem):
    """The request's line and headers, or what follows its body, are longer than the service reads."""

    status, code, title = 431, "head-too-large", "The head of the request is too large"


class Unexpected(Problem):
    """A fault of the service."""


class NotFinite(Unexpected):
    """The model answered NaN or infinity."""

    code, title = "not-finite", "The model's answer is not a finite number"


class Busy(Problem):
    """The queue is full."""

    status, code, title, retry_after = 503, "busy", "The service is full", 1


class Loading(Busy):
    """The model is not ready yet."""

    code, title, retry_after = "loading", "The model is still loading", 5


class Stopping(Busy):
    """The service ends; another one may answer."""

    code, title, headers = "stopping", "The service is stopping", MappingProxyType({"Connection": "close"})


class DeadlinePassed(Problem):
    """The answer would come too late."""

    status, code, title = 504, "deadline-passed", "The deadline passed before the answer was ready"


def invalid(pointer: str, detail: str) -> Invalid:
    """One flaw, at a JSON pointer."""
    return Invalid(f"`{pointer.rpartition('/')[2]}`: {detail}", [ProblemError(pointer=pointer, detail=detail)])


def several(errors: list[ProblemError]) -> Invalid:
    """All flaws of a request at once."""
    return Invalid(errors[0].detail if len(errors) == 1 else f"{len(errors)} parts of the request are not as expected", errors)


def one_of(names: Sequence[str]) -> str:
    """The names as they stand in a message."""
    return ", ".join(f"`{name}`" for name in names)


BY_STATUS: dict[int, type[Problem]] = {
    404: NotFound,
    405: MethodNotAllowed,
}
"""What the framework raises by itself."""


def pointer(path: Sequence[Any]) -> str:
    """A JSON pointer (RFC 6901); keys cut to 64 printable characters."""
    return "".join("/" + _printable(str(part)).replace("~", "~0").replace("/", "~1") for part in path)


def _printable(key: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in key[:64])
