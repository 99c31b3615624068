"""Admitting people: the decisions of city leads and staff, and a newcomer's first week."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from bot.cards import Button, Buttons, Card, Entry, Note, Part, Text
from bot.commands import MEMBER, Context, Spelled, command
from bot.community import staff
from bot.community.joining import arrivals
from bot.community.joining.arrivals import account_name, account_translator, workspace_label
from bot.community.people import places, portraits, ranking
from bot.errors import Refusal
from bot.parsing import HiddenField, Labels
from db import audit, joining
from db.joining import JoinRequest
from db.members import CITY_LEAD, STAFF_ROLES, Account


class Admit(BaseModel):
    """Decide who joins your city (for city leads and staff)"""

    number: int | None = Field(
        default=None, ge=1, lt=10**9, title="Number", description="The number of the request"
    )
    answer: bool | None = Field(default=None, title="Let them in?")


@command(
    "admit",
    allow=MEMBER,
    room="me",
    spelled=Spelled("admitir", "admitir", "admettre"),
    writes=True,
    example="admit",
)
async def admit(ctx: Context, ask: Admit) -> Card:
    """List the open requests, show one, or decide it; the first decision counts."""
    if ask.number is None:
        return await _open_requests_card(ctx)
    account, request = await _load_request(ctx, ask.number)
    if request.status != "open":
        return _already_decided_card(ctx, request)
    city = ctx.reference.cities.get(request.city_id or 0)
    if ask.answer is None:
        return arrivals.request_card(ctx.t, request, account, city)
    if not ask.answer:
        return await _decline_request(ctx, account, request)
    if city is None:
        raise Refusal(
            ctx.t("Which city is it? Please approve with the city's name."),
            buttons=(Button(ctx.t("Approve"), f"admin members approve {account.id}"),),
        )
    if suspended := await arrivals.suspension_card(ctx, account):
        return suspended
    person, card = await arrivals.admit_account(ctx, account, city, "approval", approver=ctx.member)
    await arrivals.notify_asker(ctx, account, card, f"join:{request.id}:answer")
    said = ctx.t(
        "{name} from {city} is now a member.", name=person.name, city=places.city_place(ctx.t, city)
    )
    return await _open_requests_card(ctx, said)


async def _load_request(ctx: Context, number: int) -> tuple[Account, JoinRequest]:
    """Return a request and its account, both read after the account is locked.

    Raises the same Refusal for a number that does not exist and for a request that the member may
    not decide.
    """
    request = await joining.load_request(ctx.session, number)
    if request is None or not staff.can_decide(ctx.member, request.city_id):
        raise Refusal(
            ctx.t("You have no request number {number} to decide on.", number=number),
            buttons=(Button(ctx.t("Who wants to join"), "admit"),),
        )
    account = await joining.lock_account(ctx.session, request.account_id)
    again = await joining.load_request(ctx.session, number)
    if account is None or again is None:
        raise LookupError("the request vanished while it was decided")
    return account, again


def _already_decided_card(ctx: Context, request: JoinRequest) -> Card:
    t = ctx.t
    by = request.by.name if request.by else ""
    when = t.ago(request.decided_at or ctx.now, ctx.now)
    match request.status:
        case "approved":
            said = t("{name} already let them in, {when}.", name=by or "?", when=when)
        case "declined":
            said = t("{name} already declined, {when}.", name=by or "?", when=when)
        case _:
            said = t("Nothing left to decide: they joined another way or asked for something else.")
    next_ = Buttons((Button(t("Who wants to join"), "admit"),))
    return Card(t("Already decided"), (Note(said), next_))


async def _decline_request(ctx: Context, account: Account, request: JoinRequest) -> Card:
    await arrivals.close_requests(ctx, account, "declined")
    audit.record_act(
        ctx.session, ctx.now, ctx.member.id, "request declined", f"request:{request.id}"
    )
    t = account_translator(account)
    city = ctx.reference.cities.get(request.city_id or 0)
    card = arrivals.rejection_card(t, places.city_place(t, city) if city else "")
    await arrivals.notify_asker(ctx, account, card, f"join:{request.id}:answer")
    return await _open_requests_card(
        ctx, ctx.t("Declined. They'll hear about it, without your name.")
    )


async def _open_requests_card(ctx: Context, note: str = "") -> Card:
    """List the requests that this member may decide.

    Raises Refusal for members who decide none: they may invite colleagues instead.
    """
    t, me = ctx.t, ctx.member
    if not me.has_role(*STAFF_ROLES, CITY_LEAD):
        raise Refusal(
            t(
                "City leads and staff decide who joins. You can invite colleagues from your own "
                "city."
            ),
            buttons=(Button(t("Invite a colleague"), "invite"),),
        )
    where = None if staff.is_staff(me) else me.city_id
    found = await joining.list_open_requests(ctx.session, where)
    parts: list[Part] = [Note(note, "good")] if note else []
    parts += [_request_entry(ctx, request) for request in found]
    if not found:
        parts.append(Text(t("No one is asking right now.")))
    return Card(t("Who wants to join"), tuple(parts))


def _request_entry(ctx: Context, request: JoinRequest) -> Entry:
    t, account = ctx.t, request.account
    city = ctx.reference.cities.get(request.city_id or 0)
    (entry,) = arrivals.request_card(t, request, account, city).parts
    if not isinstance(entry, Entry):
        raise TypeError("a request is drawn as one entry")
    return Entry(
        title=f"{request.id} · {account_name(account)}",
        lines=(
            entry.lines[0],
            t("from {workspace}", workspace=workspace_label(account)),
            t.ago(request.made_at, ctx.now),
        ),
        buttons=entry.buttons,
    )


# --- the first week ---------------------------------------------------------------------------


class Welcome(BaseModel):
    """Your first week: one person, one topic, your profile"""

    step: Annotated[
        Literal["person"] | None, HiddenField(), Labels({"person": "A person worth meeting"})
    ] = Field(default=None, title="What to look at")


@command(
    "welcome",
    allow=MEMBER,
    room="me",
    spelled=Spelled("bienvenida", "boas-vindas", "bienvenue"),
    example="welcome",
)
async def welcome(ctx: Context, ask: Welcome) -> Card:
    """Show all steps of the first week, or one person worth meeting who takes questions now."""
    t = ctx.t
    if ask.step is None:
        return Card(t("Your first week"), arrivals.first_week_entries(t))
    found = await joining.suggest_contacts(ctx.session, ctx.member)
    month = ranking.format_month(ctx.now)
    known = await portraits.load_ongoing(ctx, found)
    free = [p for p in found if not p.is_full(month) and p.id not in known][:1]
    if not free:
        none = Text(t("No one fits right now. Try a topic instead."))
        return Card(t("Meet someone"), (none, Buttons((Button(t("All topics"), "topics"),))))
    why = t("Speaks your language and is open to questions.")
    parts = tuple(portraits.list_entry(ctx, person, why) for person in free)
    return Card(t("Meet someone"), parts, footer=portraits.footer(t, free))
