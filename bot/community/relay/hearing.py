"""Passes on what a member writes in their thread with the hub to the other side, and nobody else.

Each event is handled in one transaction: its key, the deliveries to the other side and the relay
line are saved together, so that an event which comes twice has one effect.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from bot import deliveries
from bot.cards import Form, Reply, Text, Written
from bot.commands import Command, MessageContext, hears
from bot.community.relay import cards
from bot.community.relay.cards import MAX_FILE_SIZE
from bot.community.relay.copies import describe_losses, excerpt, render_copy
from bot.community.relay.drafts import dump_message, load_message
from bot.community.relay.forwarding import (
    NO_REPLY,
    deletion_key,
    find_obstacle,
    forward,
)
from bot.community.relay.threads import ConversationView, load_view, notify_other
from bot.domain.escaping import escape_markup, one_line
from bot.i18n import translator
from bot.links import Links, SharedFile
from bot.request import File, HandledMessage, IncomingMessage, Sender
from bot.verbs import (
    begins_like_command,
    begins_nearly_like_command,
    find_question,
    is_addressed,
)
from db import blocks, inbound, members, outbox, relay
from db.members import Member
from db.relay import Relay, RelayDraft, RelayLine


async def _may_concern(session: AsyncSession, heard: IncomingMessage) -> bool:
    """Return whether the sender was ever in a conversation, with one query at most.

    True for every deletion, since the event of a deletion does not name the sender.
    """
    sender = heard.sender
    return heard.act == "deleted" or await relay.has_relays(session, sender.platform, sender.user)


@hears(may_concern=_may_concern)
async def handle_message(ctx: MessageContext, message: IncomingMessage) -> HandledMessage | None:
    """Handle a message, edit, deletion or reaction; return None if it is of no conversation."""
    session, now = ctx.session, ctx.now
    if message.act == "deleted":
        return await _on_deleted(session, now, message)
    me = await _load_member(session, message.sender)
    if me is None or is_addressed(ctx.commands, message.text):
        return None
    files = tuple(_add_file_url(file, message, ctx.links, now) for file in message.files)
    message = replace(message, files=files)
    if message.act in ("marked", "unmarked"):
        return await _on_reaction(session, now, message, me)
    if message.act == "edited":
        return await _on_edited(session, now, message, me)
    return await _on_message(ctx, message, me)


def _add_file_url(file: File, what: IncomingMessage, links: Links, now: datetime) -> File:
    """Return the file with an address at the hub, where the other side can open it.

    Unchanged if the hub cannot fetch it, does not know its size, or if that is larger than
    `MAX_FILE_SIZE`.
    """
    if not file.id or not 0 < file.size <= MAX_FILE_SIZE:
        return file
    sender = what.sender
    shared = SharedFile(what.source, sender.platform, sender.workspace, file.id)
    return replace(file, url=links.file_url(shared, now))


def _may_be_for_hub(commands: Mapping[str, Command], text: str) -> bool:
    """Return whether a text is a question that the hub could answer, or begins with a near verb."""
    return find_question(commands, text) is not None or begins_nearly_like_command(commands, text)


async def _load_member(session: AsyncSession, sender: Sender) -> Member | None:
    if sender.is_outsider:
        return None
    found = await members.find_account(session, sender.platform, sender.workspace, sender.user)
    return found.member if found else None


async def _record_event(session: AsyncSession, now: datetime, heard: IncomingMessage) -> bool:
    """Save all keys of the event; return False if one of them was saved before."""
    known = [await inbound.remember_event(session, key, now) for key in heard.keys]
    return all(known)


# --- new messages -----------------------------------------------------------------------------


async def _on_message(
    ctx: MessageContext, heard: IncomingMessage, me: Member
) -> HandledMessage | None:
    """Pass on a new message to the conversation it answers.

    Without one, what begins like a command is the hub's. Anything else goes to the member's only
    conversation; the member is asked if there are several, if the platform has threads, or if the
    hub could be meant. Returns None if it is of no conversation.
    """
    session, now = ctx.session, ctx.now
    talk = await _find_target_conversation(session, heard, me)
    if talk is None and (
        me.status != "verified"
        or begins_like_command(ctx.commands, heard.text)
        or (heard.has_threads and heard.parent)
    ):
        return None
    views = [] if talk else await _list_open_views(session, now, me)
    if not (talk or views):
        return None
    if await relay.find_line_by_source(session, heard.source) or not await _record_event(
        session, now, heard
    ):
        return NO_REPLY
    if talk is None:
        is_hub = _may_be_for_hub(ctx.commands, heard.text)
        if heard.has_threads or len(views) > 1 or is_hub:
            return await _ask_which_conversation(session, now, heard, me, views)
    return await forward(await load_view(session, now, talk, me) if talk else views[0], heard)


async def _find_target_conversation(
    session: AsyncSession, heard: IncomingMessage, me: Member
) -> Relay | None:
    """Find the conversation of the thread or message that this one answers.

    The answer to an opening card can arrive before it is known how the platform names that card:
    an unknown message then is the opening of the only conversation of which that is not known yet.
    """
    if not heard.parent:
        return None
    platform = heard.sender.platform
    found = await relay.find_relay_of_message(
        session, me.id, platform, heard.parent, heard.source_of(heard.parent)
    )
    if found:
        return found
    opening = await relay.list_opening_relays(session, me.id, platform)
    return opening[0] if len(opening) == 1 else None


async def _list_open_views(
    session: AsyncSession, now: datetime, me: Member
) -> list[ConversationView]:
    """List the open conversations with somebody the member has not blocked."""
    talks = await relay.list_relays(session, me.id, only_open=True)
    views = [await load_view(session, now, talk, me) for talk in talks]
    return [
        view
        for view in views
        if view.other and not await blocks.has_blocked(session, me.id, view.other.id)
    ]


async def _ask_which_conversation(
    session: AsyncSession,
    now: datetime,
    heard: IncomingMessage,
    me: Member,
    views: list[ConversationView],
) -> HandledMessage:
    """Save the message as a draft, and ask its writer which conversation it is for."""
    draft = RelayDraft(member_id=me.id, source=heard.source, body=dump_message(heard), at=now)
    session.add(draft)
    await session.flush()
    choices = [(view.talk.id, view.other) for view in views if view.other]
    return HandledMessage(
        cards.choose_conversation_card(
            translator(me.language), choices, draft.id, excerpt(me, heard)
        )
    )


async def send_draft(view: ConversationView, draft: RelayDraft) -> Reply | None:
    """Pass on a draft in the chosen conversation; return what its writer is told, if anything."""
    return (await forward(view, load_message(draft))).reply


# --- edits and deletions ----------------------------------------------------------------------


async def _on_edited(
    session: AsyncSession, now: datetime, heard: IncomingMessage, me: Member
) -> HandledMessage | None:
    """Pass on an edit of a message; older editions that arrive late are ignored."""
    line = await relay.find_line_by_source(session, heard.source)
    if line is None:
        return await _on_early_edit(session, now, heard, me)
    if line.author_id != me.id or not await _record_event(session, now, heard):
        return NO_REPLY
    if line.gone or line.status == relay.WITHHELD or heard.edition <= line.edition:
        return NO_REPLY
    line.edition = heard.edition
    talk = await session.get_one(Relay, line.relay_id)
    view = await load_view(session, now, talk, me)
    hindered = await find_obstacle(view)
    if hindered is not None:
        return hindered
    copy = render_copy(view, heard)
    if copy.card is None:
        await _withdraw(session, now, line)
        return NO_REPLY
    key = f"relay:{line.id}:edit:{line.edition}"
    await deliveries.edit_delivery(session, now, line.delivery_id, copy.card, key=key)
    return HandledMessage(describe_losses(view, (), is_cut=copy.is_cut))


async def _on_early_edit(
    session: AsyncSession, now: datetime, heard: IncomingMessage, me: Member
) -> HandledMessage | None:
    """Handle an edit of a draft, or one that arrived before the message that it edits."""
    draft = await relay.find_draft(session, heard.source)
    if draft and draft.member_id == me.id:
        draft.body = dump_message(heard)
        return NO_REPLY
    talk = await _find_target_conversation(session, heard, me)
    if talk is None:
        return None
    if not await _record_event(session, now, heard):
        return NO_REPLY
    return await forward(await load_view(session, now, talk, me), heard)


async def _on_deleted(
    session: AsyncSession, now: datetime, heard: IncomingMessage
) -> HandledMessage | None:
    """Withdraw the copy of a deleted message, whatever has happened between the two since.

    The event need not name the sender: in direct messages only the writer can delete a message.
    Returns None if no copy and no draft is known.
    """
    await inbound.remember_event(session, deletion_key(heard), now)
    draft = await relay.find_draft(session, heard.source)
    if draft:
        await session.delete(draft)
        return NO_REPLY
    line = await relay.find_line_by_source(session, heard.source)
    if line is None:
        return None
    if not line.gone:
        await _withdraw(session, now, line)
    return NO_REPLY


async def _withdraw(session: AsyncSession, now: datetime, line: RelayLine) -> None:
    """Mark the line as gone and remove the copy on the other side."""
    line.gone = True
    await deliveries.withdraw_delivery(session, now, line.delivery_id)


# --- reactions --------------------------------------------------------------------------------


async def _on_reaction(
    session: AsyncSession, now: datetime, heard: IncomingMessage, me: Member
) -> HandledMessage | None:
    """Pass on a reaction to a message of a conversation, or the removal of one."""
    about = await relay.find_line(
        session, me.id, heard.sender.platform, heard.message, heard.source
    )
    if about is None:
        return None
    source = f"{heard.source}:{me.id}:{heard.emoji}"
    line = await relay.find_line_by_source(session, source)
    edition = heard.edition or (line.edition + 1 if line else 1)
    if not await _record_event(session, now, heard) or (line and edition <= line.edition):
        return NO_REPLY
    if line is None:
        line = RelayLine(relay_id=about.relay_id, author_id=me.id, source=source, gone=True, at=now)
        session.add(line)
    line.edition = edition  # saved for a removal too: the reaction it removes may arrive later
    if heard.act == "unmarked":
        if not line.gone:
            await _withdraw(session, now, line)
        return NO_REPLY
    view = await load_view(session, now, await session.get_one(Relay, about.relay_id), me)
    if not line.gone or await find_obstacle(view) is not None or view.other is None:
        return NO_REPLY
    line.gone = False
    await session.flush()
    original = await outbox.lock_delivery(session, about.delivery_id)
    card = cards.reaction_card(
        translator(view.other.language),
        me,
        heard.sender.label,
        escape_markup(heard.emoji)[:50],
        _excerpt(await relay.load_latest_body(session, original) if original else ""),
    )
    line.delivery_id = await notify_other(view, card, f"relay:{line.id}:{line.edition}")
    return NO_REPLY


def _excerpt(body: str) -> str:
    """Return the beginning of a message from the stored card; empty if it is no longer kept."""
    card = deliveries.load_card(body) if body else None
    if card is None or isinstance(card, Form):
        return ""
    words = [
        part.text
        for part in card.parts
        if isinstance(part, Written) or (isinstance(part, Text) and not part.quiet)
    ]
    return one_line(words[0], 40) if words else ""
