"""Answer interactions: who asks what, the hub's reply, and the response Discord expects."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import discord
import structlog
from discord import InteractionType as Kind
from discord.app_commands import Choice

from bot.adapters.base import ANSWER_TIMEOUT, wait_briefly
from bot.adapters.discord.commands import (
    find_focused_field,
    list_matching_options,
    normalize_mentions,
    parse_command,
)
from bot.adapters.discord.forms import PART, Forms, build_draft
from bot.adapters.discord.limits import MAX_OPTION, MAX_OPTIONS, Json
from bot.adapters.discord.modal import parse_submission
from bot.adapters.discord.names import CommandNames
from bot.adapters.discord.people import PLATFORM, People
from bot.adapters.discord.render import AdapterButton, message, parse_custom_id
from bot.adapters.discord.text import one_line, shorten
from bot.adapters.discord.views import NO_MENTIONS, RawLayoutView, first_text_of
from bot.cards import Card, Form, Note, Option, Reply
from bot.errors import DuplicateEventError
from bot.i18n import Translator, language_of, translator
from bot.request import Request, Sender, Values
from bot.verbs import find_command

if TYPE_CHECKING:
    from bot.hub import Hub

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class LocalizedReply:
    """A reply and its translator; `is_duplicate`: another delivery of this event is answered."""

    reply: Reply
    t: Translator
    is_duplicate: bool = False


@dataclass(frozen=True, slots=True)
class InteractionContext:
    """One interaction and its request; `extra_buttons` of the adapter go below the answer."""

    interaction: discord.Interaction
    request: Request
    extra_buttons: Sequence[AdapterButton] = ()

    @property
    def user(self) -> str:
        """Return the id of the account that asks."""
        return self.request.sender.user


@dataclass
class InteractionHandler:
    """Answers commands, presses, forms and completions, each within Discord's deadline."""

    hub: "Hub"
    people: People
    answer_timeout: float = ANSWER_TIMEOUT
    forms: Forms = field(default_factory=Forms)

    @cached_property
    def _names(self) -> CommandNames:
        """The names of the hub's commands, which are the same as long as it runs."""
        return CommandNames(self.hub.commands)

    def _request(
        self, interaction: discord.Interaction, words: str, values: Values | None = None
    ) -> Request:
        return Request(
            sender=self.people.sender(interaction),
            words=normalize_mentions(words),
            values=values or {},
            channel=str(interaction.channel_id or ""),
            direct=interaction.guild_id is None,
        )

    # --- dispatch ---

    async def handle_interaction(self, interaction: discord.Interaction) -> None:
        """Answer one interaction, according to its type."""
        data: Any = interaction.data or {}
        match interaction.type:
            case Kind.application_command:
                words, values = parse_command(data, self._names)
                await self._answer(
                    InteractionContext(interaction, self._request(interaction, words, values))
                )
            case Kind.autocomplete:
                await self._handle_autocomplete(interaction, data)
            case Kind.component:
                await self._handle_component(interaction, data)
            case Kind.modal_submit:
                await self._handle_modal_submit(interaction, data)
            case _:
                log.info("unknown interaction", id=interaction.id)

    async def _handle_component(self, interaction: discord.Interaction, data: Any) -> None:
        chosen = data.get("values") or [data.get("custom_id", "")]
        command, mark = parse_custom_id(str(chosen[0]))
        turn = InteractionContext(interaction, self._request(interaction, command))
        opens = PART.fullmatch(mark)
        if opens:
            await self._open_form(turn, int(opens[2]), opens[4])
        elif mark.startswith("send:"):
            await self._submit_draft(turn, mark.removeprefix("send:"))
        else:
            await self._answer(turn)

    async def _handle_modal_submit(self, interaction: discord.Interaction, data: Any) -> None:
        """Submit what was filled in, or first ask for the rest of a form with required fields."""
        command, mark = parse_custom_id(str(data.get("custom_id", "")))
        request = self._request(interaction, command)
        found = PART.fullmatch(mark)
        part, of, key = (int(found[2]), int(found[3]), found[4]) if found else (1, 1, "")
        draft = self.forms.drafts.find(key, request.sender.user)
        words = draft.words if draft else command
        verb = find_command(self.hub.commands, words)
        given = parse_submission(data.get("components", ()), verb[0].arguments if verb else ())
        values = {**(draft.values if draft else {}), **given}
        if not words:
            await self._show_form_expired(InteractionContext(interaction, request))
        elif draft and part < of and any(i.required for i in draft.form.inputs):
            card, t, after = self.forms.ask_for_more(draft, values, part)
            await self._respond(
                InteractionContext(interaction, request, after), LocalizedReply(card, t)
            )
        else:
            sent = self._request(interaction, words, values)
            after = self.forms.next_part_buttons(draft, command, part, of, request.sender.locale)
            await self._answer(InteractionContext(interaction, _as_submission(sent), after))

    async def _submit_draft(self, turn: InteractionContext, key: str) -> None:
        """Submit a form as far as it is filled in."""
        draft = self.forms.drafts.find(key, turn.user)
        if draft is None:
            await self._open_form(turn, 1, "")
            return
        sent = self._request(turn.interaction, draft.words, draft.values)
        await self._answer(InteractionContext(turn.interaction, _as_submission(sent)))

    async def _open_form(self, turn: InteractionContext, part: int, key: str) -> None:
        """Open a modal of the draft, or else of the form as the hub would open it now."""
        draft = self.forms.drafts.find(key, turn.user)
        if draft:
            await self.forms.show_modal(turn.interaction, draft, part)
        elif not turn.request.words:
            await self._show_form_expired(turn)
        else:
            await self._open_fresh_form(turn, part)

    async def _open_fresh_form(self, turn: InteractionContext, part: int) -> None:
        said, going = await wait_briefly(self._load_form(turn.request), self.answer_timeout)
        if said is None:
            await turn.interaction.response.defer(ephemeral=True, thinking=True)
            await self._finish_deferred(turn, await going)
        elif isinstance(said.reply, Form):
            draft = build_draft(turn.user, turn.request, said.reply, said.t)
            await self.forms.show_modal(turn.interaction, draft, part)
        else:
            await self._respond(turn, said)

    async def _load_form(self, request: Request) -> LocalizedReply:
        t = await self._load_translator(request.sender)
        try:
            return LocalizedReply(await self.hub.form(request), t)
        except LookupError:  # the verb was removed after the button was rendered: the hub says so
            return LocalizedReply(await self.hub(request), t)

    async def _load_translator(self, sender: Sender) -> Translator:
        """Return the reader's translator; if the hub cannot tell it, the one of their Discord."""
        try:
            return translator(await self.hub.language(sender))
        except Exception as error:
            log.warning("no language", kind=type(error).__name__)
            return translator(language_of(sender.locale))

    async def _show_form_expired(self, turn: InteractionContext) -> None:
        t = await self._load_translator(turn.request.sender)
        text = t("This form is gone. Please run the command again.")
        await self._respond(turn, LocalizedReply(Card(t("Too late"), (Note(text, "warning"),)), t))

    # --- responses ---

    async def _answer(self, turn: InteractionContext) -> None:
        """Respond directly if the hub answers in time; otherwise show «thinking…» first."""
        key = f"{PLATFORM}:{turn.interaction.id}"
        said, going = await wait_briefly(self.ask(turn.request, key), self.answer_timeout)
        if said is None:
            await turn.interaction.response.defer(ephemeral=True, thinking=True)
            await self._finish_deferred(turn, await going)
        elif not said.is_duplicate:
            await self._respond(turn, said)

    async def ask(self, request: Request, key: str) -> LocalizedReply:
        """Return the hub's reply; a command that writes runs only once for each event `key`."""
        t = await self._load_translator(request.sender)
        command = find_command(self.hub.commands, request.words)
        once = key if command and command[0].writes else ""
        try:
            return LocalizedReply(await self.hub(replace(request, event=once)), t)
        except DuplicateEventError:
            return LocalizedReply(Card(""), t, is_duplicate=True)

    async def _respond(self, turn: InteractionContext, said: LocalizedReply) -> None:
        """Send the reply as the first response: a modal, an edited card, or a new one."""
        interaction, reply = turn.interaction, said.reply
        if isinstance(reply, Form):
            if interaction.type is not Kind.modal_submit:
                draft = build_draft(turn.user, turn.request, reply, said.t)
                await self.forms.show_modal(interaction, draft)
                return
            reply, turn = self._offer_form(turn, reply, said.t)
        hidden = reply.private and not turn.request.direct
        body = message(reply, said.t, ephemeral=hidden, extra_buttons=turn.extra_buttons)
        if _is_same_card(interaction, body, hidden):
            await interaction.response.edit_message(
                view=RawLayoutView(body), allowed_mentions=NO_MENTIONS
            )
        else:
            await interaction.response.send_message(
                view=RawLayoutView(body), ephemeral=hidden, allowed_mentions=NO_MENTIONS
            )

    async def _finish_deferred(self, turn: InteractionContext, said: LocalizedReply) -> None:
        """Replace «thinking…» by the answer."""
        if said.is_duplicate:
            await turn.interaction.delete_original_response()
            return
        reply = said.reply
        if isinstance(reply, Form):
            reply, turn = self._offer_form(turn, reply, said.t)
        body = message(reply, said.t, extra_buttons=turn.extra_buttons)
        await turn.interaction.edit_original_response(
            view=RawLayoutView(body), allowed_mentions=NO_MENTIONS
        )

    def _offer_form(
        self, turn: InteractionContext, form: Form, t: Translator
    ) -> tuple[Card, InteractionContext]:
        """Return a card with the button that opens the form, for where no modal may open."""
        card, press = self.forms.offer(build_draft(turn.user, turn.request, form, t), t)
        return card, replace(turn, extra_buttons=(press,))

    # --- completion ---

    async def _handle_autocomplete(self, interaction: discord.Interaction, data: Any) -> None:
        """Respond with suggestions, or with none if they are not there in time."""
        found, going = await wait_briefly(
            self._load_suggestions(interaction, data), self.answer_timeout
        )
        if found is None:
            going.cancel()  # type: ignore[attr-defined] # `wait_briefly` returns its task
        await interaction.response.autocomplete(_choices(found or ()))

    async def _load_suggestions(
        self, interaction: discord.Interaction, data: Any
    ) -> Sequence[Option]:
        field = find_focused_field(data, self._names)
        if field is None:
            return ()
        command, argument, typed = field
        request = self._request(interaction, command.name)
        if not argument.suggests:
            t = translator(language_of(request.sender.locale))
            return tuple(list_matching_options(argument, typed, t))
        try:
            return await self.hub.suggest(request, command.name, argument.name, typed)
        except Exception as error:
            log.warning("no completion", id=interaction.id, kind=type(error).__name__)
            return ()


def _as_submission(request: Request) -> Request:
    return replace(request, from_form=True)


def _is_same_card(interaction: discord.Interaction, body: Json, hidden: bool) -> bool:
    """Return whether the answer renews the pressed card, for example with its next page.

    Such an answer replaces the card. Any other stands below it, so that nobody loses the list
    they were reading.
    """
    shown = interaction.message
    if interaction.type is not Kind.component or shown is None:
        return False
    heading = body["components"][0]["components"][0].get("content", "")
    same = heading.startswith("## ") and heading == first_text_of(shown)
    return same and shown.flags.ephemeral == hidden


def _choices(options: Sequence[Option]) -> list[Choice[str]]:
    """Return the choices Discord accepts: at most 25, names and values up to 100 characters."""
    fitting = [o for o in options if 0 < len(o.value) <= MAX_OPTION]
    return [
        Choice(name=shorten(one_line(o.label) or o.value, MAX_OPTION), value=o.value)
        for o in fitting[:MAX_OPTIONS]
    ]
