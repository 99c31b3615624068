"""Two people in different workspaces talk: what one writes reaches the other, and nobody else."""

import asyncio
import random
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest
from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.cards import Card, plain
from bot.request import File, Quote, Sender
from db import inbound, members, outbox, relay
from db.base import transaction
from db.members import Account, Member
from db.outbox import Delivery
from db.relay import RelayDraft
from db.workspaces import Workspace
from tests.conftest import CANARY
from tests.talking import ConversationDriver, close_direct_messages, press, reply_text

pytestmark = pytest.mark.both


# --- words --------------------------------------------------------------------------------------


async def test_what_one_writes_the_other_reads(talk: ConversationDriver) -> None:
    """Under a line that says who wrote it, in the reader's language; the writer hears nothing."""
    number = await talk.open_conversation("maya", "luis")

    assert reply_text(await talk.write("maya", f"Hola {CANARY}\nwe publish trees", number)) == ""
    await talk.deliver_due()
    assert reply_text(await talk.write("luis", "¡Gracias!", number)) == ""
    await talk.deliver_due()

    there, here = talk.list_screen("luis")[-1], talk.list_screen("maya")[-1]
    assert there == f"Maya Chen · Boston, MA · Slack\nHola {CANARY}\nwe publish trees\n"
    assert here.startswith("Luis Ángel Rojas · Bogotá, Colombia · Discord\n¡Gracias!")
    assert len(talk.list_screen("luis")) == len(talk.list_screen("maya")) == 2


async def test_it_comes_under_the_opening_card(talk: ConversationDriver) -> None:
    """In the thread, where the reader's platform has such a thing."""
    number = await talk.open_conversation("maya", "luis")
    await talk.write("luis", "hola", number)

    (owed,) = await talk.list_pending("maya")
    async with transaction(talk.engine) as session:
        opening = await session.get_one(Delivery, owed.under_id)
    assert (opening.user, opening.platform_id) == ("maya", await talk.load_root_id("maya", number))
    assert (owed.platform, owed.workspace, owed.kind) == ("slack", "T1", "conversation")


async def test_the_openings_say_how_and_carry_the_ways_out(talk: ConversationDriver) -> None:
    """Both cards name the other, and everything either side may do."""
    number = await talk.open_conversation("maya", "luis")
    assert "reach the other side too" in talk.list_screen("maya")[0]
    for act in ("pause", "end", "block", "report"):
        assert f"relay {act} {number}" in talk.list_screen("luis")[0]


async def test_an_event_told_four_times_at_once_is_one_message(talk: ConversationDriver) -> None:
    """Whether it comes under one name again, or as two events of one gesture."""
    number = await talk.open_conversation("maya", "luis")
    under = await talk.load_root_id("maya", number)
    same = talk.build_message("maya", "written", "once", parent=under, keys=("Ev1", "gesture"))
    twin = talk.build_message("maya", "written", "once", parent=under, keys=("Ev2", "gesture"))

    taken = await asyncio.gather(*map(talk.hub.handle_message, [same, twin, same, twin]))

    assert all(one is not None for one in taken)
    assert len(await talk.list_pending("luis")) == 1


async def test_a_verb_is_a_command_unless_it_answers_somebody(talk: ConversationDriver) -> None:
    """Where there are no threads, «help me» in reply to a message is for its writer."""
    number = await talk.open_conversation("maya", "luis")
    assert await talk.write("luis", "help") is None
    assert await talk.write("luis", "help me with trees", number) is not None
    assert await talk.write("luis", "/wwc help", number) is None
    assert len(await talk.list_pending("maya")) == 1


async def test_the_only_conversation_needs_no_reply(talk: ConversationDriver) -> None:
    """One open conversation and no threads: whatever is no command is for the other."""
    await talk.open_conversation("maya", "luis")
    assert reply_text(await talk.write("luis", "buenos días")) == ""
    (owed,) = await talk.list_pending("maya")
    assert "buenos días" in owed.body


