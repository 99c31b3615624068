"""Settings: language, time zone, quiet hours, and a switch for each kind of message."""

import re
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, Field

from bot.cards import (
    Button,
    Buttons,
    Card,
    Entry,
    Fact,
    Facts,
    Heading,
    Note,
    Option,
    Part,
    Reply,
)
from bot.commands import MEMBER, Context, Spelled, command, completion
from bot.community.people import portraits
from bot.deliveries import KINDS
from bot.domain.zones import find_near_zones, find_zone, list_zones, list_zones_at, parse_offset
from bot.errors import InvalidArgumentError
from bot.i18n import LANGUAGE_NAMES, Translator, translator
from bot.parsing import ButtonOnly, HiddenField, Labels, Language, Suggestions, fold_text, shorten
from db import switches
from db.base import insert_if_absent
from db.members import Member
from db.switches import KindOptOut

SWITCHABLE = {name: kind.title for name, kind in KINDS.items() if kind.switchable}
"""Kinds of deliveries that members can switch off: name to title, before translation."""

if TYPE_CHECKING:
    Switch = str  # the kinds are known at run time only; to the type checker any text will do
else:
    Switch = Annotated[Literal[tuple(SWITCHABLE)], Labels(SWITCHABLE)]
_HOURS = re.compile(r"(\d{1,2})(?::(\d{2}))?\s*(?:-|–|to|a|à)\s*(\d{1,2})(?::(\d{2}))?")

_NEVER = frozenset(
    (
        *("off", "none", "no", "never"),
        *("ninguno", "ninguna", "nunca", "apagado", "apagada"),
        *("nao", "nenhum", "nenhuma", "desligado", "desligada"),
        *("non", "aucun", "aucune", "jamais", "desactive", "desactivee"),
    )
)
"""Words for no quiet hours at all, in the four languages, without accents."""
_NO_QUIET_HOURS = ("00:00", "00:00")


class Settings(BaseModel):
    """Choose your language, time zone, and the messages you get"""

    act: Annotated[
        Literal["edit"] | None, HiddenField(), Labels({"edit": "Edit"}), ButtonOnly(("edit",))
    ] = Field(default=None, title="What to do")
    language: Language | None = Field(default=None, title="Language")
    zone: Annotated[str | None, Suggestions("zone")] = Field(
        default=None, max_length=60, title="Time zone", description="For example: America/Bogota"
    )
    quiet: str | None = Field(
        default=None,
        max_length=20,
        title="Quiet hours",
        description="You'll get only what you asked for then, for example: 19:00-08:00",
    )
    weekly: int | None = Field(
        default=None,
        ge=0,
        le=50,
        title="Most messages per week",
        description="Only messages you didn't ask for; replies always arrive",
    )
    stop: Annotated[Switch | None, HiddenField()] = Field(default=None, title="Stop these messages")
    start: Annotated[Switch | None, HiddenField()] = Field(default=None, title="Get these again")


async def current_settings(ctx: Context) -> dict[str, tuple[str, ...]]:
    """Return the member's settings as the form's values: field name to values as text."""
    person = ctx.member
    return {
        "language": (person.language,),
        "zone": (person.zone,),
        "quiet": (f"{person.quiet_from}-{person.quiet_to}" if _has_quiet_hours(person) else "off",),
        "weekly": (str(person.weekly_ceiling),),
    }


@command(
    "settings",
    allow=MEMBER,
    room="daily",
    spelled=Spelled("ajustes|configuracion", "configuracoes|ajustes", "reglages|parametres"),
    writes=True,
    example="settings language:fr",
    current_values=current_settings,
    title="Your settings",
)
async def settings(ctx: Context, ask: Settings) -> Reply:
    """Save the settings that are given; show all of them if none is given."""
    given = ask.model_fields_set - {"act"}
    if not given and ask.act == "edit":
        return ctx.commands["settings"].form(ctx.t, await current_settings(ctx))
    if not given:
        return await _settings_card(ctx, "")
    person = ctx.member
    if ask.zone:
        person.zone = _resolve_zone(ctx, ask.zone)
    if ask.language:
        person.language = ask.language
    if ask.quiet:
        person.quiet_from, person.quiet_to = _parse_quiet_hours(ctx, ask.quiet)
    if ask.weekly is not None:
        person.weekly_ceiling = ask.weekly
    if ask.stop:
        await insert_if_absent(ctx.session, KindOptOut, member_id=person.id, kind=ask.stop)
    if ask.start:
        await switches.switch_on(ctx.session, person.id, ask.start)
    t = translator(person.language)
    said = t("Saved.")
    if ask.stop:
        said = t("You won't get these messages anymore: {kind}.", kind=t(KINDS[ask.stop].title))
    return await _settings_card(ctx, said)


