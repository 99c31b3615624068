"""What is counted: how many requests, how they ended and how long they took; never who asked."""

from prometheus_client import CollectorRegistry, Counter, Histogram

REGISTRY = CollectorRegistry()
REQUESTS = Counter(
    "hub_requests", "Requests answered", ["platform", "command", "outcome"], registry=REGISTRY
)
SECONDS = Histogram(
    "hub_request_seconds",
    "Time from request to reply",
    ["platform"],
    buckets=(0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2, 3),
    registry=REGISTRY,
)
