"""The menu of the staff: what there is to look at, and what there is to do."""

from typing import Annotated

from pydantic import BaseModel, Field

from bot.cards import MAX_COMMAND_LENGTH, SLASH, Button, Card, Choice, Fact, Facts, Option
from bot.commands import STAFF, Context, Spelled, command
from bot.errors import Refusal
from bot.parsing import HiddenField, shorten
from bot.verbs import find_near_verbs


class AdminAsk(BaseModel):
    """What staff can look at and do"""

    act: Annotated[str | None, HiddenField()] = Field(default=None, max_length=80, title="Command")


@command(
    "admin",
    allow=STAFF,
    room="admin",
    spelled=Spelled("administrar|administracion", "administrar|administracao", "administrer"),
    example="admin",
)
async def admin(ctx: Context, ask: AdminAsk) -> Card:
    """List the commands of the staff and open each from a menu.

    Raises Refusal with the nearest of them for a word that is none.
    """
    own = {n: c for n, c in ctx.commands.items() if c.is_staff_only and c.name != "admin"}
    if ask.act:
        near = find_near_verbs(own, f"admin {ask.act}")[1]
        words = [f"{name} {rest}".strip() for name, rest in near.items()]
        raise Refusal(
            ctx.t("I don't know the command «{verb}».", verb=shorten(f"admin {ask.act}")),
            buttons=(
                *(Button(one, one) for one in words if len(one) <= MAX_COMMAND_LENGTH),
                Button(ctx.t("Staff menu"), "admin"),
            ),
        )
    options = tuple(Option(ctx.t(one.summary), one.name) for one in own.values())
    facts = tuple(
        Fact(f"{SLASH} {one.example or one.name}", ctx.t(one.summary)) for one in own.values()
    )
    return Card(title=ctx.t("Staff menu"), parts=(Facts(facts), Choice(ctx.t("Open…"), options)))
