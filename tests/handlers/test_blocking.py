"""Blocking is silent, and can be taken back."""

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.cards import plain
from db import blocks
from db.base import transaction
from tests.conftest import CommandTyper
from tests.reading import commands_of, titles_of

MAYA, LUIS = 1, 3


@pytest.mark.both
async def test_blocked_and_unblocked(typing: CommandTyper, engine: AsyncEngine) -> None:
    """Twice is once; the list shows whom, with the way back."""
    for _ in range(2):
        assert "won't know" in plain(await typing(f"block {LUIS}"))
    async with transaction(engine) as session:
        assert await blocks.is_blocked(session, LUIS, MAYA)
    shown = await typing("block")
    assert titles_of(shown) == ["Luis Ángel Rojas"]
    assert f"unblock {LUIS}" in commands_of(shown)
    assert "can reach you again" in plain(await typing(f"unblock {LUIS}"))
    assert "haven't blocked anyone" in plain(await typing(f"unblock {LUIS}"))
    async with transaction(engine) as session:
        assert not await blocks.is_blocked(session, LUIS, MAYA)


async def test_nobody_blocks_oneself_or_a_ghost(typing: CommandTyper) -> None:
    """Hidden people and people who are not there answer alike."""
    assert "can't block yourself" in plain(await typing("block maya"))
    hidden, absent = await typing("block uma"), await typing("block nobody")
    assert plain(hidden).replace("uma", "nobody") == plain(absent)
