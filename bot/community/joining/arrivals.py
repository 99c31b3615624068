"""Admits people: the welcome, the first week, and the messages about a request to join."""

from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from bot import deliveries
from bot.cards import Button, Buttons, Card, Entry, Note, Part, Text
from bot.commands import Context
from bot.community import parting, staff
from bot.community.parting import Parting
from bot.community.people import places
from bot.domain.joining import FIRST_WEEK_STEPS, schedule_first_week
from bot.domain.ranking import base_points
from bot.errors import Refusal
from bot.i18n import Translator, language_of, translator
from db import audit, directory, invitations, joining, kept
from db.cities import City
from db.joining import JoinRequest
from db.members import Account, Member
from db.outbox import Delivery

STALE_AFTER = timedelta(days=5)
"""A card of the first week expires if it could not be sent for this long."""


def account_name(account: Account) -> str:
    """Return the name an account has on its platform, else its id there."""
    return account.name or account.external_id


def workspace_label(account: Account) -> str:
    """Return the name of an account's workspace, else «Slack» or «Discord» and its id."""
    home = account.workspace
    return home.name or f"{home.platform.capitalize()} {home.external_id}"


async def load_own_account(ctx: Context) -> Account:
    """Load and lock the asker's own account; raise a `Refusal` for guests, who cannot join here."""
    if ctx.account is None or ctx.request.sender.is_outsider:
        raise Refusal(
            ctx.t(
                "Please try this in your own city's workspace: you're a guest here, or I can't "
                "tell where you belong."
            )
        )
    account = await joining.lock_account(ctx.session, ctx.account.id)
    if account is None:
        raise LookupError("the account vanished while it asked")
    return account


async def require_unsuspended(ctx: Context, account: Account) -> Account:
    """Return the account; raise a `Refusal` with the way to appeal if its owner is suspended.

    Also if they were forgotten since.
    """
    t = ctx.t
    if await find_suspended(ctx, account):
        raise Refusal(
            t(
                "The program staff has suspended your membership, and joining again doesn't lift "
                "that. If you think it's wrong, appeal: someone else on the staff will look at it."
            ),
            title=t("Suspended"),
            buttons=(Button(t("Appeal"), "appeal", "primary"),),
        )
    return account


async def find_suspended(ctx: Context, account: Account) -> Member | None:
    """Find the suspended member whose account this is, or was before being forgotten."""
    if account.member and account.member.status == "suspended":
        return account.member
    fingerprints = parting.list_fingerprints(ctx.links.keys(), account)
    return await kept.find_suspended(ctx.session, fingerprints)


async def attach_suspended(ctx: Context, account: Account) -> Member | None:
    """Make the owner of a locked account a suspended member again, whom staff can restore.

    Returns the member; None if the account is under no suspension.
    """
    if account.member and account.member.status == "suspended":
        return account.member
    fingerprints = parting.list_fingerprints(ctx.links.keys(), account)
    person = await kept.attach_suspended(ctx.session, ctx.now, account, fingerprints)
    if person is not None and account.locale:
        person.language = language_of(account.locale)
    return person


async def suspension_card(ctx: Context, account: Account) -> Card | None:
    """Render for those who would let somebody in that the staff suspended them; None if not so.

    Staff get the button that lifts it.
    """
    person = await attach_suspended(ctx, account)
    if person is None:
        return None
    t = ctx.t
    said = t("{name} is suspended. Only the program staff can lift that.", name=person.name)
    restore = Button(t("Restore"), f"admin members restore {person.id}")
    buttons = (Buttons((restore,)),) if staff.is_staff(ctx.member) else ()
    return Card(title=person.name, parts=(Note(said, "warning"), *buttons), tone="warning")


def account_translator(account: Account) -> Translator:
    """Return the translator for an account: by its member's language, else its locale."""
    if account.member:
        return translator(account.member.language)
    return translator(language_of(account.locale))


