"""Conversations across workspaces: list, pause, end, block and report them."""

from dataclasses import replace
from typing import Annotated, Literal

from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncSession

from bot.cards import Button, Buttons, Card, Entry, Note, Part, Reply, Text
from bot.commands import MEMBER, Context, Spelled, command
from bot.community import blocking, conduct
from bot.community.relay import cards, hearing, threads
from bot.community.relay.choosing import choose_conversation
from bot.community.relay.drafts import load_message
from bot.community.relay.threads import ConversationView
from bot.dispatch import reply_to
from bot.domain.escaping import one_line
from bot.errors import Refusal
from bot.i18n import Translator, translator
from bot.parsing import HiddenField, Labels
from bot.verbs import find_command, find_question
from db import blocks, relay
from db.members import Member
from db.moderation import Report
from db.relay import RelayDraft


class RelayAsk(BaseModel):
    """See, pause, or end your conversations with people in other workspaces"""

    act: Annotated[
        Literal["list", "show", "pause", "resume", "end", "block", "unblock", "report", "send"],
        Labels(
            {
                "list": "My conversations",
                "show": "Go to",
                "pause": "Pause",
                "resume": "Resume",
                "end": "End",
                "block": "Block",
                "unblock": "Unblock",
                "report": "Report",
                "send": "Send",
            }
        ),
    ] = Field(default="list", title="What to do")
    number: str | None = Field(
        default=None,
        max_length=80,
        title="With whom",
        description="A name or number; leave it empty if you have one conversation",
    )
    draft: Annotated[int | None, HiddenField()] = Field(default=None, ge=1, le=2_000_000_000)
    sure: Annotated[bool, HiddenField()] = False


@command(
    "relay",
    allow=MEMBER,
    room="daily",
    spelled=Spelled("conversaciones", "conversas", "conversations"),
    writes=True,
    example="relay pause 3",
)
async def conversations(ctx: Context, ask: RelayAsk) -> Reply:
    """List the member's conversations, or pause, resume, end, block or report one of them."""
    if ask.act == "send" and ask.number is None:
        return await _answer_draft(ctx, ask.draft)
    if ask.act == "list":
        return await _list_card(ctx)
    view = await choose_conversation(ctx, ask.number, ask.act)
    match ask.act:
        case "show":
            return await _show(view)
        case "pause":
            return await _pause(view)
        case "resume":
            return await _resume(view)
        case "end":
            return await _end(view) if ask.sure else _confirm_end_card(view)
        case "block":
            return await _block(view)
        case "unblock":
            return await _unblock(view)
        case "report":
            return await _report(view)
        case "send":
            return await _send(view, ask.draft)


# --- the list ---------------------------------------------------------------------------------


async def _list_card(ctx: Context) -> Card:
    t = ctx.t
    talks = await relay.list_relays(ctx.session, ctx.member.id)
    views = [await threads.load_view(ctx.session, ctx.now, talk, ctx.member) for talk in talks]
    entries = tuple([await _conversation_entry(view) for view in views])
    if not entries:
        said = t(
            "You don't have any conversations with people in other workspaces yet. They start "
            "when you both say yes to an introduction."
        )
        ways = Buttons((Button(t("Find people"), "who-does"),))
        return Card(t("My conversations"), (Text(said), ways))
    return Card(t("My conversations"), entries)


async def _conversation_entry(view: ConversationView) -> Entry:
    t, talk = view.t, view.talk
    if view.other is None:
        return Entry(f"{talk.id} · {t('someone who left')}", badge=t("over"))
    state, buttons = await _conversation_state(view)
    where = cards.author_line(t, view.other, "")
    return Entry(f"{talk.id} · {where}", badge=state, buttons=buttons)


