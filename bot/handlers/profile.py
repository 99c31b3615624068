"""The member's own profile: one form for all fields, of which those filled in are saved."""

import re
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from bot.cards import Reply
from bot.commands import MEMBER, Context, Spelled, command
from bot.community.people import portraits
from bot.community.people.topics import find_topics
from bot.domain.ranking import base_points
from bot.errors import InvalidArgumentError
from bot.parsing import ButtonOnly, HiddenField, Labels, Language, Paragraph, Suggestions, shorten
from db import audit, directory
from db.members import FIELDS_WITH_VISIBILITY, Member
from db.text import fold_text

Visibility = Annotated[
    Literal["community", "city", "nobody"],
    Labels({"community": "The whole community", "city": "Only my city", "nobody": "No one"}),
]
_HOURS = re.compile(r"(\d{1,2})(?::(\d{2}))?\s*(?:-|–|to|a|à)\s*(\d{1,2})(?::(\d{2}))?")


class Profile(BaseModel):
    """See and edit your profile"""

    act: Annotated[
        Literal["edit", "show", "confirm"] | None,
        HiddenField(),
        ButtonOnly(("edit", "confirm")),
        Labels({"edit": "Edit", "show": "Show", "confirm": "Still up to date"}),
    ] = Field(default=None, title="What to do")
    name: str | None = Field(default=None, max_length=80, title="Name")
    title: str | None = Field(
        default=None, max_length=120, title="Job title", description="For example: Open data lead"
    )
    knows: Annotated[tuple[str, ...] | None, Suggestions("topic")] = Field(
        default=None,
        max_length=20,
        title="What I know",
        description="Topics, for example: open data, data inventory",
    )
    learns: Annotated[tuple[str, ...] | None, Suggestions("topic")] = Field(
        default=None,
        max_length=20,
        title="What I want to learn",
        description="Topics, for example: evaluations",
    )
    languages: tuple[Language, ...] | None = Field(default=None, title="Languages I speak")
    bio: Annotated[str | None, Paragraph()] = Field(
        default=None,
        max_length=600,
        title="About me",
        description="Two sentences that help others to know what to ask you",
    )
    listed: bool | None = Field(
        default=None,
        title="Show me in the directory",
        description="Until you say yes, no one can find you here",
    )
    open: bool | None = Field(default=None, title="Open to questions")
    asks: int | None = Field(
        default=None,
        ge=0,
        le=100,
        title="Most questions per month",
        description="Leave it empty for no limit",
    )
    hours: str | None = Field(
        default=None, max_length=20, title="Working hours", description="For example: 09:00-17:00"
    )
    seen_title: Visibility | None = Field(default=None, title="Who sees my job title")
    seen_topics: Visibility | None = Field(default=None, title="Who sees my topics")
    seen_languages: Visibility | None = Field(default=None, title="Who sees my languages")
    seen_hours: Visibility | None = Field(default=None, title="Who sees my working hours")
    seen_bio: Visibility | None = Field(default=None, title="Who sees «About me»")


async def current_profile(ctx: Context) -> dict[str, tuple[str, ...]]:
    """Return the member's profile as the form's values: field name to values as text."""
    person, name = ctx.member, ctx.reference.vocabulary.name
    ties = await directory.list_expertise(ctx.session, person.id)
    topics = {
        kind: tuple(name(e.topic_id, ctx.language) for e in ties if e.kind == kind)
        for kind in ("knows", "learns")
    }
    return {
        **topics,
        "name": (person.name,),
        "title": (person.title,),
        "languages": person.languages,
        "bio": (person.bio,),
        "listed": ("yes" if person.listed else "no",),
        "open": ("yes" if person.open_to_questions else "no",),
        "asks": () if person.monthly_asks is None else (str(person.monthly_asks),),
        "hours": (f"{person.hours_from}-{person.hours_to}",),
        **{
            f"seen_{field}": (getattr(person, f"seen_{field}"),) for field in FIELDS_WITH_VISIBILITY
        },
    }


@command(
    "profile",
    allow=MEMBER,
    room="daily",
    spelled=Spelled("perfil", "perfil", "profil"),
    writes=True,
    example="profile",
    current_values=current_profile,
    title="Your profile",
)
async def profile(ctx: Context, ask: Profile) -> Reply:
    """Save the fields that are given and leave the rest; open the form if none is given."""
    person = ctx.member
    given = ask.model_fields_set - {"act"}
    if ask.act == "show" and not given:
        return await portraits.profile_card(ctx, person)
    if ask.act == "confirm" and not given:
        person.confirmed_at = ctx.now
        return await portraits.profile_card(
            ctx, person, ctx.t("Thank you. Your profile is up to date.")
        )
    if not given:
        return ctx.commands["profile"].form(ctx.t, await current_profile(ctx))
    await _save(ctx, person, ask, given)
    return await portraits.profile_card(ctx, person, _confirmation_text(ctx, person))


def _confirmation_text(ctx: Context, person: Member) -> str:
    if person.listed:
        return ctx.t("Saved. This is your own view; others see only what you allow.")
    return ctx.t("Saved. You're not in the directory yet: no one can find you until you say so.")


async def _save(ctx: Context, person: Member, ask: Profile, given: set[str]) -> None:
    for field in ("knows", "learns"):
        if field in given:
            topics = await find_topics(ctx, getattr(ask, field) or (), field)
            await directory.set_topics(ctx.session, person, field, topics)
    if "hours" in given:
        person.hours_from, person.hours_to = _parse_hours(ctx, ask.hours)
    if ask.name:
        person.name, person.folded = ask.name, fold_text(ask.name)
    for field in ("title", "bio"):
        if field in given:
            setattr(person, field, getattr(ask, field) or "")
    if ask.languages:
        person.spoken = f" {' '.join(dict.fromkeys(ask.languages))} "
    _apply_choices(person, ask, given)
    person.confirmed_at = ctx.now
    await directory.refresh_member(ctx.session, person, base_points)
    audit.record_act(ctx.session, ctx.now, person.id, "profile saved", f"member:{person.id}")


def _apply_choices(person: Member, ask: Profile, given: set[str]) -> None:
    """Set the fields with fixed choices and the monthly limit; only the limit can be emptied."""
    if ask.listed is not None:
        person.listed = ask.listed
    if ask.open is not None:
        person.open_to_questions = ask.open
    if "asks" in given:
        person.monthly_asks = ask.asks
    for field in FIELDS_WITH_VISIBILITY:
        if (seen := getattr(ask, f"seen_{field}")) is not None:
            setattr(person, f"seen_{field}", seen)


def _parse_hours(ctx: Context, text: str | None) -> tuple[str, str]:
    match = _HOURS.fullmatch((text or "").strip())
    if match:
        start = (int(match[1]), int(match[2] or 0))
        end = (int(match[3]), int(match[4] or 0))
        if start < end <= (24, 0) and max(start[1], end[1]) < 60:
            return f"{start[0]:02}:{start[1]:02}", f"{end[0]:02}:{end[1]:02}"
    raise InvalidArgumentError(
        ctx.t(
            "I can't read «{text}» as working hours. Try 09:00-17:00.",
            text=shorten(text or ""),
        ),
        name="hours",
    )
