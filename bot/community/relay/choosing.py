"""Which of a member's conversations is meant: by number, by name, or the only one there is."""

from collections.abc import Sequence

from bot.cards import Button, Option
from bot.commands import Context
from bot.community.people import finding
from bot.community.relay import threads
from bot.community.relay.threads import ConversationView
from bot.domain.escaping import one_line
from bot.errors import InvalidArgumentError, Refusal
from bot.parsing import shorten
from db import relay
from db.text import fold_text


async def choose_conversation(ctx: Context, which: str | None, act: str) -> ConversationView:
    """Return the asker's conversation of this number or name; without either, the only open one.

    Several are a choice (`InvalidArgumentError`). Raises the same Refusal for other people's
    conversations as for a number that does not exist.
    """
    if which and finding.is_number(which):
        talk = await relay.load_relay(ctx.session, int(which), ctx.member.id)
        if talk is None:
            raise _no_conversation_refusal(
                ctx, ctx.t("You don't have a conversation number {number}.", number=int(which))
            )
        return await threads.load_view(ctx.session, ctx.now, talk, ctx.member)
    views = await _list_views(ctx, act)
    if which:
        wanted = fold_text(which.lstrip("@")).split()
        views = [v for v in views if all(word in fold_text(v.other_name) for word in wanted)]
    if len(views) == 1:
        return views[0]
    if views:
        raise InvalidArgumentError(
            ctx.t("Which conversation do you mean?"),
            name="number",
            choices=tuple(Option(one_line(v.other_name, 60), str(v.talk.id)) for v in views[:5]),
        )
    if which:
        said = ctx.t("You have no open conversation with «{name}».", name=shorten(which))
        raise _no_conversation_refusal(ctx, said)
    raise _no_conversation_refusal(ctx, ctx.t("You have no open conversation."))


async def _list_views(ctx: Context, act: str) -> Sequence[ConversationView]:
    """Return the open conversations to which the act applies, newest first."""
    found = await relay.list_relays(ctx.session, ctx.member.id, only_open=True)
    if act == "resume":
        found = [talk for talk in found if talk.is_paused_by(ctx.member.id)] or found
    views = [await threads.load_view(ctx.session, ctx.now, talk, ctx.member) for talk in found]
    return [view for view in views if view.other]


def _no_conversation_refusal(ctx: Context, said: str) -> Refusal:
    return Refusal(said, buttons=(Button(ctx.t("My conversations"), "relay"),))
