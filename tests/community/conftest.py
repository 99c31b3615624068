"""What tests of the community ask for: two people who may talk across workspaces."""

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.hub import Hub
from tests.conftest import Clock
from tests.talking import ConversationDriver


@pytest.fixture
async def talk(hub: Hub, engine: AsyncEngine, clock: Clock) -> ConversationDriver:
    """Maya, Luis and Rémi with an account each, in workspaces of their own."""
    talking = ConversationDriver(hub, engine, clock)
    await talking.create_accounts("maya", "luis", "remi")
    return talking