async def test_outside_of_the_thread_it_is_asked_first(talk: ConversationDriver) -> None:
    """Where there are threads nothing leaves by accident."""
    number = await talk.open_conversation("maya", "luis")
    asked = reply_text(await talk.write("maya", "Thank you so much"))
    assert "For the hub, or for Luis?" in asked
    assert f"relay send {number} draft:" in asked
    assert await talk.list_pending("luis") == []


async def test_of_several_conversations_the_writer_chooses(talk: ConversationDriver) -> None:
    """The words wait for the press, go once, and only for who wrote them."""
    first = await talk.open_conversation("maya", "luis")
    second = await talk.open_conversation("remi", "luis")
    asked = reply_text(await talk.write("luis", "¿mañana a las diez?", message="w77"))
    assert f"relay send {first} draft:1" in asked
    assert f"relay send {second} draft:1" in asked
    await talk.hub.handle_message(
        talk.build_message("luis", "edited", "¿mañana a las once?", message="w77", edition=5)
    )

    assert "don't have a conversation" in await press(talk, "maya", f"relay send {second} draft:1")
    assert "already" in await press(talk, "maya", f"relay send {first} draft:1")
    assert "Rémi" in await press(talk, "luis", f"relay send {second} draft:1")
    assert "Luis" not in await press(talk, "luis", f"relay send {second} draft:1")
    (owed,) = await talk.list_pending("remi")
    assert "once" in owed.body
    assert await talk.list_pending("maya") == []

    # what was sent by a press can be edited like anything else
    await talk.deliver_due()
    await talk.hub.handle_message(
        talk.build_message("luis", "edited", "¿a las doce?", message="w77", edition=9)
    )
    await talk.deliver_due()
    assert "¿a las doce?" in talk.list_screen("remi")[-1]


async def test_a_draft_of_an_older_program_is_still_sent(talk: ConversationDriver) -> None:
    """The hub was replaced by a newer one, which calls some fields of a message otherwise."""
    number = await talk.open_conversation("maya", "luis")
    await talk.write("maya", "Thank you so much")
    former = {
        "is_outsider": "stranger", "is_unverified": "unsure", "can_open_group_chat": "gathers",
        "parent": "under", "has_threads": "threaded", "emoji": "mark",
    }  # fmt: skip
    async with transaction(talk.engine, writes=True) as session:
        draft = (await session.scalars(select(RelayDraft))).one()
        for name, before in former.items():
            assert f'"{name}"' in draft.body
            draft.body = draft.body.replace(f'"{name}"', f'"{before}"')
        draft.body = draft.body.replace('"edition"', '"command": false, "edition"')
    await press(talk, "maya", f"relay send {number} draft:{draft.id}")

    (owed,) = await talk.list_pending("luis")
    assert "Thank you so much" in owed.body


async def test_a_draft_nobody_claims_is_erased_after_a_day(talk: ConversationDriver) -> None:
    """Words of people are not kept for nothing."""
    await talk.open_conversation("maya", "luis")
    await talk.open_conversation("remi", "luis")
    await talk.write("luis", "hmm")
    for later, left in ((23, 1), (2, 0)):
        talk.clock.advance(hours=later)
        async with transaction(talk.engine, writes=True) as session:
            await relay.delete_old(session, talk.clock())
            assert len((await session.scalars(select(relay.RelayDraft))).all()) == left


async def test_a_reply_to_any_message_of_the_conversation_is_part_of_it(
    talk: ConversationDriver,
) -> None:
    """To what was passed on, to a notice, to one's own words."""
    first = await talk.open_conversation("maya", "luis")
    await talk.open_conversation("remi", "luis")
    await talk.write("maya", "question", first)
    (passed,) = await talk.deliver_due()
    assert (
        reply_text(await talk.write("luis", "answer", parent=passed.platform_id, message="w500"))
        == ""
    )
    assert reply_text(await talk.write("luis", "and more", parent="w500")) == ""
    assert len(await talk.list_pending("maya")) == 2
    assert await talk.write("luis", "other", parent="m-unknown") is not None  # asked which one
    assert len(await talk.list_pending("maya")) == 2


