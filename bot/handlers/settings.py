"""Settings: the language one is spoken to in, and the zone one's times are shown in."""

from typing import Annotated, Literal
from zoneinfo import available_timezones

from pydantic import BaseModel, Field

from bot import portraits
from bot.cards import Button, Buttons, Card, Fact, Facts, Note, Option, Reply
from bot.commands import MEMBER, Context, command, completion
from bot.errors import Misfit
from bot.i18n import NAMES, translator
from bot.parsing import Labels, Suggest, nearest, short

Language = Annotated[Literal["en", "es", "pt", "fr"], Labels(NAMES)]


class Settings(BaseModel):
    """Choose your language and time zone"""

    language: Language | None = Field(default=None, title="Language")
    zone: Annotated[str | None, Suggest("zone")] = Field(
        default=None, max_length=60, title="Time zone", description="For example: America/Bogota"
    )


async def as_is(ctx: Context) -> dict[str, tuple[str, ...]]:
    """The settings as they stand, as the form shows them."""
    return {"language": (ctx.member.language,), "zone": (ctx.member.zone,)}


@command(
    "settings",
    allow=MEMBER,
    writes=True,
    example="settings language:fr",
    as_is=as_is,
    title="Your settings",
)
async def settings(ctx: Context, ask: Settings) -> Reply:
    """Nothing given opens the form; what is given is saved."""
    person = ctx.member
    if not ask.model_fields_set:
        return ctx.commands["settings"].form(ctx.t, await as_is(ctx))
    if ask.zone:
        person.zone = _zone(ctx, ask.zone)
    if ask.language:
        person.language = ask.language
    t = translator(person.language)
    return Card(
        title=t("Your settings"),
        parts=(
            Note(t("Saved."), "good"),
            Facts((
                Fact(t("Language"), NAMES[person.language]),
                Fact(t("Time zone"), person.zone),
                Fact(t("Local time"), portraits.local_time(t, person, ctx.now)),
            )),
            Buttons((Button(t("Change"), "settings"), Button(t("Home"), "home"))),
        ),
    )  # fmt: skip


def _zones() -> list[str]:
    """Zones named by place; the old abbreviations know no daylight saving and are left out."""
    return sorted(z for z in available_timezones() if "/" in z and not z.startswith("Etc/"))


def _zone(ctx: Context, text: str) -> str:
    wanted = text.replace(" ", "_").casefold()
    for zone in _zones():
        if wanted in (zone.casefold(), zone.casefold().rpartition("/")[2]):
            return zone
    raise Misfit(
        ctx.t("I know no time zone called «{text}»; write it like America/Bogota.",
              text=short(text)),
        name="zone",
        choices=tuple(Option(z, z) for z in nearest(text, _zones())),
    )  # fmt: skip


@completion("zone")
async def zones_beginning(ctx: Context, typed: str) -> list[Option]:
    """Zones whose names hold what was typed."""
    wanted = typed.replace(" ", "_").casefold()
    return [Option(z.replace("_", " "), z) for z in _zones() if wanted in z.casefold()][:25]
