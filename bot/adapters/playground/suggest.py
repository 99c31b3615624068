"""Complete what is being typed: verbs, then `key:`, then values."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bot.adapters.playground.world import PlaygroundHub, Verb
from bot.cards import SLASH, Option
from bot.i18n import Translator
from bot.parsing import Argument, fold_text
from bot.request import Request

MAX_ITEMS = 25
MAX_TEXT = 500
_KEY = re.compile(r'(?:^|\s)([\w-]+):("?)([^"]*)$')
_ANY_KEY = re.compile(r"(?:^|\s)([\w-]+):")


@dataclass(frozen=True, slots=True)
class Item:
    """One completion. `value`: the whole line once it is taken; `more`: more must be typed then."""

    label: str
    value: str
    hint: str = ""
    more: bool = False


@dataclass(frozen=True)
class CompletionContext:
    """Who types: the request so far, the language, and whether staff verbs are offered."""

    hub: PlaygroundHub
    request: Request
    t: Translator
    staff: bool = False


async def completions(typing: CompletionContext, text: str) -> list[Item]:
    """Return the completions; none when the text is no command or too long for one."""
    if len(text) > MAX_TEXT:
        return []
    line = text.lstrip()
    lead = f"{SLASH} " if line.startswith("/") else ""
    if lead and not line.startswith(f"{SLASH} "):
        return (
            [Item(SLASH, lead, typing.t("Ask the hub"), more=True)]
            if _is_slash_prefix(line)
            else []
        )
    rest = line[len(lead) :].lstrip()
    verb = _find_verb(typing, rest)
    if verb is None:
        return _verb_items(typing, lead, rest)
    return (await _argument_items(typing, lead, verb, rest[len(verb.name) + 1 :]))[:MAX_ITEMS]


def _is_slash_prefix(line: str) -> bool:
    return SLASH.startswith(line)


def _find_verb(typing: CompletionContext, rest: str) -> Verb | None:
    """Return the verb that is complete: something stands after it, at least a space."""
    said = rest.split(" ")
    for length in (2, 1):
        name = " ".join(said[:length])
        if len(said) > length and name in typing.hub.commands:
            return typing.hub.commands[name]
    return None


def _verb_items(typing: CompletionContext, lead: str, typed: str) -> list[Item]:
    wanted = fold_text(typed)
    names = {
        name: fold_text(name)
        for name, verb in typing.hub.commands.items()
        if typing.staff or not verb.is_staff_only
    }
    begin = [name for name, folded in names.items() if folded.startswith(wanted)]
    inside = [name for name, folded in names.items() if wanted in folded and name not in begin]
    return [_verb_item(typing, lead, typing.hub.commands[n]) for n in begin + inside][:MAX_ITEMS]


def _verb_item(typing: CompletionContext, lead: str, verb: Verb) -> Item:
    more = bool(verb.arguments)
    return Item(
        verb.name, f"{lead}{verb.name}{' ' if more else ''}", typing.t(verb.summary), more=more
    )


async def _argument_items(
    typing: CompletionContext, lead: str, verb: Verb, typed: str
) -> list[Item]:
    spelled = {a.spelling: a for a in verb.arguments}
    found = _KEY.search(typed)
    if found and found[1] in spelled and (found[2] or " " not in found[3].strip()):
        kept = f"{lead}{verb.name} {typed[: found.start(1)]}"
        argument = spelled[found[1]]
        return [
            Item(o.label, f"{kept}{argument.spelling}:{_quote(o.value)} ", o.hint)
            for o in await _value_options(typing, verb, argument, found[3])
        ]
    return [
        *await _first_field_items(typing, lead, verb, typed),
        *_key_items(typing, lead, verb, typed),
    ]


async def _first_field_items(
    typing: CompletionContext, lead: str, verb: Verb, typed: str
) -> list[Item]:
    """Return values of the first field as completions, since words without a key fill it."""
    if not verb.arguments or _ANY_KEY.search(typed) or typed.endswith(" "):
        return []
    options = await _value_options(typing, verb, verb.arguments[0], typed)
    return [Item(o.label, f"{lead}{verb.name} {o.value} ", o.hint) for o in options]


def _key_items(typing: CompletionContext, lead: str, verb: Verb, typed: str) -> list[Item]:
    """Return the keys of fields not yet given; the first field needs no key."""
    used = set(_ANY_KEY.findall(typed))
    head, _, last = typed.rpartition(" ")
    before = f"{lead}{verb.name} {head + ' ' if head else ''}"
    return [
        Item(f"{a.spelling}:", f"{before}{a.spelling}:", _describe_argument(typing, a), more=True)
        for a in verb.arguments[1:]
        if a.spelling not in used and a.spelling.startswith(last)
    ]


def _describe_argument(typing: CompletionContext, argument: Argument) -> str:
    hint = typing.t(argument.hint) if argument.hint else ""
    return f"{typing.t(argument.label)} · {hint}" if hint else typing.t(argument.label)


async def _value_options(
    typing: CompletionContext, verb: Verb, argument: Argument, typed: str
) -> Sequence[Option]:
    if argument.options:
        labelled = (Option(typing.t(o.label), o.value, o.hint) for o in argument.options)
        return [o for o in labelled if _matches(typed, (o.label, o.value))]
    if not argument.suggests:
        return ()
    options = await typing.hub.suggest(typing.request, verb.name, argument.name, typed.strip())
    return [o for o in options if o.value != typed.strip()]


def _matches(typed: str, names: Iterable[str]) -> bool:
    return any(fold_text(name).startswith(fold_text(typed.strip())) for name in names)


def _quote(value: str) -> str:
    return f'"{value}"' if " " in value else value
