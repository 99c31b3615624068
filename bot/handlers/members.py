"""Members, for staff: approve accounts, suspend and restore members, name leads of cities."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from bot.cards import Button, Buttons, Card, Entry, Note, Option, Part, Text
from bot.commands import STAFF, Context, Spelled, command, completion
from bot.community import conduct, staff
from bot.community.joining import arrivals
from bot.community.people import finding, places, portraits
from bot.deliveries import enqueue
from bot.errors import InvalidArgumentError, Refusal
from bot.i18n import translator
from bot.parsing import Labels, SingleWord, Suggestions, shorten
from db import audit, joining, members
from db.cities import City
from db.joining import JoinRequest
from db.members import CITY_LEAD, Account, Member
from db.text import fold_text


class AdminMembers(BaseModel):
    """Let people in and look after members"""

    act: Annotated[
        Literal["waiting", "approve", "suspend", "restore", "lead", "unlead"],
        Labels(
            {
                "waiting": "Who is waiting",
                "approve": "Approve",
                "suspend": "Suspend",
                "restore": "Restore",
                "lead": "Make city lead",
                "unlead": "Remove as city lead",
            }
        ),
    ] = Field(default="waiting", title="What to do")
    who: Annotated[str | None, SingleWord(), Suggestions("member")] = Field(
        default=None,
        max_length=120,
        title="Who",
        description="A name, a @mention, an e-mail address or the number beside the name",
    )
    city: Annotated[str | None, Suggestions("city")] = Field(
        default=None, max_length=80, title="City", description="For example: Boston"
    )


@command(
    "admin members",
    allow=STAFF,
    room="admin",
    spelled=Spelled("admin miembros", "admin membros", "admin membres"),
    writes=True,
    example="admin members waiting",
)
async def admin_members(ctx: Context, ask: AdminMembers) -> Card:
    """List the accounts that wait for approval, or approve one, or change a member's standing."""
    if ask.act == "waiting":
        return await _waiting_card(ctx)
    if ask.act == "approve":
        account, city = await _load_waiting_account(ctx, ask.who, ask.city)
        return await _approve(ctx, account, city)
    person = await _load_member(ctx, " ".join(filter(None, (ask.who, ask.city))))
    match ask.act:
        case "suspend":
            return await _suspend(ctx, person)
        case "restore":
            return await _restore(ctx, person)
        case "lead" | "unlead":
            return await _set_lead(ctx, person, is_lead=ask.act == "lead")


async def _waiting_card(ctx: Context, note: str = "") -> Card:
    t = ctx.t
    accounts = await members.list_unassigned_accounts(ctx.session)
    parts: list[Part] = [Note(note, "good")] if note else []
    if not accounts:
        parts.append(Text(t("No one is waiting.")))
    asked = await joining.find_open_requests(ctx.session, [account.id for account in accounts])
    parts += [_waiting_entry(ctx, account, asked.get(account.id)) for account in accounts]
    return Card(title=t("Waiting to join"), parts=tuple(parts))


def _waiting_entry(ctx: Context, account: Account, asked: JoinRequest | None) -> Entry:
    t = ctx.t
    lines = [
        t("from {workspace}", workspace=arrivals.workspace_label(account)),
        t("first seen {when}", when=t.ago(account.first_seen, ctx.now)),
    ]
    approve = f"admin members approve {account.id}"
    city = ctx.reference.cities.get(asked.city_id or 0) if asked else None
    if asked and city:
        lines.append(t("Wants to join for {city}.", city=places.city_place(t, city)))
        approve = f"admit {asked.id} yes"
    return Entry(
        title=f"{account.id} · {arrivals.account_name(account)}",
        lines=tuple(lines),
        buttons=(Button(t("Approve"), approve, "primary"),),
    )


def _missing_field_error(ctx: Context, field: str) -> InvalidArgumentError:
    return InvalidArgumentError(ctx.t("Please fill this in."), name=field)


async def _load_waiting_account(
    ctx: Context, who: str | None, city: str | None
) -> tuple[Account, str | None]:
    """Load and lock the account meant; return it with the words that name the city.

    Raises InvalidArgumentError if nobody or several are meant.
    """
    if not who:
        raise _missing_field_error(ctx, "who")
    number = int(who) if finding.is_number(who) else None
    if number is None:
        number, city = await _find_waiting_account(ctx, who, city)
    account = await joining.lock_account(ctx.session, number)
    if account is None:
        raise InvalidArgumentError(
            ctx.t("Number «{number}» isn't on the list.", number=shorten(who)), name="who"
        )
    return account, city


async def _find_waiting_account(ctx: Context, who: str, city: str | None) -> tuple[int, str | None]:
    """Return the number of the waiting account of this name, and the words left for the city.

    A name may have several words: as many of the words as fit somebody are the name.
    """
    waiting = await members.list_unassigned_accounts(ctx.session, limit=500)
    words = [who, *(city or "").split()]
    for cut in range(len(words), 0, -1):
        wanted = fold_text(" ".join(words[:cut]).removeprefix("<@").strip("@>")).split()
        named = {a.id: fold_text(f"{a.name} {a.external_id}") for a in waiting}
        found = [a for a in waiting if all(word in named[a.id] for word in wanted)]
        if found:
            break
    if len(found) == 1:
        return found[0].id, " ".join(words[cut:]) or None
    misfit = InvalidArgumentError(
        ctx.t("Several people match «{name}».", name=shorten(who))
        if found
        else ctx.t("Nobody who waits is called «{name}».", name=shorten(who)),
        name="who",
        choices=tuple(
            Option(f"{arrivals.account_name(a)}, {arrivals.workspace_label(a)}", str(a.id))
            for a in found[:5]
        ),
        buttons=(Button(ctx.t("Who is waiting"), "admin members waiting"),),
    )
    misfit.parsed_values = {"who": (who,), "city": tuple(words[cut:])}
    raise misfit


