"""Linking: several accounts share one profile.

One account shows a code, the other one types it, and the first one confirms.
"""

from typing import Annotated

from pydantic import BaseModel, Field

from bot.cards import SLASH, Button, Buttons, Card, Entry, Note, Part, Reply, Text
from bot.commands import ANYONE, MEMBER, Context, Spelled, command
from bot.community.joining import arrivals
from bot.community.joining.arrivals import account_name, workspace_label, wrong_code_card
from bot.community.parting import list_fingerprints
from bot.deliveries import enqueue, enqueue_for_account, run_ended_hooks
from bot.domain.joining import can_try, fingerprint, generate_code
from bot.errors import Refusal
from bot.forms import build_form
from bot.i18n import Translator, translator
from bot.parsing import HiddenField
from db import audit, joining, kept, linking
from db.linking import Link
from db.members import Account, Member
from db.outbox import Address


class LinkAsk(BaseModel):
    """Use one profile from several accounts"""

    code: str | None = Field(
        default=None,
        max_length=40,
        title="Code",
        description="The code your other account shows; run the same command there to get one",
    )
    confirm: Annotated[int | None, HiddenField()] = Field(
        default=None, ge=1, lt=10**9, title="Confirm"
    )
    refuse: Annotated[int | None, HiddenField()] = Field(
        default=None, ge=1, lt=10**9, title="Turn down"
    )


@command(
    "link",
    allow=ANYONE,
    room="me",
    spelled=Spelled("vincular", "vincular", "relier"),
    writes=True,
    example="link",
)
async def link(ctx: Context, ask: LinkAsk) -> Reply:
    """Link accounts: show a code or redeem one, answer «is this you?», list the linked accounts."""
    is_member = MEMBER.permits(ctx.viewer)
    if ask.confirm is not None or ask.refuse is not None:
        if not is_member:
            raise _no_question_refusal(ctx)
        return await _answer_question(ctx, ask)
    if ask.code and ask.code.casefold() not in ("list", "lista", "liste"):
        return await _redeem_code(ctx, ask.code)
    if not is_member:
        arguments = ctx.commands["link"].arguments
        return build_form("link", "Link this account to your profile", arguments, ctx.t, {})
    return await (_accounts_card(ctx) if ask.code else _show_code(ctx))


# --- first account: show the code -------------------------------------------------------------


async def _show_code(ctx: Context) -> Card:
    """Show the question «is this you?» if one is open, else a new code."""
    t = ctx.t
    if ctx.account is None:
        raise Refusal(t("I can't tell which account you're writing from."))
    if waits := await linking.find_pending_link(ctx.session, ctx.member.id, ctx.now):
        return _question_card(t, waits, ctx.member)
    code = generate_code()
    await linking.create_link(ctx.session, ctx.account, ctx.member.id, fingerprint(code), ctx.now)
    return Card(
        title=t("Link another account"),
        parts=(
            Text(t("Within ten minutes, type this where your other account is:")),
            Text(f"{SLASH} link {code}"),
            Note(
                t(
                    "Don't share it: anyone linked can speak as you. I'll ask you here before "
                    "linking anything."
                ),
                "warning",
            ),
            Buttons((Button(t("My accounts"), "link list"),)),
        ),
    )


def _question_card(t: Translator, link: Link, person: Member) -> Card:
    if link.other is None:
        raise LookupError("a question without an account")
    return Card(
        title=t("Is this you?"),
        parts=(
            Text(
                t(
                    "The account «{name}» in {workspace} typed your code. If you confirm, it "
                    "speaks as {person} and sees what you see.",
                    name=account_name(link.other),
                    workspace=workspace_label(link.other),
                    person=person.name,
                )
            ),
            Note(t("If you didn't type it there yourself, say no."), "warning"),
            Buttons(
                (
                    Button(t("Confirm"), f"link confirm:{link.id}", "primary"),
                    Button(t("No, that's not me"), f"link refuse:{link.id}", "danger"),
                )
            ),
        ),
    )


# --- second account: type the code ------------------------------------------------------------