# --- for the hub, or for the other --------------------------------------------------------------

FOR_THE_HUB = (
    "Wwc block @maya", "/Wwc my-data show", "/WWC", "my–data show", "`help`", "«help»", "“help”",
    "**help**", "ayuda", "AYUDA!", "¡ayuda!", "ajuda", "aide", "/help", "／help", "Help…",
    "my‑data show", "my—data show", "/wwc-me my-data", "wwc hub help",
    "b\u200block @maya", "block @maya", "quien-hace datos abiertos", "wwc: help",
)  # fmt: skip
FOR_BOTH = (
    "¿quién sabe de presupuesto?", "who knows about budgets?", "quem trabalha com dados abertos?",
    "qui s’occupe du budget ?", "Who is Ana Díaz", "what can you do?", "who-dose open data",
)  # fmt: skip
FOR_THE_OTHER = (
    "What's up with the wwc budget?", "hola", "buenos días", "thanks, that helps!", 
    "My data is big",    "Can you send me the file?", "I will ask who knows", "ok 👍", "https://a.example/help",
)  # fmt: skip


@pytest.mark.parametrize("key", ["luis", "maya"])
async def test_what_begins_like_a_command_is_the_hubs(talk: ConversationDriver, key: str) -> None:
    """However a phone or a habit spells it, on either platform; nobody else reads it."""
    await talk.open_conversation("maya", "luis")
    for words in FOR_THE_HUB:
        assert await talk.write(key, words) is None, words
    assert await talk.deliver_due() == []


@pytest.mark.parametrize("key", ["luis", "maya"])
async def test_a_question_that_the_hub_could_answer_is_asked_about(
    talk: ConversationDriver, key: str
) -> None:
    """Before anybody reads it, on either platform."""
    number = await talk.open_conversation("maya", "luis")
    asks = "For the hub, or for Luis?" if key == "maya" else "¿Para el hub o para Maya?"
    for index, words in enumerate(FOR_BOTH, start=1):
        asked = reply_text(await talk.write(key, words))
        assert asks in asked, words
        assert words in asked
        for way in (f"relay send {number} draft:{index}", f"relay send draft:{index}"):
            assert way in asked
    assert await talk.deliver_due() == []


async def test_what_was_asked_about_goes_one_way_once(talk: ConversationDriver) -> None:
    """To the hub, which answers it, or to the other; if the hub finds nothing it still may go."""
    number = await talk.open_conversation("maya", "luis")
    for words in ("what can you do?", "who knows about budgets?", "Who is Ana Díaz"):
        await talk.write("maya", words)
    assert "who-does" in await press(talk, "maya", "relay send draft:1")
    assert "already sent" in await press(talk, "maya", f"relay send {number} draft:1")
    assert "Sent to" in await press(talk, "maya", f"relay send {number} draft:2")
    assert "already sent" in await press(talk, "maya", "relay send draft:2")
    assert "Ana Díaz" in await press(talk, "maya", "relay send draft:3")
    assert "Sent to" in await press(talk, "maya", f"relay send {number} draft:3")
    assert "already sent" in await press(talk, "maya", "relay send")
    assert len(await talk.list_pending("luis")) == 2


async def test_everything_else_is_for_the_other_and_has_a_receipt(talk: ConversationDriver) -> None:
    """Where a conversation is not a thread; the receipt names who reads it."""
    await talk.open_conversation("maya", "luis")
    for words in FOR_THE_OTHER:
        taken = await talk.write("luis", words)
        assert taken is not None
        assert taken.reply is None, words
        assert taken.receipt is not None
        assert plain(taken.receipt) == "Enviado a Maya Chen.\n"
    assert len(await talk.list_pending("maya")) == len(FOR_THE_OTHER)


