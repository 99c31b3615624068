"""One form for every line of the log, whoever writes it: the hub, a library or Python itself.

Of a library's line only its place and the type of its error are kept: its text may quote what
people wrote, tokens or addresses.
"""

import logging
import sys
import threading
import time
import warnings
from collections import OrderedDict
from collections.abc import MutableMapping
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

import structlog

log = structlog.get_logger()

LINES_A_MINUTE = 60
"""How often the same event is written in a minute; further ones are counted."""
MAX_EVENTS = 1000
"""How many different events are counted; the oldest is forgotten first."""
ALWAYS_WRITTEN = ("fault", "crashed")
"""Each holds a code or a place that somebody looks for."""
TRACE_FRAMES = 8


def configure_logging(log_setting: str, stream: TextIO | None = None) -> None:
    """Configure logging from the value of WWC_LOG: one line an event, as JSON or for the console.

    Libraries log warnings and errors only. Lines go to `stream`, by default to standard error.
    Raises ValueError if the value is not known.
    """
    kind, _, level = log_setting.partition(":")
    number = logging.getLevelNamesMapping().get((level or "info").upper())
    if kind not in ("json", "console") or number is None:
        raise ValueError("is console or json, perhaps with a level: json:warning")
    out = stream or sys.stderr
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(number),
        processors=[
            structlog.processors.add_log_level,
            Throttle(),
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer()
            if kind == "json"
            else structlog.dev.ConsoleRenderer(colors=out.isatty()),
        ],
        logger_factory=structlog.PrintLoggerFactory(out),
    )
    root = logging.getLogger()
    root.handlers = [h for h in root.handlers if not isinstance(h, LibraryHandler)]
    root.addHandler(LibraryHandler(logging.WARNING))
    root.setLevel(logging.WARNING)
    warnings.showwarning = _log_warning
    sys.excepthook = _log_crash
    sys.unraisablehook = lambda seen: _log_library("python", logging.ERROR, "", seen.exc_value)
    threading.excepthook = lambda seen: _log_library("threading", logging.ERROR, "", seen.exc_value)


class Throttle:
    """A processor that drops an event which comes too often in a minute.

    The first line of the next minute says how many were dropped.
    """

    def __init__(self) -> None:
        self._seen: OrderedDict[tuple[object, ...], tuple[float, int]] = OrderedDict()

    def __call__(
        self, _: object, __: str, entry: MutableMapping[str, Any]
    ) -> MutableMapping[str, Any]:
        if entry["event"] in ALWAYS_WRITTEN:
            return entry
        key = tuple(entry.get(name) for name in ("event", "logger", "where"))
        now = time.monotonic()
        since, number = self._seen.pop(key, (now, 0))
        dropped = 0
        if now - since >= 60:
            since, number, dropped = now, 0, max(0, number - LINES_A_MINUTE)
        self._seen[key] = since, number + 1
        if len(self._seen) > MAX_EVENTS:
            self._seen.popitem(last=False)
        if number >= LINES_A_MINUTE:
            raise structlog.DropEvent
        return {**entry, "dropped": dropped} if dropped else entry


class LibraryHandler(logging.Handler):
    """Writes the lines of libraries in the form of the hub's own."""

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        if record.name == "aiohttp.server" and _is_client_error(error):
            return  # a client sends nonsense, and is answered so
        _log_library(record.name, record.levelno, f"{record.module}:{record.lineno}", error)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - named by the library
        """Write nothing: the library would print the text of the record."""


def _is_client_error(error: BaseException | None) -> bool:
    from aiohttp import web  # only a process that serves HTTP has loaded it
    from aiohttp.http_exceptions import HttpProcessingError

    return isinstance(error, HttpProcessingError | web.RequestPayloadError)


def _log_library(name: str, level: int, where: str, error: BaseException | None) -> None:
    facts = {"error": type(error).__name__, "trace": trace_of(error)} if error else {}
    log.log(level, "library", logger=name, where=where, **facts)


def _log_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    place = f"{Path(filename).stem}:{lineno}"
    log.warning("library", logger="warnings", where=place, error=category.__name__)


def _log_crash(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """Log the error that ends the program; Ctrl+C ends it without a word."""
    if not isinstance(error, KeyboardInterrupt):
        log.critical("crashed", error=kind.__name__, trace=trace_of(error))


def trace_of(error: BaseException) -> list[str]:
    """Return where an error was raised, as «function:line» of the last frames, innermost last."""
    frames, trace = list[str](), error.__traceback__
    while trace:
        frames.append(f"{trace.tb_frame.f_code.co_qualname}:{trace.tb_lineno}")
        trace = trace.tb_next
    return frames[-TRACE_FRAMES:]
