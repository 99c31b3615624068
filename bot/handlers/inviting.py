"""Inviting: a card for a colleague the hub can write to, a code for one it cannot, city codes."""

import re
from typing import Annotated

from pydantic import BaseModel, Field

from bot.cards import SLASH, Button, Buttons, Card, Fact, Facts, Note, Text
from bot.commands import MEMBER, Context, Spelled, command
from bot.community.conduct import check_may_write
from bot.community.joining.arrivals import account_name, account_translator
from bot.community.people import places
from bot.community.staff import can_decide, is_staff
from bot.deliveries import enqueue_for_account
from bot.domain.joining import fingerprint, generate_code
from bot.domain.quiet_hours import next_allowed_time
from bot.errors import Refusal
from bot.parsing import Suggestions
from db import audit, invitations, joining, members
from db.cities import City
from db.invitations import MAX_INVITATIONS
from db.members import Account

_MENTION = re.compile(r"<@(\w+)>")
DEFAULT_QUIET_HOURS = ("19:00", "08:00")
"""Quiet hours (from, until) of somebody who is no member yet and so could not choose any."""


class Invite(BaseModel):
    """Invite colleagues from your city"""

    who: str | None = Field(
        default=None,
        max_length=80,
        title="Colleague",
        description="@colleague. City leads can also type code, or rotate for a new one",
    )
    city: Annotated[str | None, Suggestions("city")] = Field(
        default=None,
        max_length=80,
        title="City",
        description="Only staff need this, for a city's code",
    )


@command(
    "invite",
    allow=MEMBER,
    room="me",
    spelled=Spelled("invitar", "convidar", "inviter"),
    writes=True,
    example="invite @colleague",
)
async def invite(ctx: Context, ask: Invite) -> Card:
    """Invite a colleague by card or by a one-time code, or show or replace the code of a city."""
    match (ask.who or "").casefold():
        case "":
            return _overview_card(ctx)
        case "code":
            return await _city_code_card(ctx, _resolve_city(ctx, ask.city))
        case "rotate":
            return await _rotate_code(ctx, _resolve_city(ctx, ask.city))
    if ctx.member.city is None:
        raise Refusal(
            ctx.t(
                "You don't belong to a city; use the code for the city your colleague works for."
            ),
            buttons=(Button(ctx.t("Who is waiting"), "admin members waiting"),),
        )
    match = _MENTION.fullmatch(ask.who or "")
    account = await _find_account(ctx, match[1]) if match else None
    person = account.member if account else None
    if person and (person.is_in_directory or person.id == ctx.member.id):
        raise Refusal(
            ctx.t("{name} is already a member.", name=person.name),
            buttons=(Button(ctx.t("Profile"), f"who-is {person.id}"),),
        )
    if account and not person:
        account = await joining.lock_account(ctx.session, account.id)
        if account and await invitations.can_be_invited(ctx.session, account, ctx.now):
            return await _invite_account(ctx, account)
    # People who are hidden, or want no invitations, get the same answer as unknown ones, so that
    # the asker does not learn which it is.
    return await _invite_by_code(ctx)


def _overview_card(ctx: Context) -> Card:
    t, me = ctx.t, ctx.member
    buttons = []
    if me.city:
        buttons.append(Button(t("A code for one colleague"), "invite somebody", "primary"))
    if me.city and can_decide(me, me.city_id):
        buttons.append(Button(t("My city's code"), "invite code"))
    said = t(
        "Name a colleague in your city and I'll send them a card: {command}",
        command=f"{SLASH} invite @colleague",
    )
    more = t("Only invite people you know: your word is what lets them in.")
    return Card(t("Invite a colleague"), (Text(said), Note(more), Buttons(tuple(buttons))))


async def _find_account(ctx: Context, user: str) -> Account | None:
    sender = ctx.request.sender
    if not sender.workspace:
        return None
    found = await members.find_account(ctx.session, sender.platform, sender.workspace, user)
    return found if found and found.reachable else None


# --- one colleague ----------------------------------------------------------------------------


