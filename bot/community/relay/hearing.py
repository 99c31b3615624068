"""What somebody writes in their thread with the hub reaches the other side, and nobody else.

Everything that was heard is one transaction: that it was heard, what is owed to the other side,
and what is known of it, so that an event which comes twice has one effect.
"""

import json
from collections.abc import Collection
from dataclasses import asdict, replace
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from bot import deliveries
from bot.cards import Card, Form, Reply, Text
from bot.commands import MessageContext, hears
from bot.community.relay import cards
from bot.community.relay.cards import LARGEST_FILE
from bot.community.relay.threads import Scene, scene, tell_other
from bot.domain.escaping import cut, inert, one_line
from bot.i18n import translator
from bot.links import Links, Shared
from bot.parsing import clean, nearest
from bot.request import File, Heard, Sender, Taken
from db import blocks, inbound, members, outbox, relay
from db.members import Member
from db.relay import Draft, Line, Relay

NOTHING = Taken()
"""It was ours, and there is nothing to say to its writer."""


async def _may_concern(session: AsyncSession, heard: Heard) -> bool:
    """Return whether the sender was ever in a conversation; of a deletion nobody knows the sender.

    One query at most.
    """
    sender = heard.sender
    return heard.act == "deleted" or await relay.takes_part(session, sender.platform, sender.user)


@hears(may_concern=_may_concern)
async def handle_message(ctx: MessageContext, heard: Heard) -> Taken | None:
    """Take what is part of a conversation; return None if it is none."""
    session, now = ctx.session, ctx.now
    if heard.act == "deleted":
        return await _deleted(session, now, heard)
    me = await _member(session, heard.sender)
    if me is None or heard.command:
        return None
    files = tuple(_to_open(file, heard, ctx.links, now) for file in heard.files)
    heard = replace(heard, files=files)
    if heard.act in ("marked", "unmarked"):
        return await _marked(session, now, heard, me)
    if heard.act == "edited":
        return await _edited(session, now, heard, me)
    return await _written(session, now, heard, me, _is_verb(heard, ctx.commands))


def _to_open(file: File, what: Heard, links: Links, now: datetime) -> File:
    """With an address where the other side can open it, if the hub can fetch it there."""
    if not file.id or file.size > LARGEST_FILE:
        return file
    sender = what.sender
    shared = Shared(what.source, sender.platform, sender.workspace, file.id)
    return replace(file, url=links.file(shared, now))


def _is_verb(heard: Heard, verbs: Collection[str]) -> bool:
    """Where threads tell conversations apart, words outside of them may be a misspelt verb."""
    said = clean(heard.text).casefold().split(" ")
    if not said[0]:
        return False
    known = any(" ".join(said[:length]) in verbs for length in (2, 1))
    return known or (heard.threaded and bool(nearest(said[0], list(verbs))))


async def _member(session: AsyncSession, sender: Sender) -> Member | None:
    if sender.stranger:
        return None
    found = await members.account_of(session, sender.platform, sender.workspace, sender.user)
    return found.member if found else None


async def _is_new(session: AsyncSession, now: datetime, heard: Heard) -> bool:
    """Remember the event; False if any of its names was heard before."""
    known = [await inbound.first_time(session, key, now) for key in heard.keys]
    return all(known)


# --- written ----------------------------------------------------------------------------------


async def _written(
    session: AsyncSession, now: datetime, heard: Heard, me: Member, is_verb: bool
) -> Taken | None:
    """New words: to the conversation they point at, else to the only one, else it is asked."""
    talk = await _pointed(session, heard, me)
    if talk is None and (is_verb or me.status != "verified" or (heard.threaded and heard.under)):
        return None
    views = [] if talk else await _open(session, now, me)
    if not (talk or views):
        return None
    if await relay.line(session, heard.source) or not await _is_new(session, now, heard):
        return NOTHING
    if talk is None and (heard.threaded or len(views) > 1):
        return await _ask(session, now, heard, me, views)
    return await _pass_on(await scene(session, now, talk, me) if talk else views[0], heard)


async def _pointed(session: AsyncSession, heard: Heard, me: Member) -> Relay | None:
    """The conversation of the thread or message that is answered."""
    if not heard.under:
        return None
    return await relay.pointed(
        session, me.id, heard.sender.platform, heard.under, heard.at(heard.under)
    )


