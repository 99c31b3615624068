"""Linking: one profile for several accounts, by a code shown here, typed there, confirmed here."""

from typing import Annotated

from pydantic import BaseModel, Field

from bot.cards import SLASH, Button, Buttons, Card, Entry, Note, Part, Reply, Text
from bot.commands import ANYONE, MEMBER, Context, command
from bot.community.joining import arrivals
from bot.community.joining.arrivals import called, home_of, wrong_code
from bot.deliveries import owe, owe_account, tell_ended
from bot.domain.joining import TRIES_KEPT, fingerprint, may_try, new_code
from bot.errors import Refusal
from bot.forms import form_of
from bot.i18n import Translator, translator
from bot.parsing import Hidden
from db import audit, joining, linking
from db.linking import Link
from db.members import Account, Member
from db.outbox import Address


class LinkAsk(BaseModel):
    """Use one profile from several accounts"""

    code: str | None = Field(
        default=None,
        max_length=40,
        title="Code",
        description="As your other account shows it; there it is made with the same command",
    )
    confirm: Annotated[int | None, Hidden()] = Field(default=None, ge=1, lt=10**9, title="Confirm")
    refuse: Annotated[int | None, Hidden()] = Field(default=None, ge=1, lt=10**9, title="Refuse")


@command("link", allow=ANYONE, room="me", writes=True, example="link")
async def link(ctx: Context, ask: LinkAsk) -> Reply:
    """A code for members, the place to type it for others, and the answer to «is this you?»."""
    is_member = MEMBER.permits(ctx.viewer)
    if ask.confirm is not None or ask.refuse is not None:
        if not is_member:
            raise _nothing_to_answer(ctx)
        return await _answer(ctx, ask)
    if ask.code and ask.code.casefold() != "list":
        return await _typed(ctx, ask.code)
    if not is_member:
        arguments = ctx.commands["link"].arguments
        return form_of("link", "Link this account to your profile", arguments, ctx.t, {})
    return await (_list(ctx) if ask.code else _show(ctx))


# --- here: the code ---------------------------------------------------------------------------


async def _show(ctx: Context) -> Card:
    """The question that waits, else a new code."""
    t = ctx.t
    if ctx.account is None:
        raise Refusal(t("I cannot see which account you write from."))
    if waits := await linking.waiting(ctx.session, ctx.member.id, ctx.now):
        return _question(t, waits, ctx.member)
    code = new_code()
    await linking.begin(ctx.session, ctx.account, ctx.member.id, fingerprint(code), ctx.now)
    return Card(
        title=t("Link another account"),
        parts=(
            Text(t("Within ten minutes, type this where your other account is:")),
            Text(f"{SLASH} link {code}"),
            Note(
                t(
                    "Give it to nobody: whoever is linked speaks as you. I ask you here before "
                    "anything is linked."
                ),
                "warning",
            ),
            Buttons((Button(t("My accounts"), "link list"),)),
        ),
    )


def _question(t: Translator, link: Link, person: Member) -> Card:
    """«Is this you?», with both names."""
    if link.other is None:
        raise LookupError("a question without an account")
    return Card(
        title=t("Is this you?"),
        parts=(
            Text(
                t(
                    "The account «{name}» in {workspace} typed your code. If you confirm, it "
                    "speaks as {person} and sees what you see.",
                    name=called(link.other),
                    workspace=home_of(link.other),
                    person=person.name,
                )
            ),
            Note(t("If you did not type it there yourself, answer no."), "warning"),
            Buttons(
                (
                    Button(t("Confirm"), f"link confirm:{link.id}", "primary"),
                    Button(t("No, that is not me"), f"link refuse:{link.id}", "danger"),
                )
            ),
        ),
    )


# --- there: the code is typed -----------------------------------------------------------------


async def _typed(ctx: Context, code: str) -> Card:
    """An account that is free asks the member whose code this is."""
    t = ctx.t
    account = await _free(ctx)
    old = ctx.now - TRIES_KEPT
    looked_at = may_try(*await joining.tries(ctx.session, account, old))
    hash_ = fingerprint(code if looked_at else "")
    found = await linking.typed(ctx.session, hash_, account, ctx.now)
    if found is None:
        if looked_at:
            await joining.note_try(ctx.session, account, ctx.now, old)
        return wrong_code(t)
    owner = found.account.member
    if owner is None:
        raise LookupError("a code without a member")
    their = translator(owner.language)
    await owe(
        ctx.session,
        ctx.now,
        owner,
        "answer",
        _question(their, found, owner),
        key=f"link:{found.id}:asked",
        to=_place(found.account),
        expires=found.expires_at,
    )
    return Card(
        title=t("Nearly done"),
        parts=(
            Text(
                t(
                    "Now confirm it on your other account: «{name}» in {workspace}. I have written "
                    "to you there; {command} shows it too.",
                    name=called(found.account),
                    workspace=home_of(found.account),
                    command=f"{SLASH} link",
                )
            ),
        ),
    )


async def _free(ctx: Context) -> Account:
    """The asker's own account, held, which belongs to nobody yet, or to somebody who left."""
    t, account = ctx.t, await arrivals.own_account(ctx)
    if account.member and account.member.status == "verified":
        raise Refusal(
            t(
                "This account belongs to the member {name} already. To use it with another "
                "profile, leave with it first.",
                name=account.member.name,
            ),
            buttons=(Button(t("My accounts"), "link list"), Button(t("Leave"), "leave")),
        )
    return arrivals.free(t, account)


def _place(account: Account) -> Address:
    home = account.workspace
    return Address(home.platform, home.external_id, account.external_id)


