"""Conversations across workspaces, as either of the two looks after them."""

from dataclasses import replace
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from bot.cards import Button, Buttons, Card, Entry, Note, Part, Text
from bot.commands import MEMBER, Context, command
from bot.community import blocking, conduct
from bot.community.relay import cards, hearing, threads
from bot.community.relay.threads import Scene
from bot.domain.escaping import one_line
from bot.errors import Refusal
from bot.i18n import Translator, translator
from bot.parsing import Hidden, Labels
from db import blocks, relay
from db.members import Member
from db.moderation import Report


class Relaying(BaseModel):
    """See, pause or end your conversations with people in other workspaces"""

    act: Annotated[
        Literal["list", "pause", "resume", "end", "block", "unblock", "report", "send"],
        Labels({
            "list": "My conversations",
            "pause": "Pause",
            "resume": "Resume",
            "end": "End",
            "block": "Block",
            "unblock": "Unblock",
            "report": "Report",
            "send": "Send",
        }),
    ] = Field(default="list", title="What to do")  # fmt: skip
    number: int | None = Field(
        default=None, ge=1, le=2_000_000_000, title="Number",
        description="The number of the conversation, as «relay» lists it",
    )  # fmt: skip
    draft: Annotated[int | None, Hidden()] = Field(default=None, ge=1, le=2_000_000_000)
    sure: Annotated[bool, Hidden()] = False


@command("relay", allow=MEMBER, room="daily", writes=True, example="relay pause 3")
async def conversations(ctx: Context, ask: Relaying) -> Card:
    """One's own conversations, and what is done with one of them."""
    if ask.act == "list" or ask.number is None:
        return await _list(ctx)
    view = await _mine(ctx, ask.number)
    match ask.act:
        case "pause":
            return await _pause(view)
        case "resume":
            return await _resume(view)
        case "end":
            return await _end(view) if ask.sure else _ask_end(view)
        case "block":
            return await _block(view)
        case "unblock":
            return await _unblock(view)
        case "report":
            return await _report(view)
        case "send":
            return await _send(view, ask.draft)


async def _mine(ctx: Context, number: int) -> Scene:
    """A conversation of who asks; another one's number reads like a number that never was."""
    talk = await relay.one(ctx.session, number, ctx.member.id)
    if talk is None:
        raise Refusal(
            ctx.t("You have no conversation with the number {number}.", number=number),
            buttons=(Button(ctx.t("My conversations"), "relay"),),
        )
    return await threads.scene(ctx.session, ctx.now, talk, ctx.member)


# --- the list ---------------------------------------------------------------------------------


async def _list(ctx: Context) -> Card:
    t = ctx.t
    talks = await relay.of_member(ctx.session, ctx.member.id)
    views = [await threads.scene(ctx.session, ctx.now, talk, ctx.member) for talk in talks]
    entries = tuple([await _entry(view) for view in views])
    if not entries:
        said = t("You have no conversations with people in other workspaces yet. They begin when "
                 "both of you say yes to an introduction.")  # fmt: skip
        ways = Buttons((Button(t("Find people"), "who-does"),))
        return Card(t("My conversations"), (Text(said), ways))
    return Card(t("My conversations"), entries)


async def _entry(view: Scene) -> Entry:
    t, talk = view.t, view.talk
    if view.other is None:
        return Entry(f"{talk.id} · {t('somebody who left')}", badge=t("over"))
    state, buttons = await _state(view)
    where = cards.author(t, view.other, "")
    return Entry(f"{talk.id} · {where}", badge=state, buttons=buttons)


async def _state(view: Scene) -> tuple[str, tuple[Button, ...]]:
    """How it stands for this side, and what can be done. A block by the other shows nowhere."""
    t, talk = view.t, view.talk
    if view.other and await blocks.has_blocked(view.session, view.me.id, view.other.id):
        return t("blocked"), (Button(t("Unblock"), f"relay unblock {talk.id}"),)
    if talk.status != relay.OPEN:
        return t("over"), ()
    if talk.paused_by(view.me.id):
        return t("paused by you"), (cards.resume(t, talk.id), *_ways_out(view))
    pause = Button(t("Pause"), f"relay pause {talk.id}")
    if talk.paused_by(talk.facing(view.me.id)):
        return t("paused by the other side"), (pause, *_ways_out(view))
    return t("open"), (pause, *_ways_out(view))


def _ways_out(view: Scene) -> tuple[Button, ...]:
    return cards.controls(view.t, view.talk.id).buttons[1:]


# --- what is done with one --------------------------------------------------------------------


def _done(view: Scene, text: str, *buttons: Button) -> Card:
    shown = (Note(text, "good"), *((Buttons(buttons),) if buttons else ()))
    return Card(view.name or view.t("My conversations"), shown)


