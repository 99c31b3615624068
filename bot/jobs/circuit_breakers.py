"""Circuit breakers of one process: for platforms that are down and workspaces that deny the hub."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.domain import outcomes
from bot.domain.outcomes import (
    Ambiguous,
    AttemptResult,
    Delivered,
    LookupFailed,
    NotPosted,
    Rejected,
    Unverifiable,
)
from db.outbox import Delivery

FAILING_LANES = 3
"""Lanes that fail one after the other, with no success anywhere, before it is an outage."""
MAX_DENIALS = 20
"""Refusals for lack of rights, one after the other, before a workspace is left alone."""
DENIAL_PAUSE = timedelta(hours=1)

RateLimits = dict[str, tuple[datetime, str]]
"""By key of a rate limit: until when nothing is sent there, and why."""


@dataclass
class CircuitBreakers:
    """Counts failing lanes by platform and denials by workspace; any success resets both."""

    _failing_lanes: dict[str, set[str]] = field(default_factory=dict)
    _denial_counts: Counter[str] = field(default_factory=Counter)

    def record(self, row: Delivery, end: AttemptResult) -> None:
        """Count how one attempt or look-up ended."""
        home = workspace_key(row)
        match end:
            case Rejected(whole_workspace=True):
                self._denial_counts[home] += 1
            case Rejected(final=False, wait=timedelta(days=0, seconds=0, microseconds=0)):
                self._failing_lanes.setdefault(row.platform, set()).add(row.lane)
            case Ambiguous() | LookupFailed(wait=timedelta(days=0, seconds=0, microseconds=0)):
                self._failing_lanes.setdefault(row.platform, set()).add(row.lane)
            case Delivered() | NotPosted() | Unverifiable() | Rejected():
                # the platform answered, so it is up and lets the hub in
                self._failing_lanes.pop(row.platform, None)
                self._denial_counts.pop(home, None)

    def is_outage(self, platform: str) -> bool:
        """Return whether the platform counts as down: too many lanes failed in a row."""
        return len(self._failing_lanes.get(platform, ())) >= FAILING_LANES

    def concurrency_limit(self, row: Delivery, usual: int) -> int:
        """Return how many sends may run at once in the workspace of a delivery.

        During an outage it is one, to try. It falls, down to one, as denials come near
        MOST_DENIALS.
        """
        denied = self._denial_counts[workspace_key(row)]
        if self.is_outage(row.platform):
            return 1
        return min(usual, max(MAX_DENIALS - denied, 1))

    def rate_limits_after(
        self, row: Delivery, end: AttemptResult, now: datetime, chance: float
    ) -> RateLimits:
        """Return the rate limits that follow from this end; empty if none do.

        `chance`, from 0 to 1, spreads the end of a pause.
        """
        found: RateLimits = {}
        if self._denial_counts[workspace_key(row)] >= MAX_DENIALS and isinstance(end, Rejected):
            found[workspace_key(row)] = (now + DENIAL_PAUSE, "no rights")
        if self.is_outage(row.platform) and isinstance(end, Rejected | Ambiguous | LookupFailed):
            found[row.platform] = (now + outcomes.outage_pause(chance), "outage")
        return found


def workspace_key(row: Delivery) -> str:
    """Return the key of a workspace's rate limit."""
    return f"{row.platform}:{row.workspace}"
