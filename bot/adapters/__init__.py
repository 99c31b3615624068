"""The adapters: each connects the hub to one chat platform, or prints cards in a terminal."""

PLATFORMS = ("slack", "discord")
"""The platforms on which members have accounts of their own."""