async def _conversation_state(view: ConversationView) -> tuple[str, tuple[Button, ...]]:
    """Return the state of a conversation for this side, and buttons for what can be done.

    A block by the other side is never shown.
    """
    t, talk = view.t, view.talk
    if view.other and await blocks.has_blocked(view.session, view.me.id, view.other.id):
        return t("blocked"), (Button(t("Unblock"), f"relay unblock {talk.id}"),)
    if talk.status != relay.OPEN:
        return t("over"), ()
    if talk.is_paused_by(view.me.id):
        return t("paused by you"), (cards.resume_button(t, talk.id), *_exit_buttons(view))
    pause = Button(t("Pause"), f"relay pause {talk.id}")
    if talk.is_paused_by(talk.partner_of(view.me.id)):
        return t("paused by the other side"), (pause, *_exit_buttons(view))
    return t("open"), (pause, *_exit_buttons(view))


def _exit_buttons(view: ConversationView) -> tuple[Button, ...]:
    return cards.control_buttons(view.t, view.talk.id).buttons[1:]


# --- acts on one conversation -----------------------------------------------------------------


def _result_card(view: ConversationView, text: str, *buttons: Button) -> Card:
    shown = (Note(text, "good"), *((Buttons(buttons),) if buttons else ()))
    return Card(view.other_name or view.t("My conversations"), shown)


def _retitle_as_answer(view: ConversationView, card: Card) -> Card:
    """Return a card meant for the thread with the title of an answer to a command."""
    return replace(card, title=view.other_name or view.t("My conversations"))


async def _show(view: ConversationView) -> Card:
    """Lead to a conversation: a line in its thread brings it up, at most once an hour."""
    t, talk = view.t, view.talk
    if talk.status != relay.OPEN or view.other is None:
        return _retitle_as_answer(view, cards.conversation_over_card(t, view.other_name))
    here = cards.here_card(t, view.other_name)
    key = f"relay:{talk.id}:here:{view.me.id}:{view.now:%Y%m%d%H}"
    await threads.notify(view.session, view.now, talk, view.me, here, key)
    _, buttons = await _conversation_state(view)
    said = t(
        "I brought your conversation with {name} to the front of your messages. Reply there, and "
        "it goes to {name}.",
        name=view.other_name,
    )
    return _result_card(view, said, *buttons)


async def _pause(view: ConversationView) -> Card:
    """Pause the conversation for the member unless it is over; return the answer to show."""
    t = view.t
    if view.talk.status != relay.OPEN:
        return _retitle_as_answer(view, cards.conversation_over_card(t, view.other_name))
    if not view.talk.is_paused_by(view.me.id):
        view.talk.update_pause(view.me.id, view.now)
    said = t(
        "Paused. Nothing is passed on until you resume; if {name} writes, I'll tell them.",
        name=view.other_name,
    )
    return _result_card(view, said, cards.resume_button(t, view.talk.id))


async def _resume(view: ConversationView) -> Card:
    """Resume a conversation, and notify the other side if messages were withheld meanwhile."""
    t, talk, other = view.t, view.talk, view.other
    if talk.status != relay.OPEN:
        return _retitle_as_answer(view, cards.conversation_over_card(t, view.other_name))
    since = talk.pause_start(view.me.id)
    talk.update_pause(view.me.id, None)
    if since and other and not talk.is_paused_by(other.id):
        missed = await relay.has_withheld_since(view.session, talk.id, other.id, since)
        if missed and not await blocks.is_blocked(view.session, view.me.id, other.id):
            card = cards.pause_over_card(translator(other.language), one_line(view.me.name))
            await threads.notify_other(view, card, f"relay:{talk.id}:on:{since:%Y%m%d%H%M%S}")
    return _result_card(view, t("The conversation with {name} is back on.", name=view.other_name))


def _confirm_end_card(view: ConversationView) -> Card:
    t = view.t
    said = t(
        "End the conversation with {name} for both of you? {name} will be told it has ended.",
        name=view.other_name,
    )
    ways = (
        Button(t("End it"), f"relay end {view.talk.id} sure:yes", "danger"),
        Button(t("Just pause it"), f"relay pause {view.talk.id}"),
    )
    return Card(t("End this conversation?"), (Text(said), Buttons(ways)))