def _told(view: Scene, card: Card) -> Card:
    """What would be said in the thread, said as an answer."""
    return replace(card, title=view.name or view.t("My conversations"))


async def _pause(view: Scene) -> Card:
    t = view.t
    if view.talk.status != relay.OPEN:
        return _told(view, cards.over(t, view.name))
    if not view.talk.paused_by(view.me.id):
        view.talk.pause(view.me.id, view.now)
    said = t("Paused. Nothing is passed on until you resume it; {name} is told so when they write.",
             name=view.name)  # fmt: skip
    return _done(view, said, cards.resume(t, view.talk.id))


async def _resume(view: Scene) -> Card:
    """Who wrote in vain meanwhile is told that it goes on."""
    t, talk, other = view.t, view.talk, view.other
    if talk.status != relay.OPEN:
        return _told(view, cards.over(t, view.name))
    since = talk.since(view.me.id)
    talk.pause(view.me.id, None)
    if since and other and not talk.paused_by(other.id):
        missed = await relay.withheld_since(view.session, talk.id, other.id, since)
        if missed and not await blocks.is_blocked(view.session, view.me.id, other.id):
            card = cards.goes_on(translator(other.language), one_line(view.me.name))
            await threads.tell_other(view, card, f"relay:{talk.id}:on:{since:%Y%m%d%H%M%S}")
    return _done(view, t("The conversation with {name} goes on.", name=view.name))


def _ask_end(view: Scene) -> Card:
    t = view.t
    said = t("End the conversation with {name} for both of you? {name} is told that it is over.",
             name=view.name)  # fmt: skip
    ways = (
        Button(t("End it"), f"relay end {view.talk.id} sure:yes", "danger"),
        Button(t("Only pause it"), f"relay pause {view.talk.id}"),
    )
    return Card(t("End this conversation?"), (Text(said), Buttons(ways)))


async def _end(view: Scene) -> Card:
    await threads.end(view)
    return _done(view, view.t("The conversation with {name} is over.", name=view.name))


async def _block(view: Scene) -> Card:
    """Nothing passes in either direction from now on; the other side is never told."""
    t = view.t
    if view.other is None:
        return _told(view, cards.unreachable(t, ""))
    await blocking.block_member(view.session, view.now, view.me, view.other)
    said = t("Blocked. Nothing reaches you from {name} any more, here or through introductions, "
             "and {name} is not told.", name=view.name)  # fmt: skip
    ways = (
        Button(t("Unblock"), f"relay unblock {view.talk.id}"),
        Button(t("Report"), f"relay report {view.talk.id}"),
    )
    return _done(view, said, *ways)


async def _unblock(view: Scene) -> Card:
    t = view.t
    if view.other is None:
        return _told(view, cards.unreachable(t, ""))
    await blocking.unblock_member(view.session, view.now, view.me, view.other)
    return _done(view, t("{name} can write to you here again.", name=view.name))


async def _report(view: Scene) -> Card:
    """Into the queue of the staff, who hear of it once, without anything that was written."""
    t, me, other = view.t, view.me, view.other
    if other is None:
        return _told(view, cards.unreachable(t, ""))

    def render_details(theirs: Translator, report: Report) -> tuple[Part, ...]:
        return _report_details(theirs, view, other, report)

    await conduct.report_member(
        view.session, view.now, me, other, f"relay:{view.talk.id}", render_details=render_details
    )
    said = t("Thank you. The staff of the programme look at it and write to you.")
    return _done(view, said, Button(t("Block"), f"relay block {view.talk.id}", "danger"))


def _report_details(t: Translator, view: Scene, other: Member, report: Report) -> tuple[Part, ...]:
    said = t("{one} reported the conversation with {other} (number {number}). What they wrote is "
             "theirs and not shown here; please ask {one} what happened.",
             one=cards.author(t, view.me, ""), other=cards.author(t, other, ""),
             number=view.talk.id)  # fmt: skip
    ways = (
        Button(one_line(view.me.name, 60), f"who-is {view.me.id}"),
        Button(one_line(other.name, 60), f"who-is {other.id}"),
        Button(t("Suspend {name}", name=one_line(other.name, 60)),
               f"admin reports suspend {report.id}", "danger"),
    )  # fmt: skip
    return Text(said), Buttons(ways)


async def _send(view: Scene, number: int | None) -> Card:
    """What was kept because it was not clear whom it was for; it can be sent once."""
    t = view.t
    draft = await relay.take_draft(view.session, number or 0, view.me.id)
    if draft is None:
        raise Refusal(t("That was sent already, or it is too old. Please write it again."))
    said = await hearing.send_draft(view, draft)
    if isinstance(said, Card):
        return _told(view, said)
    return _done(view, t("Sent to {name}.", name=view.name))
