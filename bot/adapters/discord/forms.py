"""Forms that people fill in: opened as modals, five fields at a time, and offered by a button."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import discord

from bot.adapters.discord.drafts import Draft, Drafts
from bot.adapters.discord.modal import modal, parts
from bot.adapters.discord.render import Press, custom_id
from bot.adapters.discord.views import DrawnModal
from bot.cards import Card, Fact, Facts, Form, Note, Text
from bot.i18n import Translator, language_of, translator
from bot.request import Request, Values

PART = re.compile(r"(open|form):(\d+):(\d+):([\w-]*)")
"""The mark of a button or a modal of a form: which part of how many, and the draft's key."""


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


def draft_of(user: str, request: Request, form: Form, t: Translator) -> Draft:
    """A form with what was said before it opened, as far as that was said to the same verb."""
    ours = f"{request.words} ".startswith(f"{form.command} ")
    words, values = (request.words, request.values) if ours else (form.command, {})
    return Draft(user, form, words, values, t.language)


@dataclass
class Forms:
    """The forms under way; each keeps what its person gave in the parts before."""

    drafts: Drafts = field(default_factory=Drafts)

    def offer(self, draft: Draft, t: Translator) -> tuple[Card, Press]:
        """A form where no modal may open: a card, and the button that opens it."""
        return card_of(draft.form, t), opener(draft.form, self.drafts.keep(draft), t)

    def rest(
        self, draft: Draft | None, command: str, part: int, of: int, locale: str
    ) -> Sequence[Press]:
        """The button to the next five fields of a form whose fields stand by themselves."""
        if part >= of:
            return ()
        # What was sent already is not sent again with the rest: it must not happen twice.
        key = self.drafts.keep(replace(draft, values={})) if draft else ""
        language = draft.language if draft else language_of(locale)
        return (_next(command, part, of, key, translator(language)),)

    def ask_for_more(
        self, draft: Draft, values: Values, part: int
    ) -> tuple[Card, Translator, Sequence[Press]]:
        """Keep these fields, and offer the next ones or to send what is there."""
        t, form, of = translator(draft.language), draft.form, parts(draft.form)
        key = self.drafts.keep(replace(draft, values=values))
        said = t("Part {part} of {of} is filled in. Nothing is sent yet.", part=part, of=of)
        after = (
            _next(form.command, part, of, key, t),
            Press(form.submit, form.command, f"send:{key}", "normal"),
        )
        return Card(form.title, (Note(said),)), t, after

    async def show_modal(
        self, interaction: discord.Interaction, draft: Draft, part: int = 1
    ) -> None:
        """Open the modal of one part of the form as the first response."""
        form, of = draft.form, parts(draft.form)
        part = min(max(part, 1), of)
        mark = f"form:{part}:{of}:{self.drafts.keep(draft)}"
        t = translator(draft.language)
        body = modal(form, custom_id(form.command, mark), t, part=part)
        await interaction.response.send_modal(DrawnModal(body))


def _next(command: str, part: int, of: int, key: str, t: Translator) -> Press:
    label = t("Continue ({part} of {of})", part=part + 1, of=of)
    return Press(label, command, f"open:{part + 1}:{of}:{key}")
