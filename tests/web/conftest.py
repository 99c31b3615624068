"""Deliveries are owed here as in the tests of their own room."""

from tests.jobs.conftest import owing

__all__ = ["owing"]
