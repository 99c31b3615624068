"""Joining: the ways into the community, who decides about them, and what proves a member."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated

from pydantic import BaseModel, Field

from bot.cards import Button, Buttons, Card, Entry, Fact, Facts, Form, Note, Option, Reply, Text
from bot.commands import ANYONE, Context, command
from bot.community.joining import arrivals
from bot.community.joining.arrivals import wrong_code
from bot.community.people import places
from bot.community.staff import may_decide
from bot.deliveries import owe, tell_ended
from bot.domain.joining import TRIES_KEPT, fingerprint, looks_like_code, may_try, proven_by
from bot.errors import Misfit, Refusal
from bot.forms import form_of
from bot.i18n import translator
from bot.parsing import Hidden, Suggest, short
from db import invitations, joining, members
from db.cities import City
from db.invitations import Invitation
from db.joining import JoinRequest
from db.members import Account


class Join(BaseModel):
    """Become a member: with a code, by your workspace, or by asking"""

    city: Annotated[str | None, Suggest("city")] = Field(
        default=None, max_length=80, title="City you work for", description="For example: Boston"
    )
    code: str | None = Field(
        default=None,
        max_length=40,
        title="Code",
        description="From a colleague who is in; leave it empty if you have none",
    )
    ask: Annotated[bool | None, Hidden()] = Field(default=None, title="Ask to be let in")
    invitation: Annotated[int | None, Hidden()] = Field(
        default=None, ge=1, lt=10**9, title="Invitation"
    )


@command("join", allow=ANYONE, room="me", writes=True, example="join Boston")
async def join(ctx: Context, ask: Join) -> Reply:
    """By invitation, by code, by what can be seen of the account, else by asking those inside."""
    account = await _newcomer(ctx)
    if ask.invitation is not None:
        return await _invited(ctx, account, ask.invitation, no=ask.ask is False)
    code = ask.code or (ask.city if ask.city and looks_like_code(ask.city) else "")
    if code:
        return await _with_code(ctx, account, code, "" if code == ask.city else ask.city or "")
    if ask.city is None:
        return await _form(ctx, account)
    found = _nameable(ctx, account, ask.city)
    if len(found) != 1:
        return await _not_one(ctx, account, ask, found)
    return await _for_city(ctx, account, ctx.known.cities[found[0]], asks=bool(ask.ask))


async def _newcomer(ctx: Context) -> Account:
    """The asker's own account, held, which may be let in."""
    t, account = ctx.t, await arrivals.own_account(ctx)
    person = account.member
    if person and person.status == "verified":
        raise Refusal(
            t("You are in: {place}.", place=places.place(t, person.city)),
            title=t("You are a member already"),
            buttons=(Button(t("Home"), "home"), Button(t("What proves me"), "verify")),
        )
    return arrivals.free(t, account)


async def _form(ctx: Context, account: Account) -> Form:
    """Filled with the city that can be guessed from where the person is."""
    home = account.workspace
    city = ctx.known.cities.get(home.city_id or await _city_of_address(ctx, account) or 0)
    known = {"city": (places.city_place(ctx.t, city),)} if city else {}
    form = form_of("join", "Join the community", ctx.commands["join"].arguments, ctx.t, known)
    intro = ctx.t(
        "For people who work with data in a city government. Without a code I look for "
        "another way, or ask those inside."
    )
    return replace(form, intro=intro)


# --- a code, an invitation --------------------------------------------------------------------


async def _with_code(ctx: Context, account: Account, code: str, city: str) -> Card:
    """The same questions and one answer, whatever is wrong with a code."""
    old = ctx.now - TRIES_KEPT
    looked_at = may_try(*await joining.tries(ctx.session, account, old))
    named = tuple(ctx.known.gazetteer.city(city)) if city else ()
    hash_ = fingerprint(code if looked_at else "")
    opened = await invitations.opens(ctx.session, hash_, ctx.now, named)
    if opened is None:
        if looked_at:
            await joining.note_try(ctx.session, account, ctx.now, old)
        return wrong_code(ctx.t)
    _, card = await arrivals.arrive(ctx, account, ctx.known.cities[opened.city_id], opened.way)
    return card


