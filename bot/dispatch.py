"""The steps from a command's words to its reply, inside the transaction of the request."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from pydantic import ValidationError

from bot.cards import (
    MAX_COMMAND_LENGTH,
    SLASH,
    Button,
    Buttons,
    Card,
    Form,
    Note,
    Part,
    Reply,
    Text,
)
from bot.commands import RECOGNIZERS, Command, CommandMatch, Context
from bot.domain.recognition import EXACT, GUESS, MIN_VERB, NEAR
from bot.errors import InvalidArgumentError, Refusal
from bot.forms import describe_problems
from bot.i18n import Translator
from bot.parsing import (
    Argument,
    coerce_values,
    parse_words,
    shorten,
)
from bot.request import Values
from bot.verbs import find_near_verbs, find_question, find_subject, strip_address, strip_marks
from db import audit, inbound
from db.base import begin_writing

MAX_WORDS_LENGTH = 10_000
"""Maximum characters that are read as a command; no form or message of people needs more."""


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
    read = None if found else await _interpret(ctx, strip_address(ctx.request.words))
    asked = found or read
    try:
        _check_length(ctx)
        reply = await _run_command(ctx, *asked) if asked else _render_unknown_command(ctx)
    except Refusal as refusal:
        await _roll_back(ctx, writes=refusal.is_forbidden)
        if asked and refusal.is_forbidden:
            audit.record_act(
                ctx.session, ctx.now, asker, asked[0].name, "command", outcome="refused"
            )
        reply = _render_refusal(refusal, ctx.t)
    return _say_how_read(reply, read, ctx.t) if read else reply


def _check_length(ctx: Context) -> None:
    """Raise Refusal if more was written than is read as a command."""
    given = len(ctx.request.words)
    if given > MAX_WORDS_LENGTH:
        said = ctx.t(
            "That's {given} characters, and I read up to {most} at a time. Please send less.",
            given=ctx.t.number(given),
            most=ctx.t.number(MAX_WORDS_LENGTH),
        )
        raise Refusal(said)


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


# --- words without a verb ---------------------------------------------------------------------


async def _interpret(ctx: Context, said: str) -> CommandMatch:
    """Return the command that words without a verb are for; None if nothing speaks for one.

    Only commands that read are run this way: whoever wants something changed says so.
    """
    if len(said) > MAX_WORDS_LENGTH:
        return None
    sure, read = await _recognize(ctx, strip_marks(said))
    if read and sure >= EXACT - 1:
        return read
    asked = find_question(ctx.commands, said)
    if asked:
        return asked
    about = find_subject(said)
    if about:
        sure, read = await _recognize(ctx, about)
        return read if sure >= GUESS else None
    if _find_near_verbs(ctx)[0] >= MIN_VERB:
        return None
    return read if sure >= NEAR else _find_barred(ctx, said)


def _find_barred(ctx: Context, said: str) -> CommandMatch:
    """Return the command that says how to become a member, for whom it is not open; else None.

    What was typed makes no difference: what may not be seen leaves no trace.
    """
    known = (ctx.commands[name] for name in RECOGNIZERS)
    barred = next((c for c in known if not c.allow.permits(ctx.viewer)), None)
    return (barred, said) if barred else None


def _find_near_verbs(ctx: Context) -> tuple[float, Mapping[str, str]]:
    """Return the verbs like the first words that the asker may use, and how alike they are."""
    allowed = {n: c for n, c in ctx.commands.items() if c.allow.permits(ctx.viewer)}
    return find_near_verbs(allowed, ctx.request.words)


async def _recognize(ctx: Context, words: str) -> tuple[float, CommandMatch]:
    """Return the command for which the words are most likely, and how likely that is."""
    best: tuple[float, CommandMatch] = (0, None)
    for name, recognize in RECOGNIZERS.items():
        command = ctx.commands[name]
        if best[0] < EXACT and command.allow.permits(ctx.viewer) and not command.writes:
            sure = await recognize(ctx, words)
            best = max(best, (sure, (command, words)), key=lambda one: one[0])
    return best


def _say_how_read(reply: Reply, read: tuple[Command, str], t: Translator) -> Reply:
    """Return the reply with one quiet line that says as which command the words were read."""
    typed = f"{SLASH} {read[0].name} {shorten(read[1])}".rstrip(" ?!.")
    line = t("I read this as {command}.", command=typed)
    if isinstance(reply, Form):
        return replace(reply, intro=f"{line} {reply.intro}".rstrip())
    return replace(reply, parts=(Text(line, quiet=True), *reply.parts))


def _render_unknown_command(ctx: Context) -> Card:
    near = _find_near_verbs(ctx)[1]
    verb = strip_address(ctx.request.words).partition(" ")[0]
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
