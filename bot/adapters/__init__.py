"""One adapter a platform."""

PLATFORMS = ("slack", "discord")
"""Where members have accounts of their own."""
