"""The log: a line for each record, as JSON or as text. No value of a request ever stands in it.

The message of an exception may quote what it choked on, so a traceback shows places and types, and no messages.
"""

import logging
import sys
import threading
import traceback
import warnings
from types import TracebackType

from pythonjsonlogger.core import RESERVED_ATTRS
from pythonjsonlogger.json import JsonFormatter

from service.settings import Settings

log = logging.getLogger(__name__)
ExceptionInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


def places(error: BaseException | None) -> str:
    """Where an error came from, with its causes: files, lines and types."""
    if error is None:
        return ""
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    before = f"{places(cause)}\nand then\n" if cause else ""
    return f"{before}{''.join(traceback.format_tb(error.__traceback__))}{type(error).__module__}.{type(error).__qualname__}"


class Text(logging.Formatter):
    """For people."""

    def formatException(self, ei: ExceptionInfo) -> str:
        """See `places`."""
        return places(ei[1])


class Json(JsonFormatter):
    """For machines."""

    def formatException(self, ei: ExceptionInfo) -> str:
        """See `places`."""
        return places(ei[1])


def set_up_logs(settings: Settings) -> None:
    """Everything goes to stderr, in the form that the settings ask for."""
    as_json = settings.log_format == "json" or (settings.log_format == "auto" and not sys.stderr.isatty())
    handler = logging.StreamHandler()
    handler.setFormatter(
        Json(
            "{levelname}{name}{message}",
            style="{",
            timestamp=True,
            reserved_attrs=[*RESERVED_ATTRS, "color_message"],
            rename_fields={"levelname": "level", "name": "logger"},
        )
        if as_json
        else Text("%(asctime)s %(levelname)s %(name)s: %(message)s")
    )
    logging.basicConfig(level=settings.log_level.upper(), handlers=[handler], force=True)
    logging.captureWarnings(True)
    warnings.filterwarnings("ignore", module=r"PIL\.")  # they tell what stands in a file, and each wording is kept for ever
    logging.getLogger("PIL").setLevel(logging.INFO)  # at debug it tells what stands in a file
    logging.getLogger("asyncio").addFilter(_first_line)
    threading.excepthook = _thread_failed


def _first_line(record: logging.LogRecord) -> bool:
    """Of what asyncio tells of a failed task: the others quote the exception."""
    record.msg, record.args = record.getMessage().split("\n")[0], None
    return True


def _thread_failed(failed: threading.ExceptHookArgs) -> None:
    log.error("a thread has failed\n%s", places(failed.exc_value))