async def _open(session: AsyncSession, now: datetime, me: Member) -> list[Scene]:
    """The conversations in which something could be said."""
    talks = await relay.of_member(session, me.id, only_open=True)
    views = [await scene(session, now, talk, me) for talk in talks]
    return [
        view
        for view in views
        if view.other and not await blocks.has_blocked(session, me.id, view.other.id)
    ]


async def _ask(
    session: AsyncSession, now: datetime, heard: Heard, me: Member, views: list[Scene]
) -> Taken:
    """Words that name no conversation are kept until their writer chooses one."""
    draft = Draft(member_id=me.id, source=heard.source, body=_packed(heard), at=now)
    session.add(draft)
    await session.flush()
    choices = [(view.talk.id, view.other) for view in views if view.other]
    return Taken(cards.which(translator(me.language), choices, draft.id, inert(heard.text)))


async def send_draft(view: Scene, draft: Draft) -> Reply | None:
    """Pass on what was kept; what its writer is told, if anything."""
    return (await _pass_on(view, _unpacked(draft))).say


def _packed(heard: Heard) -> str:
    return json.dumps(asdict(heard), ensure_ascii=False)


def _unpacked(draft: Draft) -> Heard:
    kept = json.loads(draft.body)
    files = tuple(File(**file) for file in kept.pop("files"))
    sender = Sender(**kept.pop("sender"))
    return Heard(**{**kept, "sender": sender, "files": files, "keys": ()})


# --- passing on -------------------------------------------------------------------------------


async def _pass_on(view: Scene, heard: Heard) -> Taken:
    """Owe it to the other side, unless something stands between the two."""
    line = Line(
        relay_id=view.talk.id, author_id=view.me.id, source=heard.source,
        edition=heard.edition, status=relay.WITHHELD, gone=False, at=view.now,
    )  # fmt: skip
    view.session.add(line)
    await view.session.flush()
    if await inbound.seen(view.session, _gone(heard)):
        line.gone = True  # it was deleted before it came
        return NOTHING
    hindered = await _hindered(view)
    if hindered is not None:
        return hindered
    card = _said(view, heard)
    if card is None:
        said = view.t("There was nothing in it that I can pass on; words and links I can.")
        return Taken(cards.note(said))
    line.delivery_id = await tell_other(view, card, f"relay:{line.id}")
    if line.delivery_id is None:
        return Taken(cards.unreachable(view.t, view.name))
    line.status = relay.PASSED
    return Taken(_remarks(view, heard))


def _said(view: Scene, heard: Heard) -> Card | None:
    """What the other side sees of it; None if there is nothing to see."""
    text, _ = cut(inert(heard.text))
    if view.other is None or not (text or heard.files):
        return None
    t = translator(view.other.language)
    return cards.spoken(t, view.me, heard.sender.label, text, heard.files)


def _remarks(view: Scene, heard: Heard) -> Card | None:
    """What did not go over as it was."""
    said = []
    if cut(inert(heard.text))[1]:
        said.append(cards.cut_short(view.t, view.name))
    if any(not file.url for file in heard.files):
        said.append(cards.files_stay(view.t, view.name))
    return cards.note(" ".join(said)) if said else None


async def _hindered(view: Scene) -> Taken | None:
    """Why nothing may leave now, as its writer is told; None if nothing hinders it."""
    session, talk, me, other, t = view.session, view.talk, view.me, view.other, view.t
    if me.status != "verified":
        return NOTHING
    if me.muted_until is not None and me.is_muted(view.now):
        return Taken(cards.muted(t, me.muted_until))
    if other is None:
        return Taken(cards.unreachable(t, ""))
    if talk.status != relay.OPEN:
        return Taken(cards.over(t, view.name))
    if await blocks.has_blocked(session, me.id, other.id):
        return Taken(cards.you_blocked(t, view.name, talk.id))
    if await blocks.is_blocked(session, me.id, other.id):
        return NOTHING  # who is blocked never learns of it
    if talk.paused_by(me.id):
        return Taken(cards.you_paused(t, talk.id))
    if talk.paused_by(other.id):
        return Taken(cards.paused(t, view.name))
    if other.status != "verified":
        return Taken(cards.unreachable(t, view.name))
    return None