async def test_in_a_thread_only_what_names_the_hub_is_for_it(talk: ConversationDriver) -> None:
    """A sentence that begins with a verb is for the other there, as any answer is."""
    number = await talk.open_conversation("maya", "luis")
    for words in ("/wwc help", "/WWC", "`/Wwc my-data show`", "wwc help", "/block @luis", "／help"):
        assert await talk.write("maya", words, number) is None, words
    for words in ("WWC silver took us two years", "help me with trees", "who knows about budgets?",
                  "/etc/hosts is a file"):  # fmt: skip
        taken = await talk.write("maya", words, number)
        assert taken is not None, words
        assert taken.receipt is not None, words


async def test_an_answer_to_an_opening_that_is_still_on_its_way_is_for_the_other(
    talk: ConversationDriver,
) -> None:
    """Its reader sees the card before it is known how the platform names it."""
    number = await talk.open_conversation("maya", "luis")
    async with transaction(talk.engine, writes=True) as session:
        opened = await session.get_one(relay.Relay, number)
        maya = await talk.load_member(session, "maya")
        opening = await session.get_one(Delivery, opened.root_of(maya.id))
        named, opening.platform_id, opening.state = opening.platform_id, "", outbox.INFLIGHT
    assert (await talk.write("maya", "hello!", parent=named)) is not None
    (owed,) = await talk.list_pending("luis")
    assert "hello!" in owed.body
    async with transaction(talk.engine, writes=True) as session:
        opening = await session.get_one(Delivery, opening.id)
        opening.platform_id, opening.state = named, outbox.SENT
    assert await talk.write("maya", "hello!", parent="m-unknown") is None


# --- edits and deletions ------------------------------------------------------------------------


async def test_an_edit_before_it_left_changes_the_words(talk: ConversationDriver) -> None:
    """Nobody sees what was corrected in time."""
    number = await talk.open_conversation("maya", "luis")
    await talk.write("maya", "helo", number, message="w9")
    await talk.hub.handle_message(
        talk.build_message("maya", "edited", "hello", message="w9", edition=1)
    )
    (owed,) = await talk.list_pending("luis")
    assert "hello" in owed.body
    assert "helo" not in owed.body


async def test_edits_and_deletions_afterwards_change_the_copy(talk: ConversationDriver) -> None:
    """Two edits in a hurry are one change; a deleted message is gone on the other side."""
    number = await talk.open_conversation("maya", "luis")
    await talk.write("maya", "helo", number, message="w9")
    await talk.deliver_due()
    for edition, words in ((1, "hello"), (2, "hello!")):
        await talk.hub.handle_message(
            talk.build_message("maya", "edited", words, message="w9", edition=edition)
        )
    (change,) = await talk.deliver_due()
    assert change.act == "edit"
    assert talk.list_screen("luis")[-1].endswith("\nhello!\n")
    await talk.hub.handle_message(talk.build_message("maya", "deleted", message="w9"))
    await talk.deliver_due()
    assert len(talk.list_screen("luis")) == 1


async def test_a_deletion_in_time_sends_nothing(talk: ConversationDriver) -> None:
    """What is still due is cancelled."""
    number = await talk.open_conversation("maya", "luis")
    await talk.write("maya", "oops", number, message="w9")
    await talk.hub.handle_message(talk.build_message("maya", "deleted", message="w9"))
    assert await talk.deliver_due() == []


@pytest.mark.no_cover
@pytest.mark.parametrize("carried", [False, True])
async def test_events_in_any_order_end_alike(talk: ConversationDriver, carried: bool) -> None:
    """Written, edited twice, deleted: in all 24 orders nothing is left; without the last, the
    newest words are."""
    number = await talk.open_conversation("maya", "luis")
    under = await talk.load_root_id("maya", number)
    acts = (("written", "a", 0), ("edited", "b", 1), ("edited", "c", 2), ("deleted", "", 0))
    for turn, order in enumerate(permutations(acts)):
        for act, words, edition in order:
            await talk.hub.handle_message(
                talk.build_message(
                    "maya", act, words, message=f"p{turn}", parent=under, edition=edition
                )
            )
            if carried:
                await talk.deliver_due()
        await talk.deliver_due()
        assert len(talk.list_screen("luis")) == 1, order
    for turn, order in enumerate(permutations(acts[:3])):
        for act, words, edition in order:
            await talk.hub.handle_message(
                talk.build_message(
                    "maya", act, words, message=f"q{turn}", parent=under, edition=edition
                )
            )
            if carried:
                await talk.deliver_due()
        await talk.deliver_due()
        assert talk.list_screen("luis")[-1].endswith("\nc\n"), order
        assert len(talk.list_screen("luis")) == turn + 2


