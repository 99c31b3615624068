"""Joining: become a member by invitation, code, workspace, e-mail address or request."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated

from pydantic import BaseModel, Field

from bot.cards import Button, Buttons, Card, Entry, Fact, Facts, Form, Note, Option, Reply, Text
from bot.commands import ANYONE, Context, Spelled, command
from bot.community.joining import arrivals
from bot.community.joining.arrivals import wrong_code_card
from bot.community.parting import list_fingerprints
from bot.community.people import places
from bot.community.staff import can_decide
from bot.deliveries import enqueue, run_ended_hooks
from bot.domain.joining import can_try, extract_domain, fingerprint, split_code
from bot.errors import InvalidArgumentError, Refusal
from bot.forms import build_form
from bot.i18n import translator
from bot.parsing import HiddenField, Suggestions, shorten
from db import invitations, joining, members
from db.cities import City
from db.invitations import Invitation
from db.joining import JoinRequest
from db.members import Account


class Join(BaseModel):
    """Become a member: with a code, through your workspace, or by asking"""

    city: Annotated[str | None, Suggestions("city")] = Field(
        default=None,
        max_length=80,
        title="The city you work for",
        description="For example: Boston",
    )
    code: str | None = Field(
        default=None,
        max_length=40,
        title="Code",
        description="From a colleague who is a member. Leave it empty if you don't have one",
    )
    ask: Annotated[bool | None, HiddenField()] = Field(default=None, title="Ask to join")
    invitation: Annotated[int | None, HiddenField()] = Field(
        default=None, ge=1, lt=10**9, title="Invitation"
    )


@command(
    "join",
    allow=ANYONE,
    room="me",
    spelled=Spelled("unirme|unirse", "participar|entrar", "rejoindre|adherer"),
    writes=True,
    example="join Boston",
)
async def join(ctx: Context, ask: Join) -> Reply:
    """Admit the asker by invitation, code, workspace or e-mail address; else offer to ask."""
    account = await _load_newcomer(ctx)
    if ask.invitation is not None:
        return await _answer_invitation(ctx, account, ask.invitation, is_declined=ask.ask is False)
    city, code = _split_code(ask)
    if code:
        return await _join_by_code(ctx, account, code, city)
    if ask.city is None:
        return await _join_form(ctx, account)
    found = _find_nameable_cities(ctx, account, ask.city)
    if len(found) != 1:
        return await _unclear_city_card(ctx, account, ask, found)
    return await _join_city(
        ctx, account, ctx.reference.cities[found[0]], wants_to_ask=bool(ask.ask)
    )


async def _load_newcomer(ctx: Context) -> Account:
    """Load and lock the asker's own account. Raises Refusal for guests and for members."""
    t, account = ctx.t, await arrivals.load_own_account(ctx)
    person = account.member
    if person and person.status == "verified":
        raise Refusal(
            t("You are in: {place}.", place=places.workplace(t, person.city)),
            title=t("You're already a member"),
            buttons=(Button(t("Home"), "home"), Button(t("What verifies me"), "verify")),
        )
    return await arrivals.require_unsuspended(ctx, account)


async def _join_form(ctx: Context, account: Account) -> Form:
    """Return the form; the city is filled in if the workspace or the e-mail address tells it."""
    home = account.workspace
    city = ctx.reference.cities.get(home.city_id or await _find_city_by_email(ctx, account) or 0)
    known = {"city": (places.city_place(ctx.t, city),)} if city else {}
    form = build_form("join", "Join the community", ctx.commands["join"].arguments, ctx.t, known)
    intro = ctx.t(
        "For people who work with data in city government. No code? I'll look for another way, "
        "or ask the people who can let you in."
    )
    return replace(form, intro=intro)


def _split_code(ask: Join) -> tuple[str, str]:
    """Return the city and the code as they were given, or as one was typed behind the other."""
    city, code = ask.city or "", ask.code or ""
    rest, whole = split_code(f"{code} {city}" if code else city)
    return (rest, whole) if whole and not (code and rest) else (city, code)


# --- a code, an invitation --------------------------------------------------------------------


async def _join_by_code(ctx: Context, account: Account, code: str, city: str) -> Card:
    """Admit an account by a code.

    Every code that opens nothing gets the same answer after the same queries, so that nothing
    tells why. After too many failed tries no code is looked at.
    """
    old = ctx.now - joining.TRY_WINDOW
    marks = list_fingerprints(ctx.links.keys(), account)
    looked_at = can_try(*await joining.count_failed_codes(ctx.session, account, marks, old))
    named = tuple(ctx.reference.gazetteer.find_cities(city)) if city else ()
    hash_ = fingerprint(code if looked_at else "")
    opened = await invitations.redeem_code(ctx.session, hash_, ctx.now, named)
    if opened is None:
        if looked_at:
            await joining.record_failed_code(ctx.session, account, ctx.now, old)
        return wrong_code_card(ctx.t)
    _, card = await arrivals.admit_account(
        ctx, account, ctx.reference.cities[opened.city_id], opened.way
    )
    return card


