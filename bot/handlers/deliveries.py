"""Deliveries for staff: those that did not arrive, the state of the queue, the emergency stop."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, Field

from bot import deliveries
from bot.cards import Button, Buttons, Card, Entry, Fact, Facts, Note, Part, Table, Text
from bot.commands import STAFF, Context, Spelled, command
from bot.errors import InvalidArgumentError
from bot.parsing import Labels, SingleWord, shorten
from db import audit, key_values, members, outbox
from db.outbox import PENDING, SENT, UNSOLVED, Delivery, DeliveryCount

MAX_ENTRIES = 10
"""Deliveries to decide that are listed, newest first; older ones follow as these are decided."""

MAX_ROWS = 20
"""Rows of the table of unsent deliveries; a last row sums up the rest."""

_STATE_NAMES = {
    "expired": "too late to send",
    "cancelled": "no longer needed",
    "dead": "not delivered",
    "ambiguous": "may have arrived",
    "held": "on hold",
}
"""Names, before translation, of the states of deliveries that were not sent or perhaps not sent."""


class AdminDead(BaseModel):
    """See what couldn't be delivered and decide what to do"""

    act: Annotated[
        Literal["list", "retry", "drop"],
        Labels({"list": "Show the list", "retry": "Send again", "drop": "Drop"}),
    ] = Field(default="list", title="What to do")
    number: Annotated[str | None, SingleWord()] = Field(
        default=None,
        max_length=20,
        title="Number of the message",
        description="The number before the message, for example: 17",
    )


@command(
    "admin dead",
    allow=STAFF,
    room="admin",
    spelled=Spelled("admin fallidos", "admin falhas", "admin echecs"),
    writes=True,
    example="admin dead list",
)
async def admin_dead(ctx: Context, ask: AdminDead) -> Card:
    """List the deliveries that need a decision, or send one again or drop it and list the rest."""
    if ask.act == "list":
        return await _dead_list_card(ctx)
    again = ask.act == "retry"
    row = await _decide(ctx, ask.number, retry=again)
    audit.record_act(
        ctx.session, ctx.now, ctx.member.id, f"delivery {ask.act}", f"delivery:{row.id}"
    )
    await ctx.session.flush()
    if again:
        return await _dead_list_card(
            ctx, ctx.t("Number {number} is on its way again.", number=row.id)
        )
    await deliveries.run_ended_hooks(ctx.session, ctx.now, (row,))
    return await _dead_list_card(ctx, ctx.t("Number {number} won't be sent.", number=row.id))


async def _decide(ctx: Context, number: str | None, *, retry: bool) -> Delivery:
    t = ctx.t
    if not number:
        raise InvalidArgumentError(t("Please fill this in."), name="number")
    known = number.isascii() and number.isdigit() and len(number) < 16
    row = (
        await outbox.decide_delivery(ctx.session, int(number), ctx.now, again=retry)
        if known
        else None
    )
    if row is None:
        raise InvalidArgumentError(
            t("Number «{number}» isn't on the list.", number=shorten(number)),
            name="number",
            buttons=(Button(t("See the list"), "admin dead list"),),
        )
    return row


async def _dead_list_card(ctx: Context, note: str = "") -> Card:
    t = ctx.t
    rows = await outbox.list_unsolved(ctx.session, MAX_ENTRIES)
    parts: list[Part] = [Note(note, "good")] if note else []
    if not rows:
        parts.append(Text(t("Everything has arrived or is on its way. Nothing needs a decision.")))
    names = await members.load_names(ctx.session, [row.member_id for row in rows if row.member_id])
    parts += [_delivery_entry(ctx, row, names.get(row.member_id or 0, "")) for row in rows]
    parts.append(Buttons((Button(t("How delivery is going"), "admin health"),)))
    return Card(title=t("What didn't arrive"), parts=tuple(parts))


def _delivery_entry(ctx: Context, row: Delivery, name: str) -> Entry:
    """Return one delivery with its kind, reader and reason; its text is never shown to staff."""
    t = ctx.t
    when = t.ago(row.at, ctx.now)
    told = t("for {name}, due {when}", name=name, when=when) if name else t("due {when}", when=when)
    tries = t.many("one attempt", "{number} attempts", row.attempts)
    return Entry(
        title=f"{row.id} · {deliveries.kind_title(t, row.kind)}",
        badge=t(_STATE_NAMES[row.state]),
        lines=(told, " · ".join(filter(None, (row.platform, row.reason, tries)))),
        buttons=(
            Button(t("Send again"), f"admin dead retry {row.id}"),
            Button(t("Drop"), f"admin dead drop {row.id}", "danger"),
        ),
    )


class AdminHealth(BaseModel):
    """Check that messages are going out"""


