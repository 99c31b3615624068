"""Whatever is logged, by whomever: one form, and nothing of what people wrote."""

import asyncio
import io
import json
import logging
import subprocess
import sys
import threading
import warnings
from types import SimpleNamespace
from typing import Any

import pytest
import structlog

from bot.logs import LINES_A_MINUTE, Throttle, configure_logging, trace_of
from tests.conftest import CANARY
from tests.stories.program import ROOT


@pytest.fixture
def lines() -> "Lines":
    return Lines()


class Lines:
    """What is logged as JSON."""

    def __init__(self) -> None:
        self._stream = io.StringIO()
        configure_logging("json", self._stream)

    def read(self) -> list[dict[str, Any]]:
        text = self._stream.getvalue()
        assert CANARY[1:] not in text
        return [json.loads(line) for line in text.splitlines()]


def failure() -> ValueError:
    try:
        raise ValueError("c" + CANARY[1:])
    except ValueError as error:
        return error


@pytest.mark.parametrize(
    "name", ["aiohttp.server", "slack_sdk.web", "discord.gateway", "apscheduler", "sqlalchemy.pool"]
)
def test_libraries_say_where_and_what_but_not_their_text(lines: Lines, name: str) -> None:
    """Their warnings and errors, in the form of the hub's own lines."""
    logging.getLogger(name).info("heard %s", "nothing")
    logging.getLogger(name).warning(f"told by {sys.executable}")
    logging.getLogger(name).error("in %s", {"path": "secret"}, exc_info=failure())
    told, failed = lines.read()
    assert (told["event"], told["level"], told["logger"]) == ("library", "warning", name)
    assert told["where"].startswith("test_logs:")
    assert (failed["level"], failed["error"]) == ("error", "ValueError")
    assert failed["trace"][-1].startswith("failure:")
    assert sys.executable not in str(told)


async def test_python_itself_keeps_the_form(lines: Lines) -> None:
    """Tasks nobody waited for, threads, warnings."""
    loop = asyncio.get_running_loop()
    loop.call_exception_handler({"message": "task", "exception": failure()})
    sys.unraisablehook(SimpleNamespace(exc_value=failure()))
    threading.excepthook(threading.ExceptHookArgs((ValueError, failure(), None, None)))
    warnings.showwarning("old", DeprecationWarning, "/some/where/library.py", 7)
    found = [(line["logger"], line["error"]) for line in lines.read()]
    assert found == [
        ("asyncio", "ValueError"), ("python", "ValueError"), ("threading", "ValueError"),
        ("warnings", "DeprecationWarning"),
    ]  # fmt: skip


def test_what_ends_the_program_is_one_line() -> None:
    """In the form of all others, without the text of the error."""
    ended = subprocess.run(
        [sys.executable, "-c",
         "from bot.logs import configure_logging; configure_logging('json'); int('secret')"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ended.returncode == 1
    line = json.loads(ended.stderr)
    assert (line["event"], line["error"], line["trace"]) == (
        "crashed",
        "ValueError",
        ["<module>:1"],
    )


def test_one_event_cannot_fill_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is counted from then on; faults, whose codes people tell, are written always."""
    now = 0.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    throttle = Throttle()

    def write(**entry: str) -> dict[str, Any] | None:
        try:
            return dict(throttle(None, "", dict(entry)))
        except structlog.DropEvent:
            return None

    written = [write(event="rejected") for _ in range(LINES_A_MINUTE + 7)]
    assert written.count(None) == 7
    assert write(event="rejected", logger="another")
    assert all(write(event="fault") for _ in range(LINES_A_MINUTE + 1))
    now = 61
    assert write(event="rejected") == {"event": "rejected", "dropped": 7}
    assert write(event="rejected") == {"event": "rejected"}


def test_many_different_events_take_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest are forgotten."""
    monkeypatch.setattr("bot.logs.MAX_EVENTS", 10)
    throttle = Throttle()
    for number in range(100):
        throttle(None, "", {"event": str(number)})
    assert len(throttle._seen) == 10


def test_where_an_error_was_raised_is_told_from_the_outside_in() -> None:
    """The last frames of a deep one."""

    def deep(left: int) -> None:
        if left:
            deep(left - 1)
        raise ValueError

    with pytest.raises(ValueError) as caught:  # noqa: PT011 - it has no text
        deep(20)
    assert [frame.split(":")[0][-4:] for frame in trace_of(caught.value)] == ["deep"] * 8
