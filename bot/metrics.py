"""Prometheus metrics: how many requests, how they ended and how long they took; never who asked."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

REGISTRY = CollectorRegistry()
REQUESTS = Counter(
    "hub_requests", "Requests answered", ["platform", "command", "outcome"], registry=REGISTRY
)
REQUEST_SECONDS = Histogram(
    "hub_request_seconds",
    "Time from request to reply",
    ["platform"],
    buckets=(0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2, 3),
    registry=REGISTRY,
)
SENDS = Counter(
    "hub_sends", "Attempts to send, as they ended", ["platform", "outcome"], registry=REGISTRY
)
DELIVERIES = Gauge(
    "hub_deliveries",
    "Deliveries that are remembered, by what became of them",
    ["state", "kind", "reason"],
    registry=REGISTRY,
)
OLDEST_DELIVERY_SECONDS = Gauge(
    "hub_deliveries_oldest_seconds",
    "Since when the delivery is due that waits longest",
    registry=REGISTRY,
)
CLOCK_STEPS = Counter(
    "hub_clock_steps", "Times the clock of this machine went back", registry=REGISTRY
)
CONNECTIONS = Gauge("hub_http_connections", "HTTP connections that are open", registry=REGISTRY)
CLOSED_CONNECTIONS = Counter(
    "hub_http_connections_closed",
    "HTTP connections that the hub closed or could not accept, by why",
    ["reason"],
    registry=REGISTRY,
)
AUDIT_HEAD = Gauge(
    "hub_audit_head",
    "Number of the newest row of the audit log, with its seal",
    ["seal"],
    registry=REGISTRY,
)
