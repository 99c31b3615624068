"""Leaving: end a membership at once, and hand the lead of a city over to a colleague."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import BaseModel, Field

from bot.cards import Button, Buttons, Card, Note, Part, Text
from bot.commands import MEMBER, Context, Spelled, command
from bot.community import parting, staff
from bot.community.people import finding, places
from bot.deliveries import enqueue, enqueue_for_account
from bot.errors import InvalidArgumentError, Refusal
from bot.i18n import Translator, translator
from bot.parsing import HiddenField, Suggestions
from db import audit, directory, joining, linking, members
from db.members import CITY_LEAD, Member


class Leave(BaseModel):
    """Leave the community and hand over what you look after"""

    to: Annotated[str | None, Suggestions("person")] = Field(
        default=None,
        max_length=80,
        title="Hand over to",
        description="A colleague in your city who will lead it from now on",
    )
    sure: Annotated[bool | None, HiddenField()] = Field(default=None, title="Are you sure?")


@command(
    "leave",
    allow=MEMBER,
    room="me",
    spelled=Spelled("salir", "sair", "quitter"),
    writes=True,
    example="leave",
)
async def leave(ctx: Context, ask: Leave) -> Card:
    """End the membership, after a confirmation.

    From then on nothing finds, pairs or writes to the person. Raises Refusal for the only admin.
    """
    me = ctx.member
    heir = await _find_heir(ctx, ask.to) if ask.to else None
    if me.has_role("admin") and await joining.is_last_admin(ctx.session, me):
        raise Refusal(
            ctx.t("You're the only one who runs the hub. Name another admin in its settings first.")
        )
    if not ask.sure:
        return await _confirm_card(ctx, heir)
    if CITY_LEAD in await parting.end_membership(ctx.session, ctx.now, me):
        await _hand_over(ctx, heir)
    await _notify_other_accounts(ctx)
    return _farewell_card(ctx)


async def _find_heir(ctx: Context, text: str) -> Member:
    """Return the colleague of the member's own city who is meant.

    Raises InvalidArgumentError for anybody else.
    """
    person = await finding.find_person(ctx, text, "to")
    if person.id == ctx.member.id or not person.is_colleague_of(ctx.member):
        raise InvalidArgumentError(ctx.t("Please name a colleague in your own city."), name="to")
    return person


async def _confirm_card(ctx: Context, heir: Member | None) -> Card:
    t, me = ctx.t, ctx.member
    parts: list[Part] = [
        Text(
            t(
                "No one will find you or be paired with you, and I won't message you anymore. "
                "Your conversations end; your profile stays hidden in case you come back."
            )
        ),
    ]
    leads = me.has_role(CITY_LEAD) and me.city is not None
    if leads and heir:
        parts.append(Note(t("{name} will lead your city from then on.", name=heir.name)))
    elif leads:
        colleagues = await _list_colleagues(ctx)
        parts.append(
            Note(
                t(
                    "You lead your city. Hand it over to a colleague, or the staff will find "
                    "someone."
                ),
                "warning",
            )
        )
        parts.append(
            Buttons(
                tuple(
                    Button(t("Hand over to {name}", name=c.name)[:75], f"leave to:{c.id}")
                    for c in colleagues
                )
            )
        )
    to = f"leave to:{heir.id} sure:yes" if heir else "leave sure:yes"
    parts.append(Buttons((Button(t("Leave"), to, "danger"), Button(t("Stay"), "home", "primary"))))
    return Card(t("Leave the community?"), tuple(parts))


async def _list_colleagues(ctx: Context) -> Sequence[Member]:
    found = await directory.list_in_city(ctx.session, ctx.member.city_id or 0, limit=5)
    return [person for person in found if person.id != ctx.member.id][:4]


async def _hand_over(ctx: Context, heir: Member | None) -> None:
    """Make the heir a lead of the city; without one, notify the staff if no lead is left."""
    me = ctx.member
    if me.city is None:
        return
    key = f"left:{me.id}:{ctx.now:%Y%m%d%H%M%S%f}"
    if heir:
        await joining.grant_lead(ctx.session, heir)
        audit.record_act(ctx.session, ctx.now, me.id, "lead handed over", f"member:{heir.id}")
        card = _handover_card(translator(heir.language), me, heir)
        await enqueue(ctx.session, ctx.now, heir, "duty", card, key=f"{key}:{heir.id}")
    elif not await members.list_role_holders(ctx.session, (CITY_LEAD,), me.city_id):
        await staff.notify_staff(
            ctx.session, ctx.now, lambda t, _: _handover_card(t, me, None), key=key
        )


def _handover_card(t: Translator, me: Member, heir: Member | None) -> Card:
    city = places.city_place(t, me.city) if me.city else ""
    if heir:
        said = t(
            "{name} left and named you: you now lead {city}. Colleagues who ask to join come to "
            "you.",
            name=me.name,
            city=city,
        )
        next_ = Button(t("Who wants to join"), "admit")
    else:
        said = t(
            "{name} led {city} and left without naming a new lead. Please name one.",
            name=me.name,
            city=city,
        )
        next_ = Button(t("Its people"), f"city {me.city.slug}" if me.city else "topics")
    return Card(t("A city has a new lead"), (Text(said), Buttons((next_,))))


async def _notify_other_accounts(ctx: Context) -> None:
    """Notify the person's other accounts, in case somebody else used this one to leave."""
    t, me = translator(ctx.member.language), ctx.member
    said = t(
        "{person} left the community. If that was not you, join again and tell the staff.",
        person=me.name,
    )
    card = Card(t("You've left"), (Text(said), Buttons((Button(t("Join"), "join"),))))
    for account in await linking.lock_accounts(ctx.session, me.id):
        if ctx.account is None or account.id != ctx.account.id:
            await enqueue_for_account(
                ctx.session,
                ctx.now,
                account,
                "answer",
                card,
                language=t.language,
                key=f"left:{me.id}:{ctx.now:%Y%m%d%H%M%S%f}:account:{account.id}",
            )


def _farewell_card(ctx: Context) -> Card:
    t = ctx.t
    return Card(
        title=t("You've left"),
        parts=(
            Text(t("Thank you for being part of this. You can come back whenever you like.")),
            Buttons((Button(t("Join"), "join"),)),
        ),
    )