async def _load_member(ctx: Context, who: str) -> Member:
    if not who:
        raise _missing_field_error(ctx, "who")
    try:
        person = await finding.find_member(ctx, who, "who")
    except InvalidArgumentError as misfit:
        misfit.parsed_values = {"who": (who,), "city": ()}
        raise
    if person.id == ctx.member.id:
        raise Refusal(ctx.t("You can't do this to yourself; please ask another staff member."))
    if person.has_role("admin"):
        raise Refusal(ctx.t("Only the people who run the hub can change its admins."))
    return person


def _resolve_city(ctx: Context, text: str | None) -> City:
    if not text:
        raise _missing_field_error(ctx, "city")
    return places.find_city(ctx, text)


async def _approve(ctx: Context, account: Account, city_name: str | None) -> Card:
    """Make the account's person a verified member of the city, not yet listed in the directory.

    Raises Refusal if the account is a member's already.
    """
    if suspended := await arrivals.suspension_card(ctx, account):
        return suspended
    if account.member and account.member.status != "left":
        raise Refusal(
            ctx.t("{name} is already a member.", name=account.member.name),
            buttons=(Button(ctx.t("Who is waiting"), "admin members waiting"),),
        )
    city = _resolve_city(ctx, city_name)
    person, card = await arrivals.admit_account(ctx, account, city, "approval", approver=ctx.member)
    key = f"let-in:{person.id}:{ctx.now:%Y%m%d%H%M%S%f}"
    await arrivals.notify_asker(ctx, account, card, key)
    return await _waiting_card(
        ctx,
        ctx.t(
            "{name} from {city} is now a member.",
            name=person.name,
            city=places.city_place(ctx.t, city),
        ),
    )


async def _suspend(ctx: Context, person: Member) -> Card:
    await conduct.suspend_member(ctx.session, ctx.now, ctx.member, person)
    name = _display_name(ctx, person)
    said = ctx.t("{name} is suspended and no longer shown anywhere.", name=name)
    undo = Button(ctx.t("Restore"), f"admin members restore {person.id}")
    return _status_card(ctx, person, said, undo)


async def _restore(ctx: Context, person: Member) -> Card:
    t = ctx.t
    if person.status == "left":
        raise Refusal(t("{name} chose to leave and can come back by joining.", name=person.name))
    await conduct.restore_member(ctx.session, ctx.now, ctx.member, person)
    name = _display_name(ctx, person)
    said = (
        t("{name} is a member again.", name=name)
        if person.status == "verified"
        else t("{name} may join again.", name=name)
    )
    undo = Button(t("Suspend"), f"admin members suspend {person.id}", "danger")
    return _status_card(ctx, person, said, undo)


def _display_name(ctx: Context, person: Member) -> str:
    return person.name or ctx.t("Someone who deleted their data")


def _status_card(ctx: Context, person: Member, said: str, undo: Button) -> Card:
    return Card(
        title=_display_name(ctx, person),
        parts=(Text(places.workplace(ctx.t, person.city)), Note(said, "good"), Buttons((undo,))),
        footer=portraits.footer(ctx.t, [person]),
    )


async def _set_lead(ctx: Context, person: Member, *, is_lead: bool) -> Card:
    """Make a member a lead of the own city, or end that, and notify the member of a change.

    A lead admits colleagues of the own city. Raises Refusal for a lead without city or membership.
    """
    t = ctx.t
    if is_lead and (person.city is None or person.status != "verified"):
        raise Refusal(t("Only a verified member of a city can lead it."))
    changes = person.has_role(CITY_LEAD) is not is_lead
    try:
        await (joining.grant_lead if is_lead else joining.withdraw_lead)(ctx.session, person)
    except PermissionError:
        raise Refusal(
            t("{name} was invented for the demo and cannot lead a real city.", name=person.name)
        ) from None
    if changes:
        act = "lead granted" if is_lead else "lead withdrawn"
        audit.record_act(ctx.session, ctx.now, ctx.member.id, act, f"member:{person.id}")
        await _notify_lead(ctx, person, is_lead=is_lead)
    if is_lead:
        said = t(
            "{name} now leads {place}.", name=person.name, place=places.workplace(t, person.city)
        )
        undo = Button(t("Undo"), f"admin members unlead {person.id}", "danger")
    else:
        said = t("{name} no longer leads a city.", name=person.name)
        undo = Button(t("Make city lead"), f"admin members lead {person.id}")
    return Card(person.name, (Note(said, "good"), Buttons((undo,))))


async def _notify_lead(ctx: Context, person: Member, *, is_lead: bool) -> None:
    t = translator(person.language)
    said = (
        t(
            "You now lead your city: colleagues who ask to join come to you, and you can share "
            "your city's code."
        )
        if is_lead
        else t("You no longer lead your city. Thank you for everything you did.")
    )
    next_ = Buttons((Button(t("Home"), "home"),))
    await enqueue(
        ctx.session,
        ctx.now,
        person,
        "answer",
        Card(t("Your city"), (Text(said), next_)),
        key=f"lead:{person.id}:{is_lead}:{ctx.now:%Y%m%d%H%M%S%f}",
    )


@completion("member")
async def complete_member(ctx: Context, typed: str) -> list[Option]:
    """Complete every member by name, for staff; nothing for anybody else."""
    if len(typed) < 2 or not staff.is_staff(ctx.member):
        return []
    found = await members.find_by_name(ctx.session, typed, limit=20)
    return [Option(f"{p.name}, {places.workplace(ctx.t, p.city)}"[:75], str(p.id)) for p in found]