async def _invite_account(ctx: Context, account: Account) -> Card:
    """Enqueue an invitation card for an account; its button lets in this account only.

    Raises Refusal when the member has given too many invitations this week.
    """
    check_may_write(ctx)
    made = await invitations.create_invitation(ctx.session, ctx.member, ctx.now, account=account)
    if made is None or ctx.member.city is None:
        raise _limit_refusal(ctx)
    t, me = account_translator(account), ctx.member
    where = places.city_place(t, ctx.member.city)
    card = Card(
        title=t("{name} invites you", name=me.name),
        parts=(
            Text(
                t(
                    "Join the community of city data people as part of {city}: find who has done "
                    "it before, ask them, learn together.",
                    city=where,
                )
            ),
            Buttons(
                (
                    Button(t("Join"), f"join invitation:{made.id}", "primary"),
                    Button(t("No, thank you"), f"join invitation:{made.id} ask:no"),
                )
            ),
        ),
    )
    at = next_allowed_time(ctx.now, account.zone or me.zone, *DEFAULT_QUIET_HOURS)
    await enqueue_for_account(
        ctx.session,
        ctx.now,
        account,
        "invitation",
        card,
        key=invitations.card_key(made.id),
        language=t.language,
        at=at,
        expires=made.expires_at,
    )
    audit.record_act(ctx.session, ctx.now, me.id, "colleague invited", f"account:{account.id}")
    said = ctx.t(
        "I'll send {name} a card and let you know when they join.", name=account_name(account)
    )
    return Card(ctx.t("Invite a colleague"), (Note(said, "good"),))


async def _invite_by_code(ctx: Context) -> Card:
    """Show a line with a one-time code to copy, for a colleague the hub cannot write to.

    Raises Refusal when the member has given too many invitations this week.
    """
    t, code = ctx.t, generate_code()
    made = await invitations.create_invitation(
        ctx.session, ctx.member, ctx.now, hash_=fingerprint(code)
    )
    if made is None:
        raise _limit_refusal(ctx)
    audit.record_act(
        ctx.session, ctx.now, ctx.member.id, "code for a colleague", f"invitation:{made.id}"
    )
    return Card(
        title=t("Invite a colleague"),
        parts=(
            Text(
                t(
                    "I can't message them for you. Send them this line yourself; it works once, "
                    "within seven days:"
                )
            ),
            Text(f"{SLASH} join code:{code}"),
            Note(t("Only invite people you know: your word is what lets them in.")),
        ),
    )


def _limit_refusal(ctx: Context) -> Refusal:
    return Refusal(
        ctx.t(
            "You've sent {number} invitations this week, which is the limit. Your city lead has a "
            "code that works for everyone.",
            number=MAX_INVITATIONS,
        )
    )


# --- the code of a city -----------------------------------------------------------------------


def _resolve_city(ctx: Context, text: str | None) -> City:
    """Return the city whose code the asker may see: the own one for leads, any for staff.

    Raises Refusal for everybody else, and for staff who name no city and have none.
    """
    t, me = ctx.t, ctx.member
    city = places.find_city(ctx, text) if text else ctx.reference.cities.get(me.city_id or 0)
    if city and can_decide(me, city.id):
        return city
    if city is None and is_staff(me):
        raise Refusal(
            t(
                "Please name the city, for example: {command}",
                command=f"{SLASH} invite code city:Boston",
            )
        )
    raise Refusal(
        t(
            "A city's code is for its leads and staff. You can invite colleagues from your own "
            "city one by one."
        ),
        buttons=(Button(t("A code for one colleague"), "invite somebody"),),
    )


async def _city_code_card(ctx: Context, city: City) -> Card:
    """Show how old the city's code is and how many used it; make the first one if there is none.

    Only a fingerprint of the code is stored, so it cannot be shown again.
    """
    t = ctx.t
    code = await invitations.find_code(ctx.session, city.id)
    if code is None:
        return await _rotate_code(ctx, city)
    made = t.ago(code.made_at, ctx.now)
    facts = (
        Fact(t("Created"), made),
        Fact(t("Colleagues who joined with it"), t.number(code.uses)),
    )
    return Card(
        title=t("The code for {city}", city=places.city_place(t, city)),
        parts=(
            Facts(facts),
            Text(
                t(
                    "I showed it once and kept only its fingerprint. If it's lost or shared too "
                    "widely, make a new one: the old one stops working right away."
                )
            ),
            Buttons((Button(t("New code"), f"invite rotate city:{city.slug}", "danger"),)),
        ),
    )


async def _rotate_code(ctx: Context, city: City) -> Card:
    t, code = ctx.t, generate_code()
    await invitations.set_code(ctx.session, city.id, fingerprint(code), ctx.member, ctx.now)
    audit.record_act(ctx.session, ctx.now, ctx.member.id, "city code made", f"city:{city.id}")
    return Card(
        title=t("The code for {city}", city=places.city_place(t, city)),
        parts=(
            Text(
                t(
                    "Send this line to colleagues in this city and no one else. It works for as "
                    "many as you like, until you make a new one:"
                )
            ),
            Text(f"{SLASH} join code:{code}"),
            Note(
                t("Only you can see it, and only now. Older codes for this city no longer work."),
                "warning",
            ),
        ),
    )