async def test_nobody_edits_what_another_one_wrote(talk: ConversationDriver) -> None:
    """A forged event about somebody else's message changes nothing."""
    number = await talk.open_conversation("maya", "luis")
    await talk.write("maya", "mine", number, message="w9")
    forged = talk.build_message("luis", "edited", "forged", message="w9", edition=3)
    object.__setattr__(forged, "channel", "D-maya")
    object.__setattr__(forged, "sender", Sender("slack", "T1", "ben"))
    await talk.hub.handle_message(forged)
    (owed,) = await talk.list_pending("luis")
    assert "mine" in owed.body


async def test_reactions_show_as_a_small_line_and_go_again(talk: ConversationDriver) -> None:
    """Once per person and emoji, quoting the beginning of what it is about."""
    number = await talk.open_conversation("maya", "luis")
    await talk.write("maya", "Shall we meet on Monday?", number)
    (passed,) = await talk.deliver_due()
    mark: dict[str, Any] = {"message": passed.platform_id, "emoji": "👍", "keys": ()}
    for _ in range(2):
        await talk.hub.handle_message(talk.build_message("luis", "marked", **mark))
    await talk.deliver_due()
    assert talk.list_screen("maya")[-1] == (
        "Luis Ángel Rojas · Bogotá, Colombia · Discord  👍 to «Shall we meet on Monday?»\n"
    )
    await talk.hub.handle_message(talk.build_message("luis", "unmarked", **mark))
    await talk.deliver_due()
    assert len(talk.list_screen("maya")) == 1
    await talk.hub.handle_message(talk.build_message("luis", "marked", **mark))
    await talk.deliver_due()
    assert len(talk.list_screen("maya")) == 2


async def test_reactions_told_late_or_twice_change_nothing(talk: ConversationDriver) -> None:
    """A platform that repeats itself, or tells of the removal before what it removes."""
    number = await talk.open_conversation("luis", "maya")
    await talk.write("luis", "¿lunes?", number)
    (passed,) = await talk.deliver_due()

    def mark(act: str, edition: int, name: str) -> Any:
        about: dict[str, Any] = {"message": passed.platform_id, "emoji": "👍", "keys": (name,)}
        return talk.build_message("maya", act, edition=edition, **about)

    await talk.hub.handle_message(mark("unmarked", 20, "Ev2"))
    await talk.hub.handle_message(mark("marked", 10, "Ev1"))
    assert await talk.deliver_due() == []
    await talk.hub.handle_message(mark("marked", 30, "Ev3"))
    await talk.hub.handle_message(mark("marked", 50, "Ev5"))
    await talk.hub.handle_message(mark("unmarked", 40, "Ev4"))
    await talk.deliver_due()
    assert "👍" in talk.list_screen("luis")[-1]
    await talk.hub.handle_message(mark("unmarked", 60, "Ev6"))
    await talk.hub.handle_message(mark("marked", 70, "Ev3"))  # the same event, whatever it says
    await talk.deliver_due()
    assert len(talk.list_screen("luis")) == 1


async def test_a_shared_message_passes_and_says_so(talk: ConversationDriver) -> None:
    """Under the writer's own words, with its author where the platform names one."""
    number = await talk.open_conversation("maya", "luis")
    shared = (
        Quote("Ben Ito\u202e", "we publish `trees`"),
        Quote("", "[Boston](http://evil.example)"),
    )
    assert reply_text(await talk.write("maya", "look", number, quotes=shared)) == ""
    await talk.deliver_due()
    assert talk.list_screen("luis")[-1] == (
        "Maya Chen · Boston, MA · Slack\nlook\n↪ Compartido, de Ben Ito:\nwe publish `trees`\n"
        "↪ Compartido:\nBoston (http://evil.example)\n"
    )
    asked = await talk.write("maya", "", quotes=shared)
    assert "«we publish `trees`»" in reply_text(asked)
    await press(talk, "maya", f"relay send {number} draft:1")
    await talk.deliver_due()
    assert talk.list_screen("luis")[-1].startswith("Maya Chen · Boston, MA · Slack\n↪ Compartido")
    told = reply_text(await talk.write("maya", "x" * 2990, number, quotes=shared))
    assert "That was long" in told


