"""Admits people: the welcome, the first week, and the messages about a request to join."""

from datetime import timedelta

from bot import deliveries
from bot.cards import Button, Buttons, Card, Entry, Note, Part, Text
from bot.commands import Context
from bot.community import staff
from bot.community.people import places
from bot.domain.joining import FIRST_WEEK_STEPS, schedule_first_week
from bot.domain.ranking import base_points
from bot.errors import Refusal
from bot.i18n import Translator, language_of, translator
from db import audit, directory, joining
from db.cities import City
from db.joining import JoinRequest
from db.members import Account, Member

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


def require_free_account(t: Translator, account: Account) -> Account:
    """Return the account; raise a `Refusal` if it belongs to a member who has not left."""
    if account.member and account.member.status != "left":
        raise Refusal(t("This account can't join on its own. Please contact the program staff."))
    return account


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
    answer = ("approved", approver.id) if approver else ("withdrawn", None)
    ended = await joining.close_requests(ctx.session, account, ctx.now, *answer)
    await deliveries.run_ended_hooks(ctx.session, ctx.now, ended)
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
    return person, _welcome_card(person, city, is_first=first)


def _welcome_card(person: Member, city: City, *, is_first: bool) -> Card:
    t = translator(person.language)
    name, where = person.first_name, places.city_place(t, city)
    return Card(
        title=t("Welcome, {name}", name=name) if is_first else t("Welcome back, {name}", name=name),
        parts=(
            Note(t("You're now a member for {city}.", city=where), "good"),
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
