"""One's own conversations: paused, resumed, ended and reported; nobody reaches another one's."""

import pytest

from tests.conftest import CANARY
from tests.talking import ConversationDriver, press, reply_text

pytestmark = pytest.mark.both


async def test_a_pause_is_said_and_nothing_passes(talk: ConversationDriver) -> None:
    """The one who wrote in vain hears when it goes on; who did not, does not."""
    number = await talk.open_conversation("maya", "luis")
    assert "En pausa" in await press(talk, "luis", f"relay pause {number}")
    assert "has paused" in reply_text(await talk.write("maya", "hello?", number, message="w9"))
    assert f"relay resume {number}" in reply_text(await talk.write("luis", "hola", number))
    await talk.hub.handle_message(
        talk.build_message("maya", "edited", "hello!", message="w9", edition=1)
    )
    assert await talk.deliver_due() == []
    assert "is back on" in await press(talk, "maya", f"relay resume {number}")  # it is not hers
    assert "has paused" in reply_text(await talk.write("maya", "hello?", number))
    await press(talk, "luis", f"relay resume {number}")
    await talk.deliver_due()
    assert "is back" in talk.list_screen("maya")[-1]
    await talk.write("maya", "now", number)
    await talk.deliver_due()
    assert talk.list_screen("luis")[-1].endswith("\nnow\n")
    assert not any("hello?" in seen or "hello!" in seen for seen in talk.list_screen("luis"))


async def test_the_end_is_told_once(talk: ConversationDriver) -> None:
    """It is asked before it is done; later words get one sentence."""
    number = await talk.open_conversation("maya", "luis")
    assert "sure:yes" in await press(talk, "maya", f"relay end {number}")
    for _ in range(2):
        await press(talk, "maya", f"relay end {number} sure:yes")
    (told,) = await talk.deliver_due()
    assert told.user == "luis"
    assert "is over" in reply_text(await talk.write("maya", "wait", number))
    assert reply_text(await talk.write("luis", "espera", number)) != ""
    assert await talk.deliver_due() == []


async def test_a_report_reaches_the_staff_once_and_without_the_words(
    talk: ConversationDriver,
) -> None:
    """Staff see who and which conversation."""
    number = await talk.open_conversation("maya", "luis")
    await talk.write("luis", f"rude {CANARY}", number)
    await talk.deliver_due()
    for _ in range(2):
        assert "Thank you" in await press(talk, "maya", f"relay report {number}")
    due = await talk.deliver_due()
    assert sorted(one.user for one in due) == ["ada", "noor"]
    assert "Luis Ángel Rojas" in talk.list_screen("noor")[-1]
    assert CANARY not in talk.list_screen("noor")[-1]


async def test_another_ones_conversation_cannot_be_told_from_none(talk: ConversationDriver) -> None:
    """Every number and every act is refused in the same words."""
    number = await talk.open_conversation("maya", "luis")
    for act in ("pause", "resume", "end", "block", "unblock", "report", "send"):
        theirs = await press(talk, "remi", f"relay {act} {number} sure:yes draft:1")
        none = await press(talk, "remi", f"relay {act} 999 sure:yes draft:1")
        assert theirs == none.replace("999", str(number))
    assert await talk.deliver_due() == []
