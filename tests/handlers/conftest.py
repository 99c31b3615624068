"""Deliveries are owed and sent here as in the tests of the jobs."""

from tests.jobs.conftest import owing, platform

__all__ = ["owing", "platform"]
