"""Deliveries and talks are owed, sent and begun here as in the tests of their own rooms."""

from tests.community.conftest import talk
from tests.jobs.conftest import owing, platform

__all__ = ["owing", "platform", "talk"]