# --- changed afterwards -----------------------------------------------------------------------


async def _edited(session: AsyncSession, now: datetime, heard: Heard, me: Member) -> Taken | None:
    """Other words for something written before; only the newest count."""
    line = await relay.line(session, heard.source)
    if line is None:
        return await _edited_early(session, now, heard, me)
    if line.author_id != me.id or not await _is_new(session, now, heard):
        return NOTHING
    if line.gone or line.status == relay.WITHHELD or heard.edition <= line.edition:
        return NOTHING
    line.edition = heard.edition
    talk = await session.get_one(Relay, line.relay_id)
    view = await scene(session, now, talk, me)
    hindered = await _hindered(view)
    if hindered is not None:
        return hindered
    card = _said(view, heard)
    if card is None:
        await _withdraw(session, now, line)
        return NOTHING
    key = f"relay:{line.id}:edit:{line.edition}"
    await deliveries.reword(session, now, line.delivery_id, card, key=key)
    return Taken(_remarks(view, replace(heard, files=())))


async def _edited_early(
    session: AsyncSession, now: datetime, heard: Heard, me: Member
) -> Taken | None:
    """An edit of what is kept as a draft, or one that came before what it edits."""
    draft = await relay.draft(session, heard.source)
    if draft and draft.member_id == me.id:
        draft.body = _packed(heard)
        return NOTHING
    talk = await _pointed(session, heard, me)
    if talk is None:
        return None
    if not await _is_new(session, now, heard):
        return NOTHING
    return await _pass_on(await scene(session, now, talk, me), heard)


async def _deleted(session: AsyncSession, now: datetime, heard: Heard) -> Taken | None:
    """Taken back: the other side's copy goes too, whatever has happened between the two since.

    Only its writer can delete something in direct messages, so it need not be said who did.
    """
    await inbound.first_time(session, _gone(heard), now)
    draft = await relay.draft(session, heard.source)
    if draft:
        await session.delete(draft)
        return NOTHING
    line = await relay.line(session, heard.source)
    if line is None:
        return None
    if not line.gone:
        await _withdraw(session, now, line)
    return NOTHING


async def _withdraw(session: AsyncSession, now: datetime, line: Line) -> None:
    """Take the copy on the other side back."""
    line.gone = True
    await deliveries.withdraw(session, now, line.delivery_id)


def _gone(heard: Heard) -> str:
    return f"gone:{heard.source}"


# --- reactions --------------------------------------------------------------------------------


async def _marked(session: AsyncSession, now: datetime, heard: Heard, me: Member) -> Taken | None:
    """An emoji put to a message of a conversation, or taken away again."""
    about = await relay.message(session, me.id, heard.sender.platform, heard.message, heard.source)
    if about is None:
        return None
    source = f"{heard.source}:{me.id}:{heard.mark}"
    line = await relay.line(session, source)
    edition = heard.edition or (line.edition + 1 if line else 1)
    if not await _is_new(session, now, heard) or (line and edition <= line.edition):
        return NOTHING
    if line is None:
        line = Line(relay_id=about.relay_id, author_id=me.id, source=source, gone=True, at=now)
        session.add(line)
    line.edition = edition  # a removal is remembered too: what it removes may come after it
    if heard.act == "unmarked":
        if not line.gone:
            await _withdraw(session, now, line)
        return NOTHING
    view = await scene(session, now, await session.get_one(Relay, about.relay_id), me)
    if not line.gone or await _hindered(view) is not None or view.other is None:
        return NOTHING
    line.gone = False
    await session.flush()
    original = await outbox.delivery(session, about.delivery_id)
    card = cards.marked(
        translator(view.other.language), me, heard.sender.label,
        inert(heard.mark)[:50], _excerpt(await relay.newest(session, original) if original else ""),
    )  # fmt: skip
    line.delivery_id = await tell_other(view, card, f"relay:{line.id}:{line.edition}")
    return NOTHING


def _excerpt(body: str) -> str:
    """The beginning of what was passed on, if it is still kept."""
    card = deliveries.read(body) if body else None
    if card is None or isinstance(card, Form):
        return ""
    words = [part.text for part in card.parts if isinstance(part, Text) and not part.quiet]
    return one_line(words[0], 40) if words else ""
