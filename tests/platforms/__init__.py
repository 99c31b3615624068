"""Loopback platforms: a Slack and a Discord that answer over real sockets."""

PATIENCE = 30.0
"""Seconds to wait for what must come: a busy machine takes long, and no test measures speed."""
