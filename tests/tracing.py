"""Measures coverage across greenlets at the price of threads.

SQLAlchemy runs its synchronous half in greenlets. coverage.py's own support for them asks, at each
call and return of any function, which greenlet it is in: more than half of what measuring costs
here; and it takes lines of one greenlet for another's. This asks only when greenlets switch, and
gives each its own tracer, as each thread has.
"""

import sys
from typing import Any

import greenlet  # type: ignore[import-untyped] # no stubs among our dependencies
import pytest
from coverage.collector import Collector


class Switcher:
    """Called at each switch in one thread; `collector` owns the tracers."""

    def __init__(self, collector: Collector) -> None:
        self._collector = collector
        self._generation: object = None
        self._idle: list[Any] = []

    def __call__(self, _: str, switch: tuple[Any, Any]) -> None:
        """Put the tracer of the greenlet that stops aside, and start that of the next."""
        origin, target = switch
        active = sys.gettrace()
        if not isinstance(active, self._collector.core.tracer_class):
            return  # measuring is paused
        if self._generation is not self._collector.tracers:  # it was paused, and began anew
            self._generation, self._idle = self._collector.tracers, []
        if origin.dead:
            self._idle.append(active)
        else:
            origin.__dict__["tracer"] = self._generation, active
        generation, tracer = target.__dict__.pop("tracer", (None, None))
        if generation is self._generation:
            tracer.start()
        elif self._idle:
            self._idle.pop().start()
        else:
            self._collector._start_tracer()


def follow_greenlets() -> None:
    """Follow those of this thread, and of each that coverage begins to measure from now on."""
    if not Collector._collectors:
        return
    start_tracer = Collector._start_tracer

    def start_and_follow(collector: Collector) -> Any:
        switcher = greenlet.gettrace()
        if not isinstance(switcher, Switcher) or switcher._collector is not collector:
            greenlet.settrace(Switcher(collector))
        return start_tracer(collector)

    setattr(Collector, "_start_tracer", start_and_follow)  # noqa: B010 - mypy takes no method for a variable
    greenlet.settrace(Switcher(Collector._collectors[-1]))


def stop_first_measurement(config: pytest.Config) -> None:
    """Let pytest-cov measure once in a worker: it begins before the worker's session, and again.

    What began first would measure on wherever a test marked `no_cover` pauses the other.
    """
    plugin = config.pluginmanager.getplugin("_cov")
    if plugin and plugin.cov_controller and hasattr(config, "workerinput"):
        plugin.cov_controller.pause()