async def _redeem_code(ctx: Context, code: str) -> Card:
    """Redeem a code on a free account: its owner is asked to confirm the link.

    Every code that opens nothing gets the same answer. After too many failed tries no code is
    looked at. Raises Refusal if the account is a member's already.
    """
    t = ctx.t
    account = await _load_free_account(ctx)
    old = ctx.now - joining.TRY_WINDOW
    marks = list_fingerprints(ctx.links.keys(), account)
    looked_at = can_try(*await joining.count_failed_codes(ctx.session, account, marks, old))
    hash_ = fingerprint(code if looked_at else "")
    found = await linking.redeem_code(ctx.session, hash_, account, ctx.now)
    if found is None:
        if looked_at:
            await joining.record_failed_code(ctx.session, account, ctx.now, old)
        return wrong_code_card(t)
    owner = found.account.member
    if owner is None:
        raise LookupError("a code without a member")
    their = translator(owner.language)
    await enqueue(
        ctx.session,
        ctx.now,
        owner,
        "answer",
        _question_card(their, found, owner),
        key=f"link:{found.id}:asked",
        destination=_account_address(found.account),
        expires=found.expires_at,
    )
    return Card(
        title=t("Nearly done"),
        parts=(
            Text(
                t(
                    "Now confirm it on your other account: «{name}» in {workspace}. I sent you a "
                    "message there; {command} shows it too.",
                    name=account_name(found.account),
                    workspace=workspace_label(found.account),
                    command=f"{SLASH} link",
                )
            ),
        ),
    )


async def _load_free_account(ctx: Context) -> Account:
    """Return the asker's own account, locked, if it belongs to nobody or to somebody who left.

    Raises Refusal otherwise.
    """
    t, account = ctx.t, await arrivals.load_own_account(ctx)
    if account.member and account.member.status == "verified":
        raise Refusal(
            t(
                "This account already belongs to {name}. To use it with another profile, leave "
                "with it first.",
                name=account.member.name,
            ),
            buttons=(Button(t("My accounts"), "link list"), Button(t("Leave"), "leave")),
        )
    return await arrivals.require_unsuspended(ctx, account)


def _account_address(account: Account) -> Address:
    home = account.workspace
    return Address(home.platform, home.external_id, account.external_id)


# --- first account: confirm or refuse ---------------------------------------------------------


def _no_question_refusal(ctx: Context) -> Refusal:
    said = ctx.t("Nothing to confirm here: it was already answered, replaced, or is too old.")
    return Refusal(said, buttons=(Button(ctx.t("Link another account"), "link"),))


async def _answer_question(ctx: Context, ask: LinkAsk) -> Card:
    """Link the account that typed the code, or refuse it.

    Raises Refusal unless the member showed the code, has not answered yet and is in time.
    """
    t, me = ctx.t, ctx.member
    number = ask.confirm or ask.refuse or 0
    asked = await linking.load_link(ctx.session, number)
    if asked is None or asked.member_id != me.id or asked.other_id is None:
        raise _no_question_refusal(ctx)
    account = await joining.lock_account(ctx.session, asked.other_id)
    found = await linking.load_link(ctx.session, number, lock=True)
    if account is None or found is None or found.status != "asked" or found.expires_at <= ctx.now:
        raise _no_question_refusal(ctx)
    if ask.confirm is None:
        found.status = "refused"
        audit.record_act(ctx.session, ctx.now, me.id, "link refused", f"account:{account.id}")
        return Card(
            t("Not linked"), (Text(t("Nothing was linked, and the code no longer works.")),)
        )
    if account.member and account.member.status != "left":
        raise Refusal(
            t("That account has since joined on its own. Leave with it first, then link it.")
        )
    await arrivals.require_unsuspended(ctx, account)
    if account.member:
        await kept.copy_sanctions(ctx.session, ctx.now, account.member, me)
    found.status, account.member = "done", me
    marks = list_fingerprints(ctx.links.keys(), account)
    await kept.return_sanctions(ctx.session, ctx.now, me, marks)
    await arrivals.close_requests(ctx, account, "withdrawn")
    await ctx.session.flush()
    audit.record_act(ctx.session, ctx.now, me.id, "account linked", f"account:{account.id}")
    await _notify_both(ctx, found, account)
    said = t(
        "«{name}» in {workspace} now speaks for you.",
        name=account_name(account),
        workspace=workspace_label(account),
    )
    return Card(
        t("Linked"), (Note(said, "good"), Buttons((Button(t("My accounts"), "link list"),)))
    )