async def _answer_invitation(
    ctx: Context, account: Account, number: int, *, is_declined: bool
) -> Card:
    t = ctx.t
    found = await invitations.load_invitation(ctx.session, number, lock=True)
    if found is None or found.account_id != account.id or not invitations.is_valid(found, ctx.now):
        raise Refusal(
            t(
                "This invitation no longer works. Ask your colleague for another one, or ask to "
                "join."
            ),
            buttons=(Button(t("Join"), "join"),),
        )
    if is_declined:
        found.status = "declined"
        return Card(t("Got it"), (Text(t("No one will invite you here again.")),))
    found.status = "used"
    person, card = await arrivals.admit_account(
        ctx, account, ctx.reference.cities[found.city_id], "invitation"
    )
    await _notify_inviter(ctx, found, person.name)
    return card


async def _notify_inviter(ctx: Context, found: Invitation, name: str) -> None:
    t = translator(found.by.language)
    said = t("{name} has accepted your invitation.", name=name)
    await enqueue(
        ctx.session,
        ctx.now,
        found.by,
        "answer",
        Card(t("A colleague joined"), (Text(said),)),
        key=f"invitation:{found.id}:used",
    )


# --- a city -----------------------------------------------------------------------------------


def _find_nameable_cities(ctx: Context, account: Account, text: str) -> Sequence[int]:
    """Return the numbers of the cities of this name that may be named to somebody outside.

    The city whose workspace this is counts too, certified or not: its people know where they work.
    """
    own = account.workspace.city_id
    if own and list(ctx.reference.gazetteer.find_cities(text)) == [own]:
        return [own]
    return ctx.reference.public_gazetteer.find_cities(text)


async def _unclear_city_card(
    ctx: Context, account: Account, ask: Join, found: Sequence[int]
) -> Card:
    """Answer a name that does not mean exactly one city.

    Raises InvalidArgumentError with the namesakes, if there are any. For an unknown name, return
    the nearest ones and the offer to ask the staff, or ask them if the asker wants that.
    """
    t, text = ctx.t, ask.city or ""
    if found:
        cities = (ctx.reference.cities[key] for key in found[:5])
        raise InvalidArgumentError(
            t("There are several cities called «{name}». Which one?", name=shorten(text)),
            name="city",
            choices=tuple(Option(places.city_place(t, c), c.slug) for c in cities),
        )
    if ask.ask:
        return await _request_to_join(ctx, account, None, text)
    said = text.replace('"', "'")
    near = [ctx.reference.cities[key] for key in ctx.reference.public_gazetteer.find_near(text)]
    buttons = [Button(places.city_place(t, c)[:75], f"join {c.slug}") for c in near]
    buttons.append(Button(t("Ask the staff"), f'join city:"{said}" ask:yes', "primary"))
    return Card(
        title=t("Not quite"),
        parts=(
            Note(t("I don't know a city called «{name}».", name=shorten(text)), "warning"),
            Text(t("If it's none of these, the program staff can look into it.")),
            Buttons(tuple(buttons)),
        ),
        tone="warning",
    )


async def _join_city(ctx: Context, account: Account, city: City, *, wants_to_ask: bool) -> Card:
    """Admit an account if its workspace or e-mail address proves the city.

    Otherwise return the offer to ask, or file the request if the asker wants that.
    """
    # the workspace proves nothing for its guests, nor for people who may be guests
    if account.workspace.city_id == city.id and not ctx.request.sender.is_unverified:
        return (await arrivals.admit_account(ctx, account, city, "workspace"))[1]
    if await _find_city_by_email(ctx, account) == city.id:
        return await _join_by_email(ctx, account, city)
    if wants_to_ask:
        return await _request_to_join(ctx, account, city, "")
    t, where = ctx.t, places.city_place(ctx.t, city)
    return Card(
        title=t("Join for {city}", city=where),
        parts=(
            Text(t("I can't tell from here that you work for {city}.", city=where)),
            Entry(
                t("With a code"),
                (t("A colleague who is already a member can invite you or give you one."),),
                buttons=(Button(t("I have a code"), "join"),),
            ),
            Entry(
                t("By request"),
                (t("The city's leads and the staff see your name and where you're writing from."),),
                buttons=(Button(t("Ask to join"), f"join {city.slug} ask:yes", "primary"),),
            ),
        ),
    )