async def test_a_moment_is_told_on_the_readers_clock(talk: ConversationDriver) -> None:
    """In the reader's language; in code it stays what was typed."""
    number = await talk.open_conversation("maya", "luis")
    await talk.write("luis", "at <t:1783605600:F>, `<t:1783605600:F>`", number)
    await talk.write("maya", "at <t:1783605600:t>", number)
    await talk.deliver_due()
    assert "at July 9, 2026, 10:00\u202fAM (your time), `<t:1783605600:F>`" in str(
        talk.list_screen("maya")[-1]
    )
    assert "at 9:00\u202f" in talk.list_screen("luis")[-1].replace("\xa0", "\u202f")


async def test_code_that_is_cut_is_still_code(talk: ConversationDriver) -> None:
    """And the writer hears that it was cut."""
    number = await talk.open_conversation("maya", "luis")
    told = await talk.write("maya", "```\n" + "x = 1\n" * 800 + "```", number)
    assert "That was long" in reply_text(told)
    await talk.deliver_due()
    assert talk.list_screen("luis")[-1].endswith("…\n```\n")


# --- what cannot pass ---------------------------------------------------------------------------


async def test_files_are_announced(talk: ConversationDriver) -> None:
    """By name, size and type; the writer learns how to share what is in them."""
    number = await talk.open_conversation("maya", "luis")
    files = (File("plan\u202e.pdf", 2_345_678, "application/pdf", id="F1"),)
    assert reply_text(await talk.write("maya", "see", number, files=files)) == ""
    await talk.deliver_due()
    assert "📎 plan.pdf · application/pdf · 2.3 MB" in talk.list_screen("luis")[-1]
    large = (File("film.mp4", 20_000_000, "video/mp4", id="F2"),)
    assert "send a link" in reply_text(await talk.write("maya", "see", number, files=large))
    await talk.deliver_due()
    open_ = (File("map.png", 900, "image/png", url="https://cdn.example/map.png?ex=1"),)
    assert reply_text(await talk.write("luis", "", number, files=open_)) == ""
    await talk.deliver_due()
    assert talk.list_screen("maya")[-1].endswith("map.png · image/png · 900 B\nhttps://cdn.example/map.png?ex=1\n")  # fmt: skip  # noqa: E501


async def test_long_words_are_cut_and_the_writer_is_told(talk: ConversationDriver) -> None:
    """Never inside a character."""
    number = await talk.open_conversation("maya", "luis")
    told = reply_text(await talk.write("maya", "👩‍👩‍👧" * 3000, number))
    assert "sees only the beginning" in told
    (owed,) = await talk.list_pending("luis")
    assert "👩‍👩‍👧…" in owed.body
    told = reply_text(await talk.write("maya", " \u200b ", number))
    assert "couldn't pass anything on" in told


@pytest.mark.parametrize("words", ["relay block {number}", "block Luis"])
async def test_a_block_is_never_told(talk: ConversationDriver, words: str) -> None:
    """What was on its way stays, edits too; the blocked one sees what they always saw."""
    number = await talk.open_conversation("maya", "luis")
    await talk.write("luis", "first", number, message="w1")
    await talk.deliver_due()
    await talk.write("luis", "second", number)
    before = await press(talk, "luis", "relay")
    assert "Blocked" in await press(talk, "maya", words.format(number=number))

    assert reply_text(await talk.write("luis", "third", number)) == ""
    assert reply_text(await talk.hub.handle_message(
        talk.build_message("luis", "edited", "edited", message="w1", edition=2))) == ""  # fmt: skip
    assert await press(talk, "luis", "relay") == before
    assert "You blocked" in reply_text(await talk.write("maya", "and me?", number))
    assert await talk.deliver_due() == []
    assert [s for s in talk.list_screen("maya") if "first" in s]

    await press(talk, "maya", f"relay unblock {number}")
    await talk.write("luis", "fourth", number)
    await talk.deliver_due()
    assert talk.list_screen("maya")[-1].endswith("\nfourth\n")