@command(
    "admin health",
    allow=STAFF,
    room="admin",
    spelled=Spelled("admin salud", "admin saude", "admin sante"),
)
async def admin_health(ctx: Context, ask: AdminHealth) -> Card:
    """Show how many deliveries wait and since when, and those that ended unsent by reason."""
    t = ctx.t
    counts = await outbox.count_by_state(ctx.session)
    stopped = await key_values.load_value(ctx.session, outbox.PANIC)
    parts: list[Part] = []
    if stopped:
        since = t.ago(datetime.fromisoformat(stopped), ctx.now)
        parts.append(
            Note(t("Sending was stopped {when}. Nothing is going out.", when=since), "bad")
        )
    parts.append(Facts(await _queue_facts(ctx, counts)))
    unsent = [one for one in counts if one.state not in (*PENDING, SENT)]
    if unsent:
        unsent.sort(key=lambda one: (one.state not in UNSOLVED, -one.number))
        parts.append(_unsent_table(ctx, unsent))
    undecided = any(one.state in UNSOLVED for one in unsent)
    parts.append(Buttons(_health_buttons(ctx, has_undecided=undecided, is_stopped=bool(stopped))))
    return Card(t("How delivery is going"), tuple(parts), tone="bad" if stopped else "info")


async def _queue_facts(ctx: Context, counts: Sequence[DeliveryCount]) -> tuple[Fact, ...]:
    t = ctx.t
    waiting = sum(one.number for one in counts if one.state in PENDING)
    oldest = await outbox.find_oldest_due(ctx.session, ctx.now)
    since = t.ago(oldest.at, ctx.now) if oldest else t("nothing waiting")
    sent = sum(one.number for one in counts if one.state == SENT)
    return (
        Fact(t("Waiting or planned"), t.number(waiting)),
        Fact(t("Most overdue"), since),
        Fact(t("Sent"), t.number(sent)),
    )


def _unsent_table(ctx: Context, unsent: Sequence[DeliveryCount]) -> Table:
    t = ctx.t
    rows = [
        (
            t(_STATE_NAMES[one.state]),
            deliveries.kind_title(t, one.kind),
            one.reason,
            t.number(one.number),
        )
        for one in unsent[:MAX_ROWS]
    ]
    if len(unsent) > MAX_ROWS:
        rest = sum(one.number for one in unsent[MAX_ROWS:])
        rows.append((t("everything else"), "", "", t.number(rest)))
    return Table((t("What came of it"), t("Kind"), t("Reason"), t("Number")), tuple(rows))


def _health_buttons(ctx: Context, *, has_undecided: bool, is_stopped: bool) -> tuple[Button, ...]:
    t = ctx.t
    act = (
        Button(t("Resume sending"), "admin panic resume", "primary")
        if is_stopped
        else Button(t("Stop all sending"), "admin panic stop", "danger")
    )
    return (Button(t("See the list"), "admin dead list"), act) if has_undecided else (act,)


_GO_ON = frozenset(
    ("go", "on", "continue", "proceed", "start", "restart", "unstop", "sigue", "seguir", "reanudar",
     "continuar", "segue", "retomar", "continuer", "reprends", "reprendre")
)  # fmt: skip
"""Words for «resume»: whoever types one of them in a hurry is never offered to stop."""


def _read_act(said: object) -> object:
    return "resume" if isinstance(said, str) and said.casefold() in _GO_ON else said


class AdminPanic(BaseModel):
    """Stop everything the hub sends on its own, or resume it"""

    act: Annotated[
        Literal["stop", "resume"],
        Labels({"stop": "Stop all sending", "resume": "Resume sending"}),
        BeforeValidator(_read_act),
    ] = Field(title="What to do")


@command(
    "admin panic",
    allow=STAFF,
    room="admin",
    spelled=Spelled("admin panico", "admin panico", "admin panique"),
    writes=True,
    example="admin panic stop",
)
async def admin_panic(ctx: Context, ask: AdminPanic) -> Card:
    """Stop or resume all sending.

    A stop takes effect within a second in every process. Deliveries that wait are kept.
    """
    t = ctx.t
    audit.record_act(ctx.session, ctx.now, ctx.member.id, f"sending {ask.act}", "deliveries")
    waiting = await outbox.count_due(ctx.session, ctx.now)
    buttons = [Button(t("How delivery is going"), "admin health")]
    if ask.act == "stop":
        await key_values.save_value(ctx.session, outbox.PANIC, ctx.now.isoformat())
        said = Note(
            t("Nothing is going out anymore. What's waiting stays until you resume sending."), "bad"
        )
        buttons.append(Button(t("Resume sending"), "admin panic resume", "primary"))
    else:
        await key_values.save_value(ctx.session, outbox.PANIC, "")
        ctx.session.info["enqueued"] = True
        said = Note(
            t("Sending has resumed. Anything that got too late in the meantime won't be sent."),
            "good",
        )
        buttons.append(Button(t("See the list"), "admin dead list"))
    count = t.many("One message waits now.", "{number} messages wait now.", waiting)
    return Card(t("Emergency stop"), (said, Text(count), Buttons(tuple(buttons))), tone=said.tone)