async def _settings_card(ctx: Context, note: str) -> Card:
    """Show all settings, and each kind of message with its switch."""
    person = ctx.member
    t = translator(person.language)
    off = await switches.list_switched_off(ctx.session, person.id)
    parts: list[Part] = [Note(note, "good")] if note else []
    parts.append(
        Facts(
            (
                Fact(t("Language"), LANGUAGE_NAMES[person.language]),
                Fact(t("Time zone"), person.zone),
                Fact(t("Local time"), portraits.local_time(t, person, ctx.now)),
                Fact(t("Quiet hours"), _describe_quiet_hours(t, person)),
                Fact(t("Most messages per week"), t.number(person.weekly_ceiling)),
            )
        )
    )
    parts.append(
        Buttons(
            (
                Button(t("Change"), "settings edit", "primary"),
                Button(t("My data"), "my-data"),
                Button(t("Home"), "home"),
            )
        )
    )
    parts.append(Heading(t("Messages I get")))
    parts += [_switch_entry(t, name, name in off) for name in SWITCHABLE]
    return Card(title=t("Your settings"), parts=tuple(parts))


def _switch_entry(t: Translator, name: str, is_off: bool) -> Entry:
    act = "start" if is_off else "stop"
    return Entry(
        title=t(KINDS[name].title),
        badge=t("off") if is_off else t("on"),
        buttons=(Button(t("Turn on") if is_off else t("Turn off"), f"settings {act}:{name}"),),
    )


def _has_quiet_hours(person: Member) -> bool:
    return person.quiet_from != person.quiet_to


def _describe_quiet_hours(t: Translator, person: Member) -> str:
    return f"{person.quiet_from}–{person.quiet_to}" if _has_quiet_hours(person) else t("none")


def _parse_quiet_hours(ctx: Context, text: str) -> tuple[str, str]:
    """Return the start and the end as «HH:MM»; they may cross midnight, and equal ones mean never.

    A word for «never» will do too. Raises InvalidArgumentError for any other text.
    """
    if fold_text(text).strip(" .!") in _NEVER:
        return _NO_QUIET_HOURS
    match = _HOURS.fullmatch(text.strip())
    if match:
        start = (int(match[1]), int(match[2] or 0))
        end = (int(match[3]) % 24, int(match[4] or 0))
        if start[0] < 24 and int(match[3]) <= 24 and max(start[1], end[1]) < 60:
            return f"{start[0]:02}:{start[1]:02}", f"{end[0]:02}:{end[1]:02}"
    raise InvalidArgumentError(
        ctx.t(
            "I can't read «{text}» as quiet hours. Try 19:00-08:00, or off.",
            text=shorten(text),
        ),
        name="quiet",
    )


def _resolve_zone(ctx: Context, text: str) -> str:
    """Return the zone that a text names: itself, an abbreviation, an offset, a city or a place.

    Raises InvalidArgumentError with at most three choices if it is unknown or several fit.
    """
    cities = ctx.reference.cities
    own = cities[ctx.member.city_id].zone if ctx.member.city_id else ""
    if zone := find_zone(text, fold_text, own):
        return zone
    offset = parse_offset(text)
    if offset is None:
        areas = ctx.reference.atlas.find(text)
        near = list(dict.fromkeys(cities[key].zone for area in areas for key in area.keys))
    else:
        near = list_zones_at(offset, (own or "UTC", *(c.zone for c in cities.values())), ctx.now)
    if len(near) == 1:
        return near[0]
    said = (
        ctx.t("«{text}» fits more than one time zone; pick one.", text=shorten(text))
        if near
        else ctx.t(
            "I don't know a time zone called «{text}». Try America/Bogota.", text=shorten(text)
        )
    )
    near = near or find_near_zones(text, fold_text)
    raise InvalidArgumentError(
        said, name="zone", choices=tuple(Option(z.replace("_", " "), z) for z in near[:3])
    )


@completion("zone")
async def complete_zone(ctx: Context, typed: str) -> list[Option]:
    """Complete time zones whose names contain the text; at most 25."""
    wanted = fold_text(typed)
    return [Option(z.replace("_", " "), z) for z in list_zones() if wanted in fold_text(z)][:25]