async def _invited(ctx: Context, account: Account, number: int, *, no: bool) -> Card:
    t = ctx.t
    found = await invitations.invitation(ctx.session, number, lock=True)
    if found is None or found.account_id != account.id or not invitations.is_good(found, ctx.now):
        raise Refusal(
            t(
                "This invitation does not hold any more. Ask your colleague for another one, or "
                "ask to be let in."
            ),
            buttons=(Button(t("Join"), "join"),),
        )
    if no:
        found.status = "declined"
        return Card(t("Understood"), (Text(t("Nobody invites you here again.")),))
    found.status = "used"
    person, card = await arrivals.arrive(
        ctx, account, ctx.known.cities[found.city_id], "invitation"
    )
    await _tell_inviter(ctx, found, person.name)
    return card


async def _tell_inviter(ctx: Context, found: Invitation, name: str) -> None:
    t = translator(found.by.language)
    said = t("{name} has accepted your invitation.", name=name)
    await owe(
        ctx.session,
        ctx.now,
        found.by,
        "answer",
        Card(t("A colleague is in"), (Text(said),)),
        key=f"invitation:{found.id}:used",
    )


# --- a city -----------------------------------------------------------------------------------


def _nameable(ctx: Context, account: Account, text: str) -> Sequence[int]:
    """The cities meant, among those that may be named to somebody outside.

    Besides, the one whose workspace this is: its people know where they work.
    """
    own = account.workspace.city_id
    if own and list(ctx.known.gazetteer.city(text)) == [own]:
        return [own]
    return ctx.known.public.city(text)


async def _not_one(ctx: Context, account: Account, ask: Join, found: Sequence[int]) -> Card:
    """Namesakes to choose from; for an unknown name the nearest, or the staff who know more."""
    t, text = ctx.t, ask.city or ""
    if found:
        cities = (ctx.known.cities[key] for key in found[:5])
        raise Misfit(
            t("There are several cities called «{name}». Which one?", name=short(text)),
            name="city",
            choices=tuple(Option(places.city_place(t, c), c.slug) for c in cities),
        )
    if ask.ask:
        return await _asked(ctx, account, None, text)
    said = text.replace('"', "'")
    near = [ctx.known.cities[key] for key in ctx.known.public.near(text)]
    buttons = [Button(places.city_place(t, c)[:75], f"join {c.slug}") for c in near]
    buttons.append(Button(t("Ask the staff"), f'join city:"{said}" ask:yes', "primary"))
    return Card(
        title=t("Not quite"),
        parts=(
            Note(t("I know no city called «{name}».", name=short(text)), "warning"),
            Text(t("If it is none of these, the staff of the programme can look for it.")),
            Buttons(tuple(buttons)),
        ),
        tone="warning",
    )


async def _for_city(ctx: Context, account: Account, city: City, *, asks: bool) -> Card:
    """In at once where that can be seen; else the offer to ask, or the request itself."""
    # a guest of the workspace, or who may be one, is not let in by it
    if account.workspace.city_id == city.id and not ctx.request.sender.unsure:
        return (await arrivals.arrive(ctx, account, city, "workspace"))[1]
    if await _city_of_address(ctx, account) == city.id:
        return await _by_address(ctx, account, city)
    if asks:
        return await _asked(ctx, account, city, "")
    t, where = ctx.t, places.city_place(ctx.t, city)
    return Card(
        title=t("Join for {city}", city=where),
        parts=(
            Text(t("I cannot see from here that you work for {city}.", city=where)),
            Entry(
                t("With a code"),
                (t("A colleague who is in can invite you or give you one."),),
                buttons=(Button(t("I have a code"), "join"),),
            ),
            Entry(
                t("By asking"),
                (t("The leads of the city and the staff see your name and where you write from."),),
                buttons=(Button(t("Ask to be let in"), f"join {city.slug} ask:yes", "primary"),),
            ),
        ),
    )


async def _city_of_address(ctx: Context, account: Account) -> int | None:
    """The city that the account's address proves, where staff vouch for the workspace.

    Elsewhere whoever runs the workspace could have given anybody any address.
    """
    domain = proven_by(ctx.request.sender.email) if account.workspace.vouched else ""
    return await invitations.city_of_domain(ctx.session, domain) if domain else None