async def _notify_both(ctx: Context, link: Link, account: Account) -> None:
    """Notify both accounts that they are linked, with a button to undo it."""
    t = translator(ctx.member.language)
    for place, other in ((account, link.account), (link.account, account)):
        said = t(
            "This account and «{name}» in {workspace} now share one profile: {person}. If that "
            "wasn't you, undo it.",
            name=account_name(other),
            workspace=workspace_label(other),
            person=ctx.member.name,
        )
        undo = Buttons((Button(t("Unlink"), f"unlink {account.id}", "danger"),))
        await enqueue(
            ctx.session,
            ctx.now,
            ctx.member,
            "answer",
            Card(t("Linked"), (Text(said), undo)),
            key=f"link:{link.id}:done:{place.id}",
            destination=_account_address(place),
        )


# --- the accounts of a member -----------------------------------------------------------------


async def _accounts_card(ctx: Context, note: str = "") -> Card:
    t, me = ctx.t, ctx.member
    mine = await linking.lock_accounts(ctx.session, me.id)
    parts: list[Part] = [Note(note, "good")] if note else []
    for account in mine:
        here = t("you're writing from here") if ctx.account and account.id == ctx.account.id else ""
        undo = Button(t("Unlink"), f"unlink {account.id}", "danger")
        parts.append(
            Entry(
                f"{account.id} · {account_name(account)}",
                (workspace_label(account),),
                badge=here,
                buttons=(undo,) if len(mine) > 1 else (),
            )
        )
    parts.append(Buttons((Button(t("Link another account"), "link", "primary"),)))
    return Card(t("My accounts"), tuple(parts))


class Unlink(BaseModel):
    """Remove one of your accounts from your profile"""

    number: int = Field(
        ge=1,
        lt=10**9,
        title="Number",
        description="The number beside the account in your list of accounts",
    )


@command(
    "unlink",
    allow=MEMBER,
    room="me",
    spelled=Spelled("desvincular", "desvincular", "delier"),
    writes=True,
    example="unlink 17",
)
async def unlink(ctx: Context, ask: Unlink) -> Card:
    """Take an account off the member's profile and notify all accounts of the profile.

    Any of them may do this. Raises Refusal for the only one: to go, a member leaves.
    """
    t, me = ctx.t, ctx.member
    mine = await linking.lock_accounts(ctx.session, me.id)
    gone = next((a for a in mine if a.id == ask.number), None)
    if gone is None:
        raise Refusal(
            t("None of your accounts has the number {number}.", number=ask.number),
            buttons=(Button(t("My accounts"), "link list"),),
        )
    if len(mine) == 1:
        raise Refusal(
            t("This is your only account: without it, you'd be out. To go, use leave."),
            buttons=(Button(t("Leave"), "leave"),),
        )
    ended = await linking.detach_account(ctx.session, gone, me, ctx.now)
    if await kept.has_sanctions(ctx.session, ctx.now, me):
        mark = list_fingerprints(ctx.links.keys(), gone)[0]
        await kept.keep_account(ctx.session, me, mark)
    await run_ended_hooks(ctx.session, ctx.now, ended)
    audit.record_act(ctx.session, ctx.now, me.id, "account unlinked", f"account:{gone.id}")
    await _notify_unlinked(ctx, gone, [a for a in mine if a is not gone])
    return await _accounts_card(ctx, t("«{name}» is unlinked.", name=account_name(gone)))


async def _notify_unlinked(ctx: Context, gone: Account, others: list[Account]) -> None:
    t = translator(ctx.member.language)
    said = t(
        "The account «{name}» in {workspace} no longer belongs to {person}.",
        name=account_name(gone),
        workspace=workspace_label(gone),
        person=ctx.member.name,
    )
    help_ = Buttons((Button(t("Help"), "help"),))
    key = f"unlink:{gone.id}:{ctx.now:%Y%m%d%H%M%S%f}"
    for account in (gone, *others):
        await enqueue_for_account(
            ctx.session,
            ctx.now,
            account,
            "answer",
            Card(t("Unlinked"), (Text(said), help_)),
            key=f"{key}:{account.id}",
            language=t.language,
        )
