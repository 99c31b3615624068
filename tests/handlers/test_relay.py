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


ACTS = ("show", "pause", "resume", "end", "report", "block", "unblock")


async def test_with_one_conversation_no_act_needs_a_number(talk: ConversationDriver) -> None:
    """The number, a part of the name, and nothing at all mean the same."""
    await talk.create_accounts("maya", "luis", "remi")
    assert "You have no open conversation." in await press(talk, "maya", "relay pause")
    number = await talk.open_conversation("maya", "luis")
    for act in ACTS:
        said = {
            await press(talk, "maya", f"relay {act}{which}")
            for which in ("", f" {number}", " luis", " ANGEL rojas")
        }
        assert len(said) == 1, act
        assert "Luis Ángel Rojas" in said.pop()
    assert "no open conversation with «zoe»" in await press(talk, "maya", "relay pause zoe")

    second = await talk.open_conversation("maya", "remi")
    asked = await press(talk, "maya", "relay end")
    assert f"Luis Ángel Rojas: /wwc relay end number:{number}" in asked
    assert f"Rémi Gagnon: /wwc relay end number:{second}" in asked
    await press(talk, "maya", "relay pause remi")
    assert "with Rémi Gagnon" in await press(talk, "maya", "relay resume")  # the one she paused


async def test_a_conversation_is_brought_up_for_whoever_looks_for_it(
    talk: ConversationDriver,
) -> None:
    """One line in the own thread, once an hour; the other side notices nothing."""
    number = await talk.open_conversation("maya", "luis")
    for _ in range(2):
        assert "relay pause" in await press(talk, "maya", "relay show luis")
    (line,) = await talk.deliver_due()
    assert line.user == "maya"
    assert line.under_id is not None
    assert "Luis Ángel Rojas" in talk.list_screen("maya")[-1]
    await press(talk, "maya", f"relay end {number} sure:yes")
    await talk.deliver_due()
    assert "is over" in await press(talk, "maya", f"relay show {number}")


async def test_whoever_writes_at_night_reads_once_when_it_is_morning_there(
    talk: ConversationDriver,
) -> None:
    """For each night; by day nothing is said."""
    number = await talk.open_conversation("maya", "luis")
    talk.clock.now = talk.clock.now.replace(hour=4)
    said = reply_text(await talk.write("maya", "are you awake?", number))
    assert "Luis may not read this before 8:00" in said
    assert "in Bogotá" in said
    assert "8:00" not in reply_text(await talk.write("maya", "hello?", number))
    talk.clock.advance(hours=11)
    assert "8:00" not in reply_text(await talk.write("maya", "good morning", number))
    talk.clock.advance(hours=13)
    assert "8:00" in reply_text(await talk.write("maya", "again", number))


async def test_nobody_is_offered_to_meet_whom_they_already_talk_to(
    talk: ConversationDriver,
) -> None:
    """Lists, profiles, cities and «intro» lead to the conversation; once it is over, they ask."""
    await talk.create_accounts("maya", "luis", "remi")
    shown = ("who-does open data", "who-is luis", "who-does veedores", "city bogota")
    for words in shown:
        assert "Introduce me: /wwc intro 3" in await press(talk, "maya", words), words
    number = await talk.open_conversation("maya", "luis")
    for words in shown:
        said = await press(talk, "maya", words)
        assert f"You already talk: /wwc relay show {number}" in said, words
        assert "intro 3" not in said
        assert "You already talk" not in await press(talk, "remi", words)
    for words in ("intro luis", "intro luis because we both map trees"):
        said = await press(talk, "maya", words)
        assert "You and Luis Ángel Rojas already talk." in said
        assert f"relay show {number}" in said
    assert "Luis" not in await press(talk, "maya", "intro civic tech")
    assert "already talk" in await press(talk, "noor", "intro 1 3")
    assert await talk.deliver_due() == []

    await press(talk, "maya", "relay end sure:yes")
    assert "Ask Luis?" in await press(talk, "maya", "intro luis")
