"""One interaction: who asks what, the hub's reply, and the way Discord wants it answered."""

import re
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
from bot.adapters.discord.drafts import Draft, Drafts, Recent
from bot.adapters.discord.hearing import LABEL
from bot.adapters.discord.limits import LONGEST_OPTION, MOST_OPTIONS, Json
from bot.adapters.discord.modal import filled_in, modal, parts
from bot.adapters.discord.render import Press, custom_id, message, pressed
from bot.adapters.discord.text import cut, one_line
from bot.adapters.discord.views import NOBODY, Drawn, DrawnModal, heading_of
from bot.cards import Card, Fact, Facts, Form, Note, Option, Reply, Text
from bot.errors import Repeated
from bot.i18n import Translator, language_of, translator
from bot.request import Request, Sender, Values

if TYPE_CHECKING:
    from bot.hub import Hub

log = structlog.get_logger()

PLATFORM = "discord"
_MARK = re.compile(r"(open|form):(\d+):(\d+):([\w-]*)")


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


def card_of(form: Form, t: Translator) -> Card:
    """A form that cannot open by itself: what is wrong with it, or that it is there."""
    wrong = tuple(Fact(given.label, given.problem) for given in form.inputs if given.problem)
    if wrong:
        note = Note(t("Not sent yet. Please look at this again:"), "warning")
        return Card(form.title, (note, Facts(wrong)), tone="warning")
    return Card(form.title, (Text(form.intro or t("There is a form to fill in.")),))


def opener(form: Form, key: str, t: Translator) -> Press:
    """The button that opens a form's first modal."""
    again = any(given.problem for given in form.inputs)
    label = t("Try again") if again else t("Open the form")
    return Press(label, form.command, f"open:1:{parts(form)}:{key}")