def wrong_code_card(t: Translator) -> Card:
    """Render the same answer to every invalid code, so that it does not show why it is invalid.

    It is a card and not a `Refusal`, because a refusal rolls back, and this try must count.
    """
    said = t(
        "This code doesn't work: it may be mistyped, used up, replaced, or too old. After five "
        "tries, I can't check codes for 15 minutes."
    )
    ask = t("Ask your colleague for a new one, or ask to join without a code.")
    buttons = Buttons((Button(t("Join"), "join"), Button(t("Help"), "help")))
    return Card(t("Not quite"), (Note(said, "warning"), Text(ask), buttons), tone="warning")


# --- admitting --------------------------------------------------------------------------------


async def admit_account(
    ctx: Context, account: Account, city: City, way: str, approver: Member | None = None
) -> tuple[Member, Card]:
    """Make the owner of a locked account a member; return the member and the welcome card.

    The first time this also begins the first week. `way` is for the audit log. `approver`: who
    let them in; None if they joined by themselves, which withdraws their open requests.
    """
    person, new = await joining.admit_account(ctx.session, account, city, way, ctx.now)
    if new and account.locale:
        person.language = language_of(account.locale)
        person.spoken = f" {person.language} "
    fingerprints = parting.list_fingerprints(ctx.links.keys(), account)
    await kept.return_sanctions(ctx.session, ctx.now, person, fingerprints)
    await close_requests(ctx, account, "approved" if approver else "withdrawn")
    await directory.refresh_member(ctx.session, person, base_points)
    audit.record_act(
        ctx.session,
        ctx.now,
        approver.id if approver else person.id,
        "member approved" if approver else f"member joined by {way}",
        f"member:{person.id}",
    )
    first = person.welcomed_at is None
    if first:
        person.welcomed_at = ctx.now
        await _begin_first_week(ctx, person)
    return person, _welcome_card(person, city, ctx.now, is_first=first)


def _welcome_card(person: Member, city: City, now: datetime, *, is_first: bool) -> Card:
    t = translator(person.language)
    until = person.muted_until if person.is_muted(now) else None
    name, where = person.first_name, places.city_place(t, city)
    return Card(
        title=t("Welcome, {name}", name=name) if is_first else t("Welcome back, {name}", name=name),
        parts=(
            Note(t("You're now a member for {city}.", city=where), "good"),
            *((Note(staff.describe_mute(t, until), "warning"),) if until else ()),
            Text(
                t(
                    "No one can find you yet: add what you know to your profile and let others "
                    "see it."
                )
            ),
            Buttons(
                (
                    Button(t("Edit my profile"), "profile edit", "primary"),
                    Button(t("My first week"), "welcome"),
                    Button(t("Who does open data?"), "who-does open data"),
                )
            ),
        ),
        tone="good",
    )


async def _begin_first_week(ctx: Context, person: Member) -> None:
    """Enqueue the cards of the first week, one on each of the next working days.

    They name no people; those are looked up when a button is pressed. A card that waits for days
    must not hold the name of somebody who may have left by then.
    """
    t = translator(person.language)
    for step, at in schedule_first_week(ctx.now, person.zone):
        parts: tuple[Part, ...] = (first_week_entry(t, step),)
        await deliveries.enqueue(
            ctx.session,
            ctx.now,
            person,
            "welcome",
            Card(t("Your first week"), parts),
            key=f"welcome:{person.id}:{step}",
            at=at,
            expires=at + STALE_AFTER,
        )


def first_week_entry(t: Translator, step: str) -> Entry:
    """Render one step of `FIRST_WEEK_STEPS`, with a button that leads to it."""
    title, line, label = {
        "person": (
            t("Meet someone"),
            t("Someone who speaks your language and is open to questions."),
            t("Show me who"),
        ),
        "topic": (
            t("Look at one topic"),
            t("Who works on it in other cities, and what they know about it."),
            t("Choose a topic"),
        ),
        "profile": (
            t("Say what you know"),
            t("Two topics and a sentence are enough for others to find you."),
            t("Edit my profile"),
        ),
    }[step]
    command = {"person": "welcome person", "topic": "topics", "profile": "profile edit"}[step]
    return Entry(title, (line,), buttons=(Button(label, command, "primary"),))