async def _find_city_by_email(ctx: Context, account: Account) -> int | None:
    """Return the number of the city that the sender's e-mail address proves, or None.

    Only addresses in workspaces that staff vouch for count: elsewhere the people who run the
    workspace could have given anybody any address.
    """
    domain = extract_domain(ctx.request.sender.email) if account.workspace.vouched else ""
    return await invitations.find_city_of_domain(ctx.session, domain) if domain else None


async def _join_by_email(ctx: Context, account: Account, city: City) -> Card:
    email = ctx.request.sender.email.casefold().removesuffix(".")
    other = await members.find_by_email(ctx.session, email)
    if other and other.id != account.member_id:
        raise Refusal(
            ctx.t(
                "Someone with your email address is already a member. If that's you, link this "
                "account to your profile; if not, please tell the staff."
            ),
            buttons=(Button(ctx.t("Link my account"), "link"),),
        )
    person, card = await arrivals.admit_account(ctx, account, city, "email")
    person.email = email
    return card


async def _request_to_join(ctx: Context, account: Account, city: City | None, said: str) -> Card:
    t = ctx.t
    marks = list_fingerprints(ctx.links.keys(), account)
    request, new, ended = await joining.create_request(
        ctx.session, account, marks, city.id if city else None, said, ctx.now
    )
    await run_ended_hooks(ctx.session, ctx.now, ended)
    if request is None:
        raise Refusal(
            t(
                "There are already many requests from you or your workspace. Please wait for the "
                "answers, or ask a colleague for a code."
            )
        )
    if new:
        await arrivals.notify_deciders(ctx, request, account, city)
    where = places.city_place(t, city) if city else shorten(said)
    return Card(
        title=t("Your request to join"),
        parts=(
            Note(
                t(
                    "You asked to join {city}. I'll let you know here as soon as someone decides.",
                    city=where,
                ),
                "good",
            ),
            Text(t("Until then, you can see public facts.")),
            Buttons((Button(t("Help"), "help"), Button(t("What's open"), "verify"))),
        ),
    )


# --- verify -----------------------------------------------------------------------------------


class Verify(BaseModel):
    """See what verifies you and what is still open"""


@command(
    "verify",
    allow=ANYONE,
    room="me",
    spelled=Spelled("verificar", "verificar", "verifier"),
    example="verify",
)
async def verify(ctx: Context, ask: Verify) -> Card:
    """Show what proves that the asker is a member, or the state of the request to join."""
    t, person = ctx.t, ctx.viewer
    if person is None or person.status != "verified":
        return await _open_request_card(ctx)
    facts = [
        Fact(t("You belong to"), places.workplace(t, person.city)),
        Fact(t("Verified by"), _proof_text(ctx)),
    ]
    if person.proved_at:
        facts.append(Fact(t("Since"), t.ago(person.proved_at, ctx.now)))
    buttons = [Button(t("My accounts"), "link list"), Button(t("Invite a colleague"), "invite")]
    if can_decide(person, person.city_id):
        buttons.append(Button(t("Who wants to join"), "admit"))
    title = t("What verifies you")
    return Card(title, (Facts(tuple(facts)), Buttons(tuple(buttons))))


def _proof_text(ctx: Context) -> str:
    t = ctx.t
    match ctx.member.way:
        case "code":
            return t("your city's code")
        case "invitation":
            return t("a colleague's word")
        case "workspace":
            return t("your city's workspace")
        case "email":
            return t("your work email address")
        case "approval":
            return t("someone who knows you")
        case "setting":
            return t("the people who run the hub")
        case _:
            return t("the program staff")


async def _open_request_card(ctx: Context) -> Card:
    t = ctx.t
    account = None if ctx.request.sender.is_outsider else ctx.account
    asked = await joining.find_open_requests(ctx.session, [account.id]) if account else {}
    join_ = Buttons((Button(t("Join"), "join", "primary"), Button(t("Help"), "help")))
    if account is None or account.id not in asked:
        said = t("Nothing yet: you're not a member, and you have no open request.")
        return Card(t("What verifies you"), (Text(said), join_))
    request = asked[account.id]
    when = t.ago(request.made_at, ctx.now)
    facts = (Fact(t("You asked for"), _request_city_text(ctx, request)), Fact(t("Asked"), when))
    said = t("No one has decided yet. With a code, you don't have to wait.")
    return Card(t("What verifies you"), (Facts(facts), Text(said), join_))


def _request_city_text(ctx: Context, request: JoinRequest) -> str:
    city = ctx.reference.cities.get(request.city_id or 0)
    return places.city_place(ctx.t, city) if city else f"«{shorten(request.said)}»"