@dataclass
class Talk:
    """Everything that people do with the bot, each thing answered in time."""

    hub: "Hub"
    within: float = ANSWER_WITHIN
    drafts: Drafts = field(default_factory=Drafts)
    homes: Recent[str, tuple[str, str]] = field(default_factory=Recent)
    """Where each person spoke last, and in which language: direct messages do not say."""

    # --- who ---

    def sender(self, interaction: discord.Interaction) -> Sender:
        """The account that acts, in its server; in direct messages in the one it was last in."""
        user, locale = interaction.user, str(interaction.locale)
        workspace = str(interaction.guild_id or "") or self._home(user.id)[0]
        self.homes.put(str(user.id), (workspace, locale))
        return self._account(user, workspace, locale)

    def author(self, user: discord.User | discord.Member) -> Sender:
        """The account that writes directly to the bot: in the server it was last in."""
        return self._account(user, *self._home(user.id))

    def account(self, user: int) -> Sender:
        """The same, known by its number alone."""
        workspace, locale = self._home(user)
        return Sender(PLATFORM, workspace, str(user), locale=locale, label=LABEL)

    def _account(self, user: discord.User | discord.Member, workspace: str, locale: str) -> Sender:
        name = one_line(user.display_name)
        return Sender(
            PLATFORM, workspace, str(user.id), name, locale, stranger=user.bot, label=LABEL
        )

    def _home(self, user: int) -> tuple[str, str]:
        return self.homes.get(str(user)) or ("", "")

    def _request(
        self, interaction: discord.Interaction, words: str, values: Values | None = None
    ) -> Request:
        return Request(
            sender=self.sender(interaction),
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
        opens = _MARK.fullmatch(mark)
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
        found = _MARK.fullmatch(mark)
        part, of, key = (int(found[2]), int(found[3]), found[4]) if found else (1, 1, "")
        draft = self.drafts.of(key, request.sender.user)
        words = draft.words if draft else command
        verb = find(words, self.hub.commands)
        given = filled_in(data.get("components", ()), verb.arguments if verb else ())
        values = {**(draft.values if draft else {}), **given}
        if not words:
            await self._gone(Turn(interaction, request))
        elif draft and part < of and any(i.required for i in draft.form.inputs):
            await self._more(Turn(interaction, request), draft, values, part)
        else:
            sent = self._request(interaction, words, values)
            after = self._rest(draft, command, part, of, request.sender)
            await self._answer(Turn(interaction, _submitted(sent), after))

    def _rest(
        self, draft: Draft | None, command: str, part: int, of: int, sender: Sender
    ) -> Sequence[Press]:
        """The button to the next five fields of a form whose fields stand by themselves."""
        if part >= of:
            return ()
        # What was sent already is not sent again with the rest: it must not happen twice.
        key = self.drafts.keep(replace(draft, values={})) if draft else ""
        language = draft.language if draft else language_of(sender.locale)
        return (_next(command, part, of, key, translator(language)),)

    async def _more(self, turn: Turn, draft: Draft, values: Values, part: int) -> None:
        """Keep these fields, and offer the next ones or to send what is there."""
        t, form, of = translator(draft.language), draft.form, parts(draft.form)
        key = self.drafts.keep(replace(draft, values=values))
        said = t("Part {part} of {of} is filled in. Nothing is sent yet.", part=part, of=of)
        after = (
            _next(form.command, part, of, key, t),
            Press(form.submit, form.command, f"send:{key}", "normal"),
        )
        card = Card(form.title, (Note(said),))
        await self._show(replace(turn, after=after), Said(card, t))

    async def _send(self, turn: Turn, key: str) -> None:
        """Send a form as far as it is filled in."""
        draft = self.drafts.of(key, turn.user)
        if draft is None:
            await self._open(turn, 1, "")
            return
        sent = self._request(turn.interaction, draft.words, draft.values)
        await self._answer(Turn(turn.interaction, _submitted(sent)))

    async def _open(self, turn: Turn, part: int, key: str) -> None:
        """Open a modal of a form: the kept one, or else the hub's as it would open now."""
        draft = self.drafts.of(key, turn.user)
        if draft:
            await self._show_modal(turn, draft, part)
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
            await self._show_modal(turn, _draft(turn.user, turn.request, said.reply, said.t), part)
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
                await self._show_modal(turn, _draft(turn.user, turn.request, reply, said.t))
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
        key = self.drafts.keep(_draft(turn.user, turn.request, form, t))
        return card_of(form, t), replace(turn, after=(opener(form, key, t),))

    async def _show_modal(self, turn: Turn, draft: Draft, part: int = 1) -> None:
        form, of = draft.form, parts(draft.form)
        part = min(max(part, 1), of)
        mark = f"form:{part}:{of}:{self.drafts.keep(draft)}"
        t = translator(draft.language)
        body = modal(form, custom_id(form.command, mark), t, part=part)
        await turn.interaction.response.send_modal(DrawnModal(body))

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

    # --- direct messages ---

    async def read(self, written: discord.Message) -> None:
        """Words written to the bot are a command, answered where they were written."""
        request = Request(
            sender=self.author(written.author),
            words=plain_mentions(re.sub(r"^\s*/?wwc\b", "", written.content)).strip(),
            channel=str(written.channel.id),
            direct=True,
        )
        said = await self.ask(request, f"{PLATFORM}:m{written.id}")
        if said.again:
            return
        user = request.sender.user
        reply, after = said.reply, list[Press]()
        if isinstance(reply, Form):
            key = self.drafts.keep(_draft(user, request, reply, said.t))
            after = [opener(reply, key, said.t)]
            reply = card_of(reply, said.t)
        body = message(reply, said.t, after=after)
        await written.channel.send(
            view=Drawn(body), nonce=f"m{written.id}", allowed_mentions=NOBODY
        )


def _submitted(request: Request) -> Request:
    return replace(request, submitted=True)


def _draft(user: str, request: Request, form: Form, t: Translator) -> Draft:
    """A form with what was said before it opened, as far as that was said to the same verb."""
    ours = f"{request.words} ".startswith(f"{form.command} ")
    words, values = (request.words, request.values) if ours else (form.command, {})
    return Draft(user, form, words, values, t.language)


def _next(command: str, part: int, of: int, key: str, t: Translator) -> Press:
    label = t("Continue ({part} of {of})", part=part + 1, of=of)
    return Press(label, command, f"open:{part + 1}:{of}:{key}")


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
