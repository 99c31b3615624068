"""The stage that most tests of the adapter play on."""

from collections.abc import AsyncIterator

import pytest

from tests.adapters.discord.stage import Stage, run_adapter
from tests.platforms.discord import LoopbackDiscord


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with LoopbackDiscord(strict_answers=True) as discord:
        there = Stage(discord)
        async with run_adapter(there.adapter, discord):
            yield there
        assert discord.violations == []
        assert discord.bad_answers == []
        assert discord.double_answers == 0
