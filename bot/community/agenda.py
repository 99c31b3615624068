"""A member's next things: unanswered introductions, the next talk, the next round."""

from bot.cards import Part
from bot.commands import Context
from bot.community.introductions import asking
from bot.community.rounds import messages
from bot.community.talks import times


async def list_next_things(ctx: Context) -> list[Part]:
    """List what is next for the member, the most urgent first, each with a button to act on it."""
    found = (
        await asking.render_unanswered(ctx),
        await times.render_next_talk(ctx),
        await messages.render_next_round(ctx),
    )
    return [entry for entry in found if entry]
