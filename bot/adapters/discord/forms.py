"""Forms that people fill in: opened as modals, five fields at a time, and offered by a button."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import discord

from bot.adapters.discord.drafts import FormDraft, FormDrafts
from bot.adapters.discord.modal import count_parts, modal
from bot.adapters.discord.render import AdapterButton, custom_id
from bot.adapters.discord.views import RawModal
from bot.cards import Card, Fact, Facts, Form, Note, Text
from bot.i18n import Translator, language_of, translator
from bot.request import Request, Values

PART = re.compile(r"(open|form):(\d+):(\d+):([\w-]*)")
"""The mark of a button or a modal of a form: which part of how many, and the draft's key."""


def form_invitation_card(form: Form, t: Translator) -> Card:
    """A form that cannot open by itself: what is wrong with it, or that it is there."""
    wrong = tuple(Fact(given.label, given.problem) for given in form.inputs if given.problem)
    if wrong:
        note = Note(t("Not sent yet. Please look at this again:"), "warning")
        return Card(form.title, (note, Facts(wrong)), tone="warning")
    return Card(form.title, (Text(form.intro or t("There is a form to fill in.")),))


def open_form_button(form: Form, key: str, t: Translator) -> AdapterButton:
    """The button that opens a form's first modal."""
    again = any(given.problem for given in form.inputs)
    label = t("Try again") if again else t("Open the form")
    return AdapterButton(label, form.command, f"open:1:{count_parts(form)}:{key}")


def build_draft(user: str, request: Request, form: Form, t: Translator) -> FormDraft:
    """A form with what was said before it opened, as far as that was said to the same verb."""
    ours = f"{request.words} ".startswith(f"{form.command} ")
    words, values = (request.words, request.values) if ours else (form.command, {})
    return FormDraft(user, form, words, values, t.language)


@dataclass
class Forms:
    """The forms under way; each keeps what its person gave in the parts before."""

    drafts: FormDrafts = field(default_factory=FormDrafts)

    def offer(self, draft: FormDraft, t: Translator) -> tuple[Card, AdapterButton]:
        """A form where no modal may open: a card, and the button that opens it."""
        return form_invitation_card(draft.form, t), open_form_button(
            draft.form, self.drafts.save(draft), t
        )

    def next_part_buttons(
        self, draft: FormDraft | None, command: str, part: int, of: int, locale: str
    ) -> Sequence[AdapterButton]:
        """The button to the next five fields of a form whose fields stand by themselves."""
        if part >= of:
            return ()
        # What was sent already is not sent again with the rest: it must not happen twice.
        key = self.drafts.save(replace(draft, values={})) if draft else ""
        language = draft.language if draft else language_of(locale)
        return (_next_part_button(command, part, of, key, translator(language)),)

    def ask_for_more(
        self, draft: FormDraft, values: Values, part: int
    ) -> tuple[Card, Translator, Sequence[AdapterButton]]:
        """Keep these fields, and offer the next ones or to send what is there."""
        t, form, of = translator(draft.language), draft.form, count_parts(draft.form)
        key = self.drafts.save(replace(draft, values=values))
        said = t("Part {part} of {of} is filled in. Nothing is sent yet.", part=part, of=of)
        after = (
            _next_part_button(form.command, part, of, key, t),
            AdapterButton(form.submit, form.command, f"send:{key}", "normal"),
        )
        return Card(form.title, (Note(said),)), t, after

    async def show_modal(
        self, interaction: discord.Interaction, draft: FormDraft, part: int = 1
    ) -> None:
        """Open the modal of one part of the form as the first response."""
        form, of = draft.form, count_parts(draft.form)
        part = min(max(part, 1), of)
        mark = f"form:{part}:{of}:{self.drafts.save(draft)}"
        t = translator(draft.language)
        body = modal(form, custom_id(form.command, mark), t, part=part)
        await interaction.response.send_modal(RawModal(body))


def _next_part_button(command: str, part: int, of: int, key: str, t: Translator) -> AdapterButton:
    label = t("Continue ({part} of {of})", part=part + 1, of=of)
    return AdapterButton(label, command, f"open:{part + 1}:{of}:{key}")
