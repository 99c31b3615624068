"""My next things: whoever waits for an answer, the next talk, the next round."""

from bot.cards import Part
from bot.commands import Context
from bot.community.introductions import asking
from bot.community.rounds import messages
from bot.community.talks import opening


async def list_next_things(ctx: Context) -> list[Part]:
    """What is next for a member, the most urgent first; each with what one does about it."""
    found = (
        await asking.render_unanswered(ctx),
        await opening.render_next_talk(ctx),
        await messages.render_next_round(ctx),
    )
    return [entry for entry in found if entry]
