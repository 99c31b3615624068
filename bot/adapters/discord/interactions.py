"""One interaction: who asks what, the hub's reply, and the way Discord wants it answered."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import discord
import structlog
from discord import InteractionType as Kind
from discord.app_commands import Choice

from bot.adapters.base import ANSWER_WITHIN, soon
from bot.adapters.discord.commands import (
    find,
    focused,
    matching,
    plain_mentions,
    spoken,
)
from bot.adapters.discord.forms import PART, Forms, draft_of
from bot.adapters.discord.limits import LONGEST_OPTION, MOST_OPTIONS, Json
from bot.adapters.discord.modal import filled_in
from bot.adapters.discord.people import PLATFORM, People
from bot.adapters.discord.render import Press, message, pressed
from bot.adapters.discord.text import cut, one_line
from bot.adapters.discord.views import NOBODY, Drawn, heading_of
from bot.cards import Card, Form, Note, Option, Reply
from bot.errors import Repeated
from bot.i18n import Translator, language_of, translator
from bot.request import Request, Sender, Values

if TYPE_CHECKING:
    from bot.hub import Hub

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Said:
    """A reply with the language it is in; `again`: somebody else answers this event already."""

    reply: Reply
    t: Translator
    again: bool = False


@dataclass(frozen=True, slots=True)
class Turn:
    """One interaction on its way to its answer; `after` are buttons of our own below it."""

    interaction: discord.Interaction
    request: Request
    after: Sequence[Press] = ()

    @property
    def user(self) -> str:
        """Who asks."""
        return self.request.sender.user


@dataclass
class InteractionHandler:
    """Answers commands, presses, forms and completions, each of them in time."""

    hub: "Hub"
    people: People
    within: float = ANSWER_WITHIN
    forms: Forms = field(default_factory=Forms)

    def _request(
        self, interaction: discord.Interaction, words: str, values: Values | None = None
    ) -> Request:
        return Request(
            sender=self.people.sender(interaction),
            words=plain_mentions(words),
            values=values or {},
            channel=str(interaction.channel_id or ""),
            direct=interaction.guild_id is None,
        )

    # --- what ---

    async def hear(self, interaction: discord.Interaction) -> None:
        """Answer one interaction."""
        data: Any = interaction.data or {}
        match interaction.type:
            case Kind.application_command:
                words, values = spoken(data, self.hub.commands)
                await self._answer(Turn(interaction, self._request(interaction, words, values)))
            case Kind.autocomplete:
                await self._complete(interaction, data)
            case Kind.component:
                await self._press(interaction, data)
            case Kind.modal_submit:
                await self._submit(interaction, data)
            case _:
                log.info("unknown interaction", id=interaction.id)

    async def _press(self, interaction: discord.Interaction, data: Any) -> None:
        chosen = data.get("values") or [data.get("custom_id", "")]
        command, mark = pressed(str(chosen[0]))
        turn = Turn(interaction, self._request(interaction, command))
        opens = PART.fullmatch(mark)
        if opens:
            await self._open(turn, int(opens[2]), opens[4])
        elif mark.startswith("send:"):
            await self._send(turn, mark.removeprefix("send:"))
        else:
            await self._answer(turn)

    async def _submit(self, interaction: discord.Interaction, data: Any) -> None:
        """Send what was filled in, or first ask for the rest of a form that needs it whole."""
        command, mark = pressed(str(data.get("custom_id", "")))
        request = self._request(interaction, command)
        found = PART.fullmatch(mark)
        part, of, key = (int(found[2]), int(found[3]), found[4]) if found else (1, 1, "")
        draft = self.forms.drafts.of(key, request.sender.user)
        words = draft.words if draft else command
        verb = find(words, self.hub.commands)
        given = filled_in(data.get("components", ()), verb.arguments if verb else ())
        values = {**(draft.values if draft else {}), **given}
        if not words:
            await self._gone(Turn(interaction, request))
        elif draft and part < of and any(i.required for i in draft.form.inputs):
            card, t, after = self.forms.ask_for_more(draft, values, part)
            await self._show(Turn(interaction, request, after), Said(card, t))
        else:
            sent = self._request(interaction, words, values)
            after = self.forms.rest(draft, command, part, of, request.sender.locale)
            await self._answer(Turn(interaction, _submitted(sent), after))

    async def _send(self, turn: Turn, key: str) -> None:
        """Send a form as far as it is filled in."""
        draft = self.forms.drafts.of(key, turn.user)
        if draft is None:
            await self._open(turn, 1, "")
            return
        sent = self._request(turn.interaction, draft.words, draft.values)
        await self._answer(Turn(turn.interaction, _submitted(sent)))

    async def _open(self, turn: Turn, part: int, key: str) -> None:
        """Open a modal of a form: the kept one, or else the hub's as it would open now."""
        draft = self.forms.drafts.of(key, turn.user)
        if draft:
            await self.forms.show_modal(turn.interaction, draft, part)
        elif not turn.request.words:
            await self._gone(turn)
        else:
            await self._reopen(turn, part)

    async def _reopen(self, turn: Turn, part: int) -> None:
        said, going = await soon(self._form(turn.request), self.within)
        if said is None:
            await turn.interaction.response.defer(ephemeral=True, thinking=True)
            await self._finish(turn, await going)
        elif isinstance(said.reply, Form):
            draft = draft_of(turn.user, turn.request, said.reply, said.t)
            await self.forms.show_modal(turn.interaction, draft, part)
        else:
            await self._show(turn, said)

    async def _form(self, request: Request) -> Said:
        t = await self._language(request.sender)
        try:
            return Said(await self.hub.form(request), t)
        except LookupError:  # the verb is gone since the button was drawn: the hub says so
            return Said(await self.hub(request), t)

    async def _language(self, sender: Sender) -> Translator:
        """The reader's language; while it cannot be asked for, the one of their Discord."""
        try:
            return translator(await self.hub.language(sender))
        except Exception as error:
            log.warning("no language", kind=type(error).__name__)
            return translator(language_of(sender.locale))

    async def _gone(self, turn: Turn) -> None:
        t = await self._language(turn.request.sender)
        text = t("This form is no longer here. Please give the command again.")
        await self._show(turn, Said(Card(t("Too late"), (Note(text, "warning"),)), t))

    # --- the answer ---

    async def _answer(self, turn: Turn) -> None:
        """In time directly, else «thinking…» first."""
        key = f"{PLATFORM}:{turn.interaction.id}"
        said, going = await soon(self.ask(turn.request, key), self.within)
        if said is None:
            await turn.interaction.response.defer(ephemeral=True, thinking=True)
            await self._finish(turn, await going)
        elif not said.again:
            await self._show(turn, said)

    async def ask(self, request: Request, key: str) -> Said:
        """The hub's reply. What changes something is done for one delivery of an event only."""
        t = await self._language(request.sender)
        command = find(request.words, self.hub.commands)
        once = key if command and command.writes else ""
        try:
            return Said(await self.hub(replace(request, event=once)), t)
        except Repeated:
            return Said(Card(""), t, again=True)

    async def _show(self, turn: Turn, said: Said) -> None:
        """The first response."""
        interaction, reply = turn.interaction, said.reply
        if isinstance(reply, Form):
            if interaction.type is not Kind.modal_submit:
                draft = draft_of(turn.user, turn.request, reply, said.t)
                await self.forms.show_modal(interaction, draft)
                return
            reply, turn = self._offered(turn, reply, said.t)
        hidden = reply.private and not turn.request.direct
        body = message(reply, said.t, ephemeral=hidden, after=turn.after)
        if _renews(interaction, body, hidden):
            await interaction.response.edit_message(view=Drawn(body), allowed_mentions=NOBODY)
        else:
            await interaction.response.send_message(
                view=Drawn(body), ephemeral=hidden, allowed_mentions=NOBODY
            )

    async def _finish(self, turn: Turn, said: Said) -> None:
        """The answer after «thinking…»."""
        if said.again:
            await turn.interaction.delete_original_response()
            return
        reply = said.reply
        if isinstance(reply, Form):
            reply, turn = self._offered(turn, reply, said.t)
        body = message(reply, said.t, after=turn.after)
        await turn.interaction.edit_original_response(view=Drawn(body), allowed_mentions=NOBODY)

    def _offered(self, turn: Turn, form: Form, t: Translator) -> tuple[Card, Turn]:
        """A form where no modal may open: a card with the button that opens it."""
        card, press = self.forms.offer(draft_of(turn.user, turn.request, form, t), t)
        return card, replace(turn, after=(press,))

    # --- completion ---

    async def _complete(self, interaction: discord.Interaction, data: Any) -> None:
        """Suggestions, in time or none."""
        found, going = await soon(self._suggestions(interaction, data), self.within)
        if found is None:
            going.cancel()  # type: ignore[attr-defined] # `soon` gives the task it started
        await interaction.response.autocomplete(_choices(found or ()))

    async def _suggestions(self, interaction: discord.Interaction, data: Any) -> Sequence[Option]:
        field = focused(data, self.hub.commands)
        if field is None:
            return ()
        command, argument, typed = field
        request = self._request(interaction, command.name)
        if not argument.suggests:
            t = translator(language_of(request.sender.locale))
            return tuple(matching(argument, typed, t))
        try:
            return await self.hub.suggest(request, command.name, argument.name, typed)
        except Exception as error:
            log.warning("no completion", id=interaction.id, kind=type(error).__name__)
            return ()


def _submitted(request: Request) -> Request:
    return replace(request, submitted=True)


def _renews(interaction: discord.Interaction, body: Json, hidden: bool) -> bool:
    """Is the answer the very card that was pressed, such as its next page? Then it takes its place.

    Any other answer stands below, so that nobody loses the list they were reading.
    """
    shown = interaction.message
    if interaction.type is not Kind.component or shown is None:
        return False
    heading = body["components"][0]["components"][0].get("content", "")
    same = heading.startswith("## ") and heading == heading_of(shown)
    return same and shown.flags.ephemeral == hidden


def _choices(options: Sequence[Option]) -> list[Choice[str]]:
    """What Discord takes: 25 at most, each with a name and a value of at most 100 characters."""
    fitting = [o for o in options if 0 < len(o.value) <= LONGEST_OPTION]
    return [
        Choice(name=cut(one_line(o.label) or o.value, LONGEST_OPTION), value=o.value)
        for o in fitting[:MOST_OPTIONS]
    ]