async def _end(view: ConversationView) -> Card:
    await threads.end_conversation(view)
    return _result_card(view, view.t("The conversation with {name} is over.", name=view.other_name))


async def _block(view: ConversationView) -> Card:
    """Block the other side, who is not notified: nothing passes in either direction any more."""
    t = view.t
    if view.other is None:
        return _retitle_as_answer(view, cards.unreachable_card(t, ""))
    await blocking.block_member(view.session, view.now, view.me, view.other)
    said = t(
        "Blocked. You won't get anything from {name} anymore, here or through introductions, "
        "and {name} won't know.",
        name=view.other_name,
    )
    ways = (
        Button(t("Unblock"), f"relay unblock {view.talk.id}"),
        Button(t("Report"), f"relay report {view.talk.id}"),
    )
    return _result_card(view, said, *ways)


async def _unblock(view: ConversationView) -> Card:
    t = view.t
    if view.other is None:
        return _retitle_as_answer(view, cards.unreachable_card(t, ""))
    await blocking.unblock_member(view.session, view.now, view.me, view.other)
    return _result_card(view, t("{name} can write to you here again.", name=view.other_name))


async def _report(view: ConversationView) -> Card:
    """Report the other side to the staff, who are notified once and see no message of the two."""
    t, me, other = view.t, view.me, view.other
    if other is None:
        return _retitle_as_answer(view, cards.unreachable_card(t, ""))

    def render_details(theirs: Translator, report: Report) -> tuple[Part, ...]:
        return _report_details(theirs, view, other, report)

    await conduct.report_member(
        view.session, view.now, me, other, f"relay:{view.talk.id}", render_details=render_details
    )
    said = t("Thank you. The program staff will look into it and get back to you.")
    return _result_card(view, said, Button(t("Block"), f"relay block {view.talk.id}", "danger"))


def _report_details(
    t: Translator, view: ConversationView, other: Member, report: Report
) -> tuple[Part, ...]:
    said = t(
        "{one} reported the conversation with {other} (number {number}). Their messages are "
        "private and not shown here; please ask {one} what happened.",
        one=cards.author_line(t, view.me, ""),
        other=cards.author_line(t, other, ""),
        number=view.talk.id,
    )
    ways = (
        Button(one_line(view.me.name, 60), f"who-is {view.me.id}"),
        Button(one_line(other.name, 60), f"who-is {other.id}"),
        Button(
            t("Suspend {name}", name=one_line(other.name, 60)),
            f"admin reports suspend {report.id}",
            "danger",
        ),
    )
    return Text(said), Buttons(ways)


async def _send(view: ConversationView, number: int | None) -> Card:
    """Send a message that was kept because it was not clear for whom it was.

    It can be sent once. Raises Refusal if it was sent already or is too old.
    """
    said = await hearing.send_draft(view, await _take_draft(view.session, view.t, view.me, number))
    if isinstance(said, Card):
        return _retitle_as_answer(view, said)
    return _result_card(view, view.t("Sent to {name}.", name=view.other_name))


async def _answer_draft(ctx: Context, number: int | None) -> Reply:
    """Answer a message that was kept because it was not clear for whom it was: it is for the hub.

    Raises Refusal if it was sent already or is too old.
    """
    draft = await _take_draft(ctx.session, ctx.t, ctx.member, number)
    words = load_message(draft).text
    asked = replace(ctx, request=replace(ctx.request, words=words, values={}, from_form=False))
    found = find_command(ctx.commands, words) or find_question(ctx.commands, words)
    return await reply_to(asked, found)


async def _take_draft(
    session: AsyncSession, t: Translator, writer: Member, number: int | None
) -> RelayDraft:
    """Return a kept message of the writer, once. Raises Refusal if it is not there any more."""
    draft = await relay.take_draft(session, number or 0, writer.id)
    if draft is None:
        raise Refusal(t("That was already sent or is too old. Please write it again."))
    return draft