# --- here again: the answer -------------------------------------------------------------------


def _nothing_to_answer(ctx: Context) -> Refusal:
    said = ctx.t("There is nothing to confirm here: it was answered, replaced, or is too old.")
    return Refusal(said, buttons=(Button(ctx.t("Link another account"), "link"),))


async def _answer(ctx: Context, ask: LinkAsk) -> Card:
    """Only the member who showed the code answers, once, and in time."""
    t, me = ctx.t, ctx.member
    number = ask.confirm or ask.refuse or 0
    asked = await linking.one(ctx.session, number)
    if asked is None or asked.member_id != me.id or asked.other_id is None:
        raise _nothing_to_answer(ctx)
    account = await joining.hold(ctx.session, asked.other_id)
    found = await linking.one(ctx.session, number, lock=True)
    if account is None or found is None or found.status != "asked" or found.expires_at <= ctx.now:
        raise _nothing_to_answer(ctx)
    if ask.confirm is None:
        found.status = "refused"
        audit.note(ctx.session, ctx.now, me.id, "link refused", f"account:{account.id}")
        return Card(t("Not linked"), (Text(t("Nothing was linked, and the code is dead.")),))
    if account.member and account.member.status != "left":
        raise Refusal(
            t(
                "That account became a member by itself meanwhile. Leave with it first, "
                "then link it."
            )
        )
    found.status, account.member = "done", me
    ended = await joining.close_requests(ctx.session, account, ctx.now, "withdrawn", None)
    await tell_ended(ctx.session, ctx.now, ended)
    await ctx.session.flush()
    audit.note(ctx.session, ctx.now, me.id, "account linked", f"account:{account.id}")
    await _tell_both(ctx, found, account)
    said = t(
        "«{name}» in {workspace} speaks for you now.",
        name=called(account),
        workspace=home_of(account),
    )
    return Card(
        t("Linked"), (Note(said, "good"), Buttons((Button(t("My accounts"), "link list"),)))
    )


async def _tell_both(ctx: Context, link: Link, account: Account) -> None:
    """Both accounts learn of it, with the way to undo it."""
    t = translator(ctx.member.language)
    for place, other in ((account, link.account), (link.account, account)):
        said = t(
            "This account and «{name}» in {workspace} are one profile now: {person}. If that "
            "was not you, undo it.",
            name=called(other),
            workspace=home_of(other),
            person=ctx.member.name,
        )
        undo = Buttons((Button(t("Unlink"), f"unlink {account.id}", "danger"),))
        await owe(
            ctx.session,
            ctx.now,
            ctx.member,
            "answer",
            Card(t("Linked"), (Text(said), undo)),
            key=f"link:{link.id}:done:{place.id}",
            to=_place(place),
        )


# --- the accounts of a member -----------------------------------------------------------------


async def _list(ctx: Context, note: str = "") -> Card:
    t, me = ctx.t, ctx.member
    mine = await linking.accounts(ctx.session, me.id)
    parts: list[Part] = [Note(note, "good")] if note else []
    for account in mine:
        here = t("you write from here") if ctx.account and account.id == ctx.account.id else ""
        undo = Button(t("Unlink"), f"unlink {account.id}", "danger")
        parts.append(
            Entry(
                f"{account.id} · {called(account)}",
                (home_of(account),),
                badge=here,
                buttons=(undo,) if len(mine) > 1 else (),
            )
        )
    parts.append(Buttons((Button(t("Link another account"), "link", "primary"),)))
    return Card(t("My accounts"), tuple(parts))


class Unlink(BaseModel):
    """Take one of your accounts off your profile"""

    number: int = Field(
        ge=1,
        lt=10**9,
        title="Number",
        description="The number beside the account, as the list of your accounts shows it",
    )


@command("unlink", allow=MEMBER, room="me", writes=True, example="unlink 17")
async def unlink(ctx: Context, ask: Unlink) -> Card:
    """Either account may part them; every one of them is told."""
    t, me = ctx.t, ctx.member
    mine = await linking.accounts(ctx.session, me.id)
    gone = next((a for a in mine if a.id == ask.number), None)
    if gone is None:
        raise Refusal(
            t("None of your accounts has the number {number}.", number=ask.number),
            buttons=(Button(t("My accounts"), "link list"),),
        )
    if len(mine) == 1:
        raise Refusal(
            t("This is your only account: without it you would be out. To go, leave."),
            buttons=(Button(t("Leave"), "leave"),),
        )
    ended = await linking.part(ctx.session, gone, me, ctx.now)
    await tell_ended(ctx.session, ctx.now, ended)
    audit.note(ctx.session, ctx.now, me.id, "account unlinked", f"account:{gone.id}")
    await _tell_all(ctx, gone, [a for a in mine if a is not gone])
    return await _list(ctx, t("«{name}» is unlinked.", name=called(gone)))


async def _tell_all(ctx: Context, gone: Account, others: list[Account]) -> None:
    t = translator(ctx.member.language)
    said = t(
        "The account «{name}» in {workspace} does not belong to {person} any more.",
        name=called(gone),
        workspace=home_of(gone),
        person=ctx.member.name,
    )
    help_ = Buttons((Button(t("Help"), "help"),))
    key = f"unlink:{gone.id}:{ctx.now:%Y%m%d%H%M%S%f}"
    for account in (gone, *others):
        await owe_account(
            ctx.session,
            ctx.now,
            account,
            "answer",
            Card(t("Unlinked"), (Text(said), help_)),
            key=f"{key}:{account.id}",
            language=t.language,
        )
