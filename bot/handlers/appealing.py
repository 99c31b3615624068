"""Appeals: somebody who was muted or suspended asks for a second look, once."""

from typing import Annotated

from pydantic import BaseModel, Field

from bot.cards import Card, Note
from bot.commands import ANYONE, Context, Spelled, command
from bot.community import conduct
from bot.community.joining import arrivals
from bot.errors import Refusal
from bot.parsing import Paragraph, shorten
from db import audit, moderation
from db.members import Member


class Appeal(BaseModel):
    """Appeal a staff decision about you"""

    because: Annotated[str, Paragraph()] = Field(
        min_length=3,
        max_length=1000,
        title="Why you're appealing",
        description="Someone who didn't make the decision will read it",
    )


@command(
    "appeal",
    allow=ANYONE,
    room="me",
    spelled=Spelled("apelar", "recorrer|apelar", "contester"),
    writes=True,
    example="appeal",
)
async def appeal(ctx: Context, ask: Appeal) -> Card:
    """File an appeal, once, against the decision that muted or suspended the asker.

    Open to suspended people too. Raises the same Refusal for everybody else.
    """
    t, person = ctx.t, ctx.viewer
    if ctx.account and (person is None or person.status == "left"):
        person = await _load_returned(ctx) or person
    filed = (
        await moderation.file_appeal(ctx.session, ctx.now, person, ask.because) if person else None
    )
    if person is None or filed is None:
        raise Refusal(t("There's no decision about you to appeal."))
    decided, is_new = filed
    if is_new:
        audit.record_act(ctx.session, ctx.now, person.id, "appealed", f"report:{decided.id}")
        await conduct.notify_queue(
            ctx.session, ctx.now, decided, f"report:{decided.id}:appeal", (person.id,)
        )
    said = t("The staff has your message. You'll hear back here.")
    if not is_new:
        said = t("The staff already has your appeal ({text}).", text=shorten(decided.appeal))
    return Card(title=t("Your appeal"), parts=(Note(said, "good" if is_new else "info"),))


async def _load_returned(ctx: Context) -> Member | None:
    """Return the suspended member that the asker was before being forgotten; None if none."""
    if ctx.request.sender.is_outsider:
        return None
    return await arrivals.attach_suspended(ctx, await arrivals.load_own_account(ctx))
