"""My data: show, export or erase what the hub holds about the asker."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from bot.cards import Button, Buttons, Card, Link, Note, Table, Text
from bot.commands import ANYONE, Context, Spelled, command
from bot.community import parting
from bot.errors import Refusal
from bot.i18n import Translator
from bot.parsing import HiddenField, Labels
from db import audit, joining, personal_data
from db.members import Member
from db.personal_data import PERSONAL_TABLES


class MyData(BaseModel):
    """See, download, or delete what the hub has about you"""

    act: Annotated[
        Literal["show", "export", "forget"],
        Labels({"show": "Show", "export": "A copy for me", "forget": "Delete my data"}),
    ] = Field(default="show", title="What to do")
    sure: Annotated[bool, HiddenField()] = Field(default=False, title="Are you sure")


@command(
    "my-data",
    allow=ANYONE,
    room="me",
    spelled=Spelled("mis-datos", "meus-dados", "mes-donnees"),
    writes=True,
    example="my-data show",
)
async def my_data(ctx: Context, ask: MyData) -> Card:
    """Show, export or erase the asker's data; also for former members and suspended ones."""
    person = ctx.viewer
    if person is None:
        return await _handle_account_only(ctx, ask)
    match ask.act:
        case "show":
            return await _data_card(ctx, person)
        case "export":
            return _export(ctx, person)
        case "forget":
            return await _forget(ctx, person, sure=ask.sure)


async def _handle_account_only(ctx: Context, ask: MyData) -> Card:
    """Show or erase the account of somebody who is no member: the hub holds nothing else of them.

    Raises Refusal if there is no account either.
    """
    t = ctx.t
    if ctx.account is None:
        raise Refusal(t("The hub has nothing about you."))
    if ask.act == "forget":
        await parting.forget_account(ctx.session, ctx.now, ctx.account, ctx.links.keys())
        return Card(
            title=t("Done"),
            parts=(Note(t("The hub has nothing about you."), "good"), _kept_text(t)),
        )
    said = t(
        "You're not a member. The hub has your account's name, language, and time zone, and "
        "the date you first wrote to it."
    )
    forget = Button(t("Delete my data"), "my-data forget", "danger")
    return Card(title=t("Your data"), parts=(Text(said), _kept_text(t), Buttons((forget,))))


def _kept_text(t: Translator) -> Text:
    """Return the sentence on what outlasts being forgotten; the same for everybody.

    If it depended on the reader, it would tell whether somebody blocked them.
    """
    return Text(
        t(
            "Once your data is deleted, at most an anonymous mark of your account stays, and only "
            "for as long as a suspension, a mute, a block, or a limit on tries lasts."
        ),
        quiet=True,
    )


async def _data_card(ctx: Context, person: Member) -> Card:
    t = ctx.t
    found = await personal_data.load_rows(ctx.session, person.id)
    rows = tuple(
        (t(PERSONAL_TABLES[table].title), t.number(len(rows))) for table, rows in found.items()
    )
    return Card(
        title=t("Your data"),
        parts=(
            Table((t("What"), t("Entries")), rows),
            Text(
                t(
                    "What you wrote in conversations was passed on, and is deleted here after two "
                    "days. The audit log keeps a number instead of your name."
                ),
                quiet=True,
            ),
            _kept_text(t),
            Buttons(
                (
                    Button(t("A copy for me"), "my-data export", "primary"),
                    Button(t("Edit my profile"), "profile edit"),
                    Button(t("Delete my data"), "my-data forget", "danger"),
                )
            ),
        ),
    )


def _export(ctx: Context, person: Member) -> Card:
    t = ctx.t
    address = ctx.links.my_data_url(person.tag, ctx.now)
    audit.record_act(ctx.session, ctx.now, person.id, "data exported", f"member:{person.id}")
    said = t(
        "Here is everything the hub has about you, as a file. The link works for fifteen "
        "minutes and is for you only."
    )
    return Card(
        title=t("A copy for you"), parts=(Text(said), Link(t("Download the file"), address))
    )


async def _forget(ctx: Context, person: Member, *, sure: bool) -> Card:
    t = ctx.t
    if not sure:
        said = t(
            "Your profile, accounts, topics, endorsements, introductions, and conversations are "
            "deleted right away. This can't be undone."
        )
        yes = Button(t("Yes, delete my data"), "my-data forget sure:yes", "danger")
        return Card(
            title=t("Delete your data?"),
            parts=(
                Note(said, "warning"),
                _kept_text(t),
                Buttons((yes, Button(t("No"), "my-data show"))),
            ),
        )
    if person.has_role("admin") and await joining.is_last_admin(ctx.session, person):
        raise Refusal(t("You're the only admin. Name another one first, then come back."))
    await parting.forget_member(ctx.session, ctx.now, person, ctx.links.keys())
    return Card(
        title=t("Goodbye"),
        parts=(Note(t("Your data has been deleted. Thank you for having been with us."), "good"),),
    )
