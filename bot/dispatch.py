"""The steps from a command's words to its reply, inside the transaction of the request."""

from collections.abc import Sequence

from pydantic import ValidationError

from bot.cards import MAX_COMMAND_LENGTH, Button, Buttons, Card, Note, Part, Reply
from bot.commands import Command, CommandMatch, Context
from bot.errors import InvalidArgumentError, Refusal
from bot.forms import describe_problems
from bot.i18n import Translator
from bot.parsing import (
    Argument,
    clean_text,
    coerce_values,
    find_nearest,
    parse_words,
    shorten,
    skip_words,
)
from bot.request import Values
from db import audit, inbound
from db.base import begin_writing


async def remember_event(ctx: Context) -> bool:
    """Record the event of a request; return False if it was recorded before."""
    event = ctx.request.event
    return not event or await inbound.remember_event(ctx.session, event, ctx.now)


async def reply_to(ctx: Context, found: CommandMatch) -> Reply:
    """Run the command and return its reply.

    A refusal becomes a card and rolls back what was done, but not the event. A forbidden act is
    written to the audit log.
    """
    asker = ctx.viewer.id if ctx.viewer else None  # read now: a rollback expires it
    try:
        return await _run_command(ctx, *found) if found else _render_unknown_command(ctx)
    except Refusal as refusal:
        await _roll_back(ctx, writes=refusal.is_forbidden)
        if found and refusal.is_forbidden:
            audit.record_act(
                ctx.session, ctx.now, asker, found[0].name, "command", outcome="refused"
            )
        return _render_refusal(refusal, ctx.t)


async def _roll_back(ctx: Context, *, writes: bool = False) -> None:
    """Undo what the command did, and record the event again, since it is answered.

    `writes`: the caller writes something else in the transaction that begins here.
    """
    await ctx.session.rollback()
    ctx.session.info.pop("enqueued", None)
    if writes or ctx.request.event:
        await begin_writing(ctx.session)
    await remember_event(ctx)


async def _run_command(ctx: Context, found: Command, rest: str) -> Reply:
    """Validate the values and run the handler; return the form where they are invalid."""
    if not found.allow.permits(ctx.viewer):
        raise _permission_refusal(ctx, found)
    values: dict[str, tuple[str, ...]] = {
        **parse_words(rest, found.arguments),
        **ctx.request.values,
    }
    shown: Values = values
    if found.current_values and values and not ctx.request.from_form:
        shown = {**await found.current_values(ctx), **values}
    try:
        ask = found.model.model_validate(
            coerce_values(values, found.arguments), by_name=True, by_alias=False
        )
    except ValidationError as error:
        told = set(values) if not ctx.request.from_form else {a.name for a in found.arguments}
        every = describe_problems(error, found.arguments, ctx.t)
        said = {name: text for name, text in every.items() if name in told}
        return found.form(ctx.t, shown, said)
    try:
        return await found.handle(ctx, ask)
    except InvalidArgumentError as misfit:
        await _roll_back(ctx)
        return _render_invalid_argument(ctx, found, values, shown, misfit)


def _permission_refusal(ctx: Context, found: Command) -> Refusal:
    t = ctx.t
    if ctx.viewer is None or ctx.viewer.status != "verified":
        return Refusal(
            t(
                "This is for verified members. Join with a code from a colleague, or ask to join; "
                "until then, you can see public facts."
            ),
            title=t("Members only"),
            buttons=(Button(t("Join"), "join", "primary"), Button(t("Help"), "help")),
        )
    return Refusal(
        t(
            "«{command}» is for program staff. Ask one of them if you need it.",
            command=found.name,
        ),
        title=t("Staff only"),
        buttons=(Button(t("Help"), "help"),),
        is_forbidden=True,
    )


def _render_invalid_argument(
    ctx: Context, found: Command, values: Values, shown: Values, misfit: InvalidArgumentError
) -> Reply:
    """Return a card with the nearest values; the form, if one was filled in or nothing else fits.

    What was typed is never lost: a button carries all of it, or the form does.
    """
    values, shown = {**values, **misfit.parsed_values}, {**shown, **misfit.parsed_values}
    pressed = []
    for choice in () if ctx.request.from_form else misfit.choices:
        chosen = {**values, misfit.name: (choice.value,)}
        words = f"{found.name} {_format_words(chosen, found.arguments)}"
        if len(words) <= MAX_COMMAND_LENGTH:
            pressed.append(Button(choice.label, words))
    if pressed or misfit.buttons:
        refusal = Refusal(misfit.text, misfit.title, (*pressed, *misfit.buttons))
        return _render_refusal(refusal, ctx.t)
    near = " · ".join(choice.label for choice in misfit.choices[:3])
    hint = " " + ctx.t("Did you mean «{choice}»?", choice=near) if near else ""
    return found.form(ctx.t, shown, {misfit.name: misfit.text + hint})


def _format_words(values: Values, arguments: Sequence[Argument]) -> str:
    """Return the values as the words that one would type for them."""
    said = []
    for index, argument in enumerate(arguments):
        text = ",".join(values.get(argument.name, ()))
        if text and index == 0:
            said.append(f'"{text}"' if argument.single_word and " " in text else text)
        elif text:
            said.append(
                f'{argument.spelling}:"{text}"' if " " in text else f"{argument.spelling}:{text}"
            )
    return " ".join(said)


def _render_unknown_command(ctx: Context) -> Card:
    said = clean_text(ctx.request.words)
    allowed = [n for n, c in ctx.commands.items() if c.allow.permits(ctx.viewer)]
    verb = said.partition(" ")[0]
    near = {
        name: skip_words(said, length)
        for length in (2, 1)
        for name in find_nearest(
            " ".join(said.split(" ")[:length]), [n for n in allowed if n.count(" ") == length - 1]
        )
    }
    meant = [(name, f"{name} {rest}".strip()) for name, rest in near.items()]
    buttons = [Button(name, words) for name, words in meant if len(words) <= MAX_COMMAND_LENGTH][:3]
    text = ctx.t("I don't know the command «{verb}».", verb=shorten(verb))
    if buttons:
        text += " " + ctx.t("Did you mean one of these?")
    if "help" not in near:
        buttons.append(Button(ctx.t("Help"), "help"))
    return _render_refusal(Refusal(text, buttons=tuple(buttons)), ctx.t)


def _render_refusal(refusal: Refusal, t: Translator) -> Card:
    parts: tuple[Part, ...] = (Note(refusal.text, "warning"),)
    if refusal.buttons:
        parts += (Buttons(refusal.buttons),)
    return Card(title=refusal.title or t("Not quite"), parts=parts, tone="warning")
