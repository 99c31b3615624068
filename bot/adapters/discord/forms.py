"""Show forms as modals, five fields at a time, or offer them by a button."""

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
"""The mark of a form's button or modal: action, part, number of parts, and the draft's key."""


def form_invitation_card(form: Form, t: Translator) -> Card:
    """Return a card for a form that cannot open by itself: its problems, or its introduction."""
    wrong = tuple(Fact(given.label, given.problem) for given in form.inputs if given.problem)
    if wrong:
        note = Note(t("Not sent yet. Please look at this again:"), "warning")
        return Card(form.title, (note, Facts(wrong)), tone="warning")
    return Card(form.title, (Text(form.intro or t("There's a form to fill in.")),))


def open_form_button(form: Form, key: str, t: Translator) -> AdapterButton:
    """Return the button that opens the form's first modal."""
    again = any(given.problem for given in form.inputs)
    label = t("Try again") if again else t("Open the form")
    return AdapterButton(label, form.command, f"open:1:{count_parts(form)}:{key}")


def build_draft(user: str, request: Request, form: Form, t: Translator) -> FormDraft:
    """Return a draft with the words and values of the request, if it was for the form's command."""
    ours = f"{request.words} ".startswith(f"{form.command} ")
    words, values = (request.words, request.values) if ours else (form.command, {})
    return FormDraft(user, form, words, values, t.language)


@dataclass
class Forms:
    """The forms in progress; their drafts keep the values of earlier parts."""

    drafts: FormDrafts = field(default_factory=FormDrafts)

    def offer(self, draft: FormDraft, t: Translator) -> tuple[Card, AdapterButton]:
        """Return a card and the button that opens the form, for where no modal may open."""
        return form_invitation_card(draft.form, t), open_form_button(
            draft.form, self.drafts.save(draft), t
        )

    def next_part_buttons(
        self, draft: FormDraft | None, command: str, part: int, of: int, locale: str
    ) -> Sequence[AdapterButton]:
        """Return the button to the next part of a form whose parts are sent one by one.

        Return nothing after the last part.
        """
        if part >= of:
            return ()
        # Values that were sent already are dropped: their effect must not happen twice.
        key = self.drafts.save(replace(draft, values={})) if draft else ""
        language = draft.language if draft else language_of(locale)
        return (_next_part_button(command, part, of, key, translator(language)),)

    def ask_for_more(
        self, draft: FormDraft, values: Values, part: int
    ) -> tuple[Card, Translator, Sequence[AdapterButton]]:
        """Save these values; return a card and buttons to go on or to send what is there."""
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
        """Open the modal of one part of the form, counted from 1, as the first response."""
        form, of = draft.form, count_parts(draft.form)
        part = min(max(part, 1), of)
        mark = f"form:{part}:{of}:{self.drafts.save(draft)}"
        t = translator(draft.language)
        body = modal(form, custom_id(form.command, mark), t, part=part)
        await interaction.response.send_modal(RawModal(body))


def _next_part_button(command: str, part: int, of: int, key: str, t: Translator) -> AdapterButton:
    label = t("Continue ({part} of {of})", part=part + 1, of=of)
    return AdapterButton(label, command, f"open:{part + 1}:{of}:{key}")