@pytest.mark.parametrize("seed", range(4))
async def test_after_a_block_nothing_passes_whatever_is_tried(
    talk: ConversationDriver, seed: int
) -> None:
    """Words, edits, replies, reactions, pauses, a second card's buttons: none brings anything."""
    chance = random.Random(seed)
    number = await talk.open_conversation("maya", "luis")
    for turn in range(4):
        await talk.write("luis", f"early {turn}", number, message=f"e{turn}")
        await talk.write("maya", f"mine {turn}", number)
    await talk.deliver_due()
    copies = [
        name for name in talk.screens["luis"] if name != await talk.load_root_id("luis", number)
    ]
    await talk.write("luis", "on its way", number)
    await press(talk, "maya", f"relay block {number}")
    before = list(talk.list_screen("maya"))
    for step in range(15):
        match chance.randrange(6):
            case 0:
                await talk.write("luis", f"late {step}", number)
            case 1:
                await talk.write("luis", f"late {step}")
            case 2:
                await talk.write("luis", f"late {step}", parent=chance.choice(copies))
            case 3:
                await talk.hub.handle_message(
                    talk.build_message(
                        "luis",
                        "edited",
                        "late",
                        edition=step + 1,
                        message=f"e{chance.randrange(4)}",
                    )
                )
            case 4:
                mark: dict[str, Any] = {"message": chance.choice(copies), "emoji": "👍", "keys": ()}
                await talk.hub.handle_message(talk.build_message("luis", "marked", **mark))
            case _:
                act = chance.choice(("pause", "resume", "end", "report", "block"))
                await press(talk, "luis", f"relay {act} {number} sure:yes")
        await talk.deliver_due()
    assert talk.list_screen("maya") == before


async def test_a_suspended_writer_sends_nothing_and_is_told_nothing(
    talk: ConversationDriver,
) -> None:
    """On whichever account; who would read it is not told either."""
    number = await talk.open_conversation("maya", "luis")
    async with transaction(talk.engine, writes=True) as session:
        (await talk.load_member(session, "luis")).status = "suspended"
    assert reply_text(await talk.write("luis", "hola", number)) == ""
    assert "I can't reach" in reply_text(await talk.write("maya", "hello", number))
    assert await talk.deliver_due() == []


# --- what does not arrive -----------------------------------------------------------------------


async def test_who_wrote_hears_once_an_hour_that_it_did_not_arrive(
    talk: ConversationDriver,
) -> None:
    """Without the words; closed direct messages are called so."""
    number = await talk.open_conversation("maya", "luis")
    await close_direct_messages(talk.engine, "luis")
    talk.fails.add("luis")
    for words in ("one", "two"):
        await talk.write("maya", f"{words} {CANARY}", number)
    await talk.deliver_due()
    await talk.deliver_due()
    notices = [seen for seen in talk.list_screen("maya") if "didn't reach" in seen]
    assert len(notices) == 1
    assert "can't send them direct messages" in notices[0]
    assert CANARY not in notices[0]
    talk.clock.advance(hours=1)
    await talk.write("maya", "three", number)
    await talk.deliver_due()
    await talk.deliver_due()
    assert len([seen for seen in talk.list_screen("maya") if "didn't reach" in seen]) == 2


async def test_closed_messages_knock_elsewhere_without_the_words(talk: ConversationDriver) -> None:
    """Somebody with a second account hears there that something waits."""
    number = await talk.open_conversation("maya", "luis")
    await close_direct_messages(talk.engine, "luis")
    talk.fails.add("luis")
    async with transaction(talk.engine, writes=True) as session:
        account = await members.get_or_create_account(session, "slack", "T9", "luis9", talk.clock())
        account.member = await talk.load_member(session, "luis")
    await talk.write("maya", f"psst {CANARY}", number)
    await talk.deliver_due()
    await talk.deliver_due()
    (notice,) = talk.list_screen("luis9")
    assert "Maya Chen" in notice
    assert CANARY not in notice