def first_week_entries(t: Translator) -> tuple[Entry, ...]:
    """Render all steps of the first week."""
    return tuple(first_week_entry(t, step) for step in FIRST_WEEK_STEPS)


# --- requests to join -------------------------------------------------------------------------


async def notify_deciders(
    ctx: Context, request: JoinRequest, account: Account, city: City | None
) -> None:
    """Enqueue a card with both answers for everybody who may let the account in."""

    def render(t: Translator, _: Member) -> Card:
        return request_card(t, request, account, city)

    await staff.notify_staff(
        ctx.session,
        ctx.now,
        render,
        key=f"join:{request.id}:asked",
        city_id=city.id if city else None,
    )


def request_card(t: Translator, request: JoinRequest, account: Account, city: City | None) -> Card:
    """Render a request to join for those who decide; `city` is None if it is not known."""
    where = places.city_place(t, city) if city else ""
    said = (
        t("Wants to join for {city}.", city=where)
        if city
        else t("Says «{text}», which isn't a city I know.", text=request.said)
    )
    yes = f"admit {request.id} yes" if city else f"admin members approve {account.id}"
    return Card(
        title=t("Someone wants to join"),
        parts=(
            Entry(
                title=account_name(account),
                lines=(said, t("from {workspace}", workspace=workspace_label(account))),
                note=t("They chose this name themselves: approve only people you know."),
                buttons=(
                    Button(t("Approve"), yes, "primary"),
                    Button(t("Decline"), f"admit {request.id} no", "danger"),
                ),
            ),
        ),
    )


async def close_requests(ctx: Context, account: Account, status: str) -> None:
    """Close the open request of a locked account, as the asker decided or because it is over.

    `status` is approved, declined or withdrawn. Cards about it that are not sent yet are cancelled,
    and those that were sent say what became of it.
    """
    by = ctx.member if status != "withdrawn" else None
    asked = await joining.find_open_requests(ctx.session, [account.id])
    ended = await joining.close_requests(
        ctx.session, account, ctx.now, status, by.id if by else None
    )
    await deliveries.run_ended_hooks(ctx.session, ctx.now, ended)

    def describe(t: Translator) -> str:
        if by is None:
            return t("This is over: they came in another way, or asked for something else.")
        if status == "approved":
            return t("{name} let them in.", name=by.name)
        return t("{name} declined.", name=by.name)

    for request in asked.values():
        await deliveries.mark_decided(ctx.session, ctx.now, f"join:{request.id}:asked", describe)


async def notify_asker(ctx: Context, account: Account, card: Card, key: str) -> None:
    """Enqueue the answer to a request for the account that made it, in its language."""
    t = account_translator(account)
    await deliveries.enqueue_for_account(
        ctx.session, ctx.now, account, "answer", card, key=key, language=t.language
    )


def rejection_card(t: Translator, city: str) -> Card:
    """Render a rejected request, without saying who rejected it; `city` may be empty."""
    return Card(
        title=t("Your request to join"),
        parts=(
            Text(
                t(
                    "Your request to join {city} was declined. If that was a mistake, a colleague "
                    "who is a member can invite you.",
                    city=city,
                )
                if city
                else t(
                    "Your request to join was declined. If that was a mistake, a colleague who is "
                    "a member can invite you."
                )
            ),
            Buttons((Button(t("Join"), "join"), Button(t("Help"), "help"))),
        ),
    )


@parting.ends("suspended", "muted")
async def withdraw_invitations(session: AsyncSession, now: datetime, act: Parting) -> None:
    """Withdraw the invitations of a member that did not arrive yet."""
    given = await invitations.list_given_by(session, act.member.id)
    keys = [invitations.card_key(number) for number in given]
    await deliveries.withdraw_unsettled(session, now, Delivery.key.in_(keys))
