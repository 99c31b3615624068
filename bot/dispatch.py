"""The steps from a command's words to its reply, inside the transaction of the request."""

from collections.abc import Mapping, Sequence

from pydantic import ValidationError

from bot.cards import LONGEST_COMMAND, Button, Buttons, Card, Note, Part, Reply
from bot.commands import Command, Context
from bot.errors import Misfit, Refusal
from bot.forms import problems
from bot.i18n import Translator
from bot.parsing import Argument, clean, clean_lines, nearest, short, typed, words_to_values
from bot.request import Values
from db import audit, inbound

Found = tuple[Command, str] | None
"""The command that words begin with, and the rest of them."""


def find_command(commands: Mapping[str, Command], words: str) -> Found:
    """Find the command that the words begin with, and the rest of them; no words mean help."""
    said = clean(words).split(" ")
    for length in (2, 1):
        name = " ".join(said[:length]).casefold() or "help"
        if name in commands:
            return commands[name], _after(clean_lines(words), length)
    return None


def _after(words: str, count: int) -> str:
    """The words behind the first few, line breaks and all."""
    return (words.split(None, count) + [""] * (count + 1))[count]


async def remember_event(ctx: Context) -> bool:
    """Remember the event of a request; False if it was there."""
    event = ctx.request.event
    return not event or await inbound.first_time(ctx.session, event, ctx.now)


async def reply_to(ctx: Context, found: Found) -> Reply:
    """Run the command; a refusal becomes a card and undoes what was done, the event aside."""
    asker = ctx.viewer.id if ctx.viewer else None  # a rollback forgets what was read
    try:
        return await _run(ctx, *found) if found else _unknown(ctx)
    except Refusal as refusal:
        await _undo(ctx)
        if found and refusal.denied:
            audit.note(ctx.session, ctx.now, asker, found[0].name, "command", outcome="refused")
        return _refused(refusal, ctx.t)


async def _undo(ctx: Context) -> None:
    """Nothing of it happened; but the event was answered."""
    await ctx.session.rollback()
    ctx.session.info.pop("owed", None)
    await remember_event(ctx)


async def _run(ctx: Context, found: Command, rest: str) -> Reply:
    if not found.allow.permits(ctx.viewer):
        raise _not_allowed(ctx, found)
    values: dict[str, tuple[str, ...]] = {
        **words_to_values(rest, found.arguments),
        **ctx.request.values,
    }
    shown: Values = values
    if found.as_is and values and not ctx.request.submitted:
        shown = {**await found.as_is(ctx), **values}
    try:
        ask = found.model.model_validate(
            typed(values, found.arguments), by_name=True, by_alias=False
        )
    except ValidationError as error:
        told = set(values) if not ctx.request.submitted else {a.name for a in found.arguments}
        every = problems(error, found.arguments, ctx.t)
        said = {name: text for name, text in every.items() if name in told}
        return found.form(ctx.t, shown, said)
    try:
        return await found.handle(ctx, ask)
    except Misfit as misfit:
        await _undo(ctx)
        return _misfit(ctx, found, values, shown, misfit)


def _not_allowed(ctx: Context, found: Command) -> Refusal:
    t = ctx.t
    if ctx.viewer is None or ctx.viewer.status != "verified":
        return Refusal(
            t("This is for verified members. Join with a code from a colleague, or ask to be let "
              "in; until then, public facts are open to you."),
            title=t("Members only"),
            buttons=(Button(t("Join"), "join", "primary"), Button(t("Help"), "help")),
        )  # fmt: skip
    return Refusal(
        t("«{command}» is for the programme's staff. Ask one of them if you need it.",
          command=found.name),
        title=t("Staff only"),
        buttons=(Button(t("Help"), "help"),),
        denied=True,
    )  # fmt: skip


def _misfit(ctx: Context, found: Command, values: Values, shown: Values, misfit: Misfit) -> Reply:
    """A form again if one was filled in; else the nearest values as buttons."""
    values, shown = {**values, **misfit.read}, {**shown, **misfit.read}
    if ctx.request.submitted or not misfit.choices:
        near = " · ".join(choice.label for choice in misfit.choices[:3])
        hint = " " + ctx.t("Did you mean «{choice}»?", choice=near) if near else ""
        said = {misfit.name: misfit.text + hint}
        return found.form(ctx.t, shown, said)
    pressed = []
    for choice in misfit.choices:
        words = f"{found.name} {_spoken({**values, misfit.name: (choice.value,)}, found.arguments)}"
        if len(words) <= LONGEST_COMMAND:
            pressed.append(Button(choice.label, words))
    return _refused(Refusal(misfit.text, misfit.title, (*pressed, *misfit.buttons)), ctx.t)


def _spoken(values: Values, arguments: Sequence[Argument]) -> str:
    """Values as the words that would say them."""
    said = []
    for index, argument in enumerate(arguments):
        text = ",".join(values.get(argument.name, ()))
        if text and index == 0:
            said.append(f'"{text}"' if argument.word and " " in text else text)
        elif text:
            said.append(
                f'{argument.spelling}:"{text}"' if " " in text else f"{argument.spelling}:{text}"
            )
    return " ".join(said)


def _unknown(ctx: Context) -> Card:
    said = clean(ctx.request.words)
    allowed = [n for n, c in ctx.commands.items() if c.allow.permits(ctx.viewer)]
    verb = said.partition(" ")[0]
    near = {name: _after(said, length) for length in (2, 1) for name in nearest(
        " ".join(said.split(" ")[:length]), [n for n in allowed if n.count(" ") == length - 1]
    )}  # fmt: skip
    meant = [(name, f"{name} {rest}".strip()) for name, rest in near.items()]
    buttons = [Button(name, words) for name, words in meant if len(words) <= LONGEST_COMMAND][:3]
    text = ctx.t("I do not know the command «{verb}».", verb=short(verb))
    if buttons:
        text += " " + ctx.t("Did you mean one of these?")
    if "help" not in near:
        buttons.append(Button(ctx.t("Help"), "help"))
    return _refused(Refusal(text, buttons=tuple(buttons)), ctx.t)


def _refused(refusal: Refusal, t: Translator) -> Card:
    parts: tuple[Part, ...] = (Note(refusal.text, "warning"),)
    if refusal.buttons:
        parts += (Buttons(refusal.buttons),)
    return Card(title=refusal.title or t("Not quite"), parts=parts, tone="warning")
