"""The directory: the profile of one person."""

from typing import Annotated

from pydantic import BaseModel, Field

from bot.cards import Card, Option
from bot.commands import MEMBER, Context, Spelled, command, completion
from bot.community.people import finding, places, portraits
from bot.domain import phrases
from bot.parsing import Suggestions, shorten
from db import directory


class WhoIs(BaseModel):
    """See a colleague's profile"""

    person: Annotated[str, Suggestions("person")] = Field(
        min_length=1, max_length=80, title="Person", description="A name or @mention"
    )


@command(
    "who-is",
    allow=MEMBER,
    room="daily",
    spelled=Spelled("quien-es", "quem-e", "qui-est"),
    phrases=phrases.WHO_IS,
    example="who-is Maya Chen",
)
async def who_is(ctx: Context, ask: WhoIs) -> Card:
    """Show the profile of one person, or list the people of that name."""
    found = await finding.find_people(ctx, ask.person)
    if len(found) > 1:
        ongoing = await portraits.load_ongoing(ctx, found[:8])
        return Card(
            title=ctx.t("People called «{name}»", name=shorten(ask.person)),
            parts=tuple(portraits.list_entry(ctx, p, ongoing=ongoing) for p in found[:8]),
            footer=portraits.footer(ctx.t, found[:8]),
        )
    return await portraits.profile_card(ctx, found[0])


@completion("person")
async def complete_person(ctx: Context, typed: str) -> list[Option]:
    """Complete people by name, own city first; the value is the id, which tells namesakes apart."""
    if len(typed) < 2:
        return []
    found = await directory.find_by_name(ctx.session, typed, ctx.member, limit=20)
    return [Option(f"{p.name}, {places.workplace(ctx.t, p.city)}"[:75], str(p.id)) for p in found]
