"""Members, as staff look after them: who waits, who is in, who may do what."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from bot import people, portraits
from bot.cards import Button, Buttons, Card, Entry, Note, Option, Part, Text
from bot.commands import STAFF, Context, command
from bot.domain.ranking import standing
from bot.errors import Misfit, Refusal
from bot.i18n import language_of
from bot.parsing import Labels, Suggest, Word, short
from db import audit, directory, members
from db.cities import City
from db.members import Account, Member


class AdminMembers(BaseModel):
    """Let people in, and look after members"""

    act: Annotated[
        Literal["waiting", "approve", "suspend", "restore"],
        Labels({
            "waiting": "Who is waiting",
            "approve": "Approve",
            "suspend": "Suspend",
            "restore": "Restore",
        }),
    ] = Field(default="waiting", title="What to do")  # fmt: skip
    who: Annotated[str | None, Word()] = Field(
        default=None, max_length=40, title="Number",
        description="The number beside the name, for example: 17",
    )  # fmt: skip
    city: Annotated[str | None, Suggest("city")] = Field(
        default=None, max_length=80, title="City", description="For example: Boston"
    )


@command("admin members", allow=STAFF, writes=True, example="admin members waiting")
async def admin_members(ctx: Context, ask: AdminMembers) -> Card:
    """The waiting list, and what is done with one person of it."""
    match ask.act:
        case "waiting":
            return await _waiting(ctx)
        case "approve":
            return await _approve(ctx, await _account(ctx, ask.who), _city(ctx, ask.city))
        case "suspend":
            return await _set_status(ctx, await _member(ctx, ask.who), "suspended")
        case "restore":
            return await _set_status(ctx, await _member(ctx, ask.who), "verified")


async def _waiting(ctx: Context, note: str = "") -> Card:
    t = ctx.t
    accounts = await members.waiting(ctx.session)
    parts: list[Part] = [Note(note, "good")] if note else []
    if not accounts:
        parts.append(Text(t("Nobody is waiting.")))
    parts += [_waiting_entry(ctx, account) for account in accounts]
    return Card(title=t("Waiting to be let in"), parts=tuple(parts))


def _waiting_entry(ctx: Context, account: Account) -> Entry:
    t = ctx.t
    home = account.workspace
    return Entry(
        title=f"{account.id} · {account.name or account.external_id}",
        lines=(
            t("from {workspace}", workspace=home.name or home.external_id),
            t("first seen {when}", when=portraits.ago(t, account.first_seen, ctx.now)),
        ),
        buttons=(Button(t("Approve"), f"admin members approve {account.id}", "primary"),),
    )


def _missing(ctx: Context, field: str) -> Misfit:
    return Misfit(ctx.t("Please fill this in."), name=field)


async def _account(ctx: Context, who: str | None) -> Account:
    if not who:
        raise _missing(ctx, "who")
    account = await ctx.session.get(Account, int(who)) if _is_number(who) else None
    if account is None:
        raise Misfit(
            ctx.t("There is no number «{number}» on the list.", number=short(who)), name="who"
        )
    if account.member:
        raise Refusal(
            ctx.t("{name} is a member already.", name=account.member.name),
            buttons=(Button(ctx.t("Who is waiting"), "admin members waiting"),),
        )
    return account


async def _member(ctx: Context, who: str | None) -> Member:
    if not who:
        raise _missing(ctx, "who")
    person = await members.member(ctx.session, int(who)) if _is_number(who) else None
    if person is None:
        raise Misfit(
            ctx.t("There is no member with the number «{number}».", number=short(who)), name="who"
        )
    if person.id == ctx.member.id:
        raise Refusal(ctx.t("You cannot do this to yourself; please ask a colleague on the staff."))
    if any(r.role == "admin" for r in person.roles):
        raise Refusal(ctx.t("Only the people who run the hub can change its admins."))
    return person


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10


def _city(ctx: Context, text: str | None) -> City:
    if not text:
        raise _missing(ctx, "city")
    known = ctx.known
    found = known.gazetteer.city(text)
    if len(found) == 1:
        return known.cities[found[0]]
    near = found or known.gazetteer.near(text)
    raise Misfit(
        ctx.t("There are several cities called «{name}». Which one?", name=short(text))
        if found
        else ctx.t("I know no city called «{name}».", name=short(text)),
        name="city",
        choices=tuple(
            Option(people.city_place(ctx.t, c), c.slug)
            for c in map(known.cities.__getitem__, near[:5])
        ),
    )


async def _approve(ctx: Context, account: Account, city: City) -> Card:
    """The account's person becomes a verified member of that city, not yet in the directory."""
    person = await members.admit(ctx.session, account, city, ctx.now)
    if account.locale:
        person.language = language_of(account.locale)
    audit.note(ctx.session, ctx.now, ctx.member.id, "member approved", f"member:{person.id}")
    return await _waiting(
        ctx,
        ctx.t(
            "{name} of {city} is a member now.",
            name=person.name,
            city=people.city_place(ctx.t, city),
        ),
    )


async def _set_status(ctx: Context, person: Member, status: str) -> Card:
    """A suspended member vanishes from every list at once; a restored one comes back as before."""
    t = ctx.t
    person.status = status
    await directory.refresh(ctx.session, person, standing)
    audit.note(ctx.session, ctx.now, ctx.member.id, f"member {status}", f"member:{person.id}")
    if status == "suspended":
        said = t("{name} is suspended and no longer shown anywhere.", name=person.name)
        undo = Button(t("Restore"), f"admin members restore {person.id}")
    else:
        said = t("{name} is a member again.", name=person.name)
        undo = Button(t("Suspend"), f"admin members suspend {person.id}", "danger")
    return Card(
        title=person.name,
        parts=(Text(people.place(t, person.city)), Note(said, "good"), Buttons((undo,))),
        footer=portraits.footer(t, [person]),
    )
