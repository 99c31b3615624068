"""Blocking: end all contact with somebody, who never learns of it."""

from typing import Annotated

from pydantic import BaseModel, Field

from bot.cards import Button, Buttons, Card, Entry, Note, Part, Text
from bot.commands import MEMBER, Context, Spelled, command
from bot.community import blocking
from bot.community.people import finding, portraits
from bot.errors import Refusal
from bot.parsing import Suggestions
from db import blocks
from db.members import Member


class BlockAsk(BaseModel):
    """Stop hearing from someone"""

    person: Annotated[str | None, Suggestions("person")] = Field(
        default=None,
        max_length=80,
        title="Person",
        description="A name or @mention. Leave it empty to see who you've blocked",
    )


@command(
    "block",
    allow=MEMBER,
    room="me",
    spelled=Spelled("bloquear", "bloquear", "bloquer"),
    writes=True,
    example="block @maya",
)
async def block(ctx: Context, ask: BlockAsk) -> Card:
    """Block a person, or list the people the member has blocked.

    A block rules out introductions, relayed messages and pairings between the two.
    """
    if ask.person is None:
        return await _block_list_card(ctx)
    t, other = ctx.t, await finding.find_person(ctx, ask.person)
    if other.id == ctx.member.id:
        raise Refusal(t("You can't block yourself."))
    await blocking.block_member(ctx.session, ctx.now, ctx.member, other)
    undo = Button(t("Undo"), f"unblock {other.id}")
    said = t("You won't hear from {name} anymore. {name} won't know.", name=other.name)
    return Card(
        title=t("Blocked"),
        parts=(Note(said, "good"), Buttons((undo, Button(t("People I blocked"), "block")))),
    )


async def _block_list_card(ctx: Context, note: str = "") -> Card:
    t = ctx.t
    found = await blocks.list_blocked_by(ctx.session, ctx.member.id)
    parts: list[Part] = [Note(note, "good")] if note else []
    if not found:
        parts.append(Text(t("You haven't blocked anyone.")))
    parts += [_blocked_entry(ctx, person) for person in found[:8]]
    return Card(
        title=t("People I blocked"), parts=tuple(parts), footer=portraits.footer(t, found[:8])
    )


def _blocked_entry(ctx: Context, person: Member) -> Entry:
    t = ctx.t
    back = Button(t("Unblock"), f"unblock {person.id}")
    if person.name:
        return portraits.list_entry(ctx, person, extra_buttons=(back,))
    lines = (t("If they come back, they stay blocked."),)
    return Entry(t("Someone who deleted their data"), lines, buttons=(back,))


class Unblock(BaseModel):
    """Let someone reach you again"""

    person: Annotated[str, Suggestions("person")] = Field(
        min_length=1, max_length=80, title="Person", description="A name or @mention"
    )


@command(
    "unblock",
    allow=MEMBER,
    room="me",
    spelled=Spelled("desbloquear", "desbloquear", "debloquer"),
    writes=True,
    example="unblock @maya",
)
async def unblock(ctx: Context, ask: Unblock) -> Card:
    """Take a block back and list those that remain; what the block ended stays ended."""
    t = ctx.t
    blocked = await blocks.list_blocked_by(ctx.session, ctx.member.id)
    # also those whom the directory does not show any more
    numbered = [person for person in blocked if str(person.id) == ask.person]
    other = numbered[0] if numbered else await finding.find_person(ctx, ask.person)
    if await blocking.unblock_member(ctx.session, ctx.now, ctx.member, other):
        name = other.name or t("Someone who deleted their data")
        return await _block_list_card(ctx, t("{name} can reach you again.", name=name))
    return await _block_list_card(ctx)
