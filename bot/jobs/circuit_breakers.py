"""What a process learnt about platforms that are down and workspaces that refuse the hub."""

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
"""Places that fail one after the other, with no success anywhere, before it is an outage."""
MOST_DENIALS = 20
"""Refusals for want of rights, one after the other, before a workspace is left alone."""
DENIAL_PAUSE = timedelta(hours=1)

RateLimits = dict[str, tuple[datetime, str]]


@dataclass
class CircuitBreakers:
    """Counts failures in a row; any success ends the row."""

    _failing_lanes: dict[str, set[str]] = field(default_factory=dict)
    _denial_counts: Counter[str] = field(default_factory=Counter)

    def record(self, row: Delivery, end: AttemptResult) -> None:
        """Learn from how one attempt or look ended."""
        home = workspace_key(row)
        match end:
            case Rejected(whole_workspace=True):
                self._denial_counts[home] += 1
            case Rejected(final=False, wait=timedelta(days=0, seconds=0, microseconds=0)):
                self._failing_lanes.setdefault(row.platform, set()).add(row.lane)
            case Ambiguous() | LookupFailed(wait=timedelta(days=0, seconds=0, microseconds=0)):
                self._failing_lanes.setdefault(row.platform, set()).add(row.lane)
            case Delivered() | NotPosted() | Unverifiable() | Rejected():
                # it answered: it is there, and knows the hub
                self._failing_lanes.pop(row.platform, None)
                self._denial_counts.pop(home, None)

    def is_outage(self, platform: str) -> bool:
        """Does the platform take nothing from anybody?"""
        return len(self._failing_lanes.get(platform, ())) >= FAILING_LANES

    def concurrency_limit(self, row: Delivery, usual: int) -> int:
        """How many sends may be under way at once in this workspace: one, to try, or the usual."""
        denied = self._denial_counts[workspace_key(row)]
        if self.is_outage(row.platform):
            return 1
        return min(usual, max(MOST_DENIALS - denied, 1))

    def rate_limits_after(
        self, row: Delivery, end: AttemptResult, now: datetime, chance: float
    ) -> RateLimits:
        """What is left alone for a while because of this end."""
        found: RateLimits = {}
        if self._denial_counts[workspace_key(row)] >= MOST_DENIALS and isinstance(end, Rejected):
            found[workspace_key(row)] = (now + DENIAL_PAUSE, "no rights")
        if self.is_outage(row.platform) and isinstance(end, Rejected | Ambiguous | LookupFailed):
            found[row.platform] = (now + outcomes.outage_pause(chance), "outage")
        return found


def workspace_key(row: Delivery) -> str:
    """The key of a workspace's gate."""
    return f"{row.platform}:{row.workspace}"