async def _by_address(ctx: Context, account: Account, city: City) -> Card:
    email = ctx.request.sender.email.casefold().removesuffix(".")
    other = await members.by_email(ctx.session, email)
    if other and other.id != account.member_id:
        raise Refusal(
            ctx.t(
                "Somebody with your e-mail address is a member already. If that is you, link "
                "this account to your profile; if not, please tell the staff."
            ),
            buttons=(Button(ctx.t("Link my account"), "link"),),
        )
    person, card = await arrivals.arrive(ctx, account, city, "email")
    person.email = email
    return card


async def _asked(ctx: Context, account: Account, city: City | None, said: str) -> Card:
    t = ctx.t
    request, new, ended = await joining.ask(
        ctx.session, account, city.id if city else None, said, ctx.now
    )
    await tell_ended(ctx.session, ctx.now, ended)
    if request is None:
        raise Refusal(
            t(
                "There are many requests already, from you or from your workspace. Please "
                "wait for the answers, or ask a colleague for a code."
            )
        )
    if new:
        await arrivals.tell_deciders(ctx, request, account, city)
    where = places.city_place(t, city) if city else short(said)
    return Card(
        title=t("Your wish to join"),
        parts=(
            Note(
                t("Asked for {city}. You are told here as soon as somebody decides.", city=where),
                "good",
            ),
            Text(t("Until then public facts are open to you.")),
            Buttons((Button(t("Help"), "help"), Button(t("What is open"), "verify"))),
        ),
    )


# --- verify -----------------------------------------------------------------------------------


class Verify(BaseModel):
    """See what proves that you belong here, and what is open"""


@command("verify", allow=ANYONE, room="me", example="verify")
async def verify(ctx: Context, ask: Verify) -> Card:
    """The proof of a member, or where a wish to join stands."""
    t, person = ctx.t, ctx.viewer
    if person is None or person.status != "verified":
        return await _open_wish(ctx)
    facts = [
        Fact(t("You belong to"), places.place(t, person.city)),
        Fact(t("Proved by"), _way(ctx)),
    ]
    if person.proved_at:
        facts.append(Fact(t("Since"), t.ago(person.proved_at, ctx.now)))
    buttons = [Button(t("My accounts"), "link list"), Button(t("Invite a colleague"), "invite")]
    if may_decide(person, person.city_id):
        buttons.append(Button(t("Who asks to be let in"), "admit"))
    title = t("What proves you")
    return Card(title, (Facts(tuple(facts)), Buttons(tuple(buttons))))


def _way(ctx: Context) -> str:
    t = ctx.t
    match ctx.member.way:
        case "code":
            return t("the code of your city")
        case "invitation":
            return t("the word of a colleague")
        case "workspace":
            return t("the workspace of your city")
        case "email":
            return t("your e-mail address at work")
        case "approval":
            return t("somebody who knows you")
        case "setting":
            return t("the people who run the hub")
        case _:
            return t("the staff of the programme")


async def _open_wish(ctx: Context) -> Card:
    t = ctx.t
    account = None if ctx.request.sender.stranger else ctx.account
    asked = await joining.asked_by(ctx.session, [account.id]) if account else {}
    join_ = Buttons((Button(t("Join"), "join", "primary"), Button(t("Help"), "help")))
    if account is None or account.id not in asked:
        said = t("Nothing yet: you are not a member, and no request of yours is open.")
        return Card(t("What proves you"), (Text(said), join_))
    request = asked[account.id]
    when = t.ago(request.made_at, ctx.now)
    facts = (Fact(t("You asked for"), _wanted(ctx, request)), Fact(t("Asked"), when))
    said = t("Nobody has decided yet. With a code you need not wait.")
    return Card(t("What proves you"), (Facts(facts), Text(said), join_))


def _wanted(ctx: Context, request: JoinRequest) -> str:
    city = ctx.known.cities.get(request.city_id or 0)
    return places.city_place(ctx.t, city) if city else f"«{short(request.said)}»"