async def test_an_opening_that_cannot_be_delivered_is_told_to_the_other(
    talk: ConversationDriver,
) -> None:
    """No conversation stays half open in silence."""
    talk.fails.add("luis")
    await talk.open_conversation("maya", "luis")
    await talk.deliver_due()
    assert "couldn't open" in talk.list_screen("maya")[-1]


async def test_a_workspace_that_was_left_is_said(talk: ConversationDriver) -> None:
    """Nothing is owed to a place where the hub no longer is."""
    number = await talk.open_conversation("maya", "luis")
    async with transaction(talk.engine, writes=True) as session:
        for home in await session.scalars(select(Workspace).where(Workspace.external_id != "T9")):
            if home.external_id == "G1":
                home.removed_at = talk.clock()
        member = await talk.load_member(session, "luis")
        await session.execute(
            delete(Account).where(Account.member_id == member.id, Account.external_id == "luis",
                                  Account.workspace_id.in_(select(Workspace.id).where(
                                      Workspace.external_id == "T1")))
        )  # fmt: skip
    assert "I can't reach" in reply_text(await talk.write("maya", "hello", number))
    assert await talk.deliver_due() == []


async def test_a_forgotten_person_leaves_one_sentence(talk: ConversationDriver) -> None:
    """The thread of the other side goes on to answer, and names nobody."""
    number = await talk.open_conversation("maya", "luis")
    async with transaction(talk.engine, writes=True) as session:
        gone = await talk.load_member(session, "luis")
        await session.execute(delete(Member).where(Member.id == gone.id))
    assert "no longer in the community" in reply_text(await talk.write("maya", "hello", number))
    assert "someone who left" in await press(talk, "maya", "relay")
    async with transaction(talk.engine, writes=True) as session:
        gone = await talk.load_member(session, "maya")
        await session.execute(delete(Member).where(Member.id == gone.id))
        await relay.delete_old(session, talk.clock())
        assert (await session.scalars(select(relay.Relay))).all() == []


async def test_strangers_and_people_without_conversations_only_command(
    talk: ConversationDriver,
) -> None:
    """Whoever never agreed to talk pays one question, and writes nothing."""
    await talk.open_conversation("maya", "luis")
    assert await talk.write("remi", "hello there") is None
    stranger = talk.build_message("luis", "written", "hello")
    object.__setattr__(stranger, "sender", Sender("discord", "G1", "luis", is_outsider=True))
    assert await talk.hub.handle_message(stranger) is None
    async with transaction(talk.engine) as session:
        assert (await session.scalars(select(inbound.InboundEvent))).all() == []
        due = select(Delivery).where(Delivery.state == outbox.DUE)
        assert (await session.scalars(due)).all() == []


def test_cards_of_a_conversation_are_complete_as_text() -> None:
    """Without a title the text still begins with who wrote it."""
    assert plain(Card("", ())) == "\n"


async def test_whom_staff_muted_passes_nothing_on(
    talk: ConversationDriver, engine: AsyncEngine
) -> None:
    """They are told until when, and how to object; the other side sees nothing."""
    number = await talk.open_conversation("maya", "luis")
    async with transaction(engine, writes=True) as session:
        maya = await talk.load_member(session, "maya")
        maya.muted_until = talk.clock() + timedelta(days=14)
    before = list(talk.list_screen("luis"))
    assert "muted you until December 8, 2026" in reply_text(
        await talk.write("maya", "hello?", number)
    )
    await talk.deliver_due()
    assert talk.list_screen("luis") == before
    talk.clock.advance(days=15)
    await talk.write("maya", "hello again", number)
    await talk.deliver_due()
    assert "hello again" in str(talk.list_screen("luis"))
