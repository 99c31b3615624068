"""Staff: who looks after the hub and its cities, and how they are notified of what waits."""

from collections.abc import Callable, Collection, Iterable
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from bot.cards import Card
from bot.deliveries import enqueue
from bot.i18n import Translator, translator
from db import members
from db.members import CITY_LEAD, STAFF_ROLES, Member

RenderCard = Callable[[Translator, Member], Card]
"""Renders a card for one reader, in the reader's language."""


def is_staff(person: Member) -> bool:
    """Return whether the member is staff or an admin, who look after every city."""
    return person.has_role(*STAFF_ROLES)


def can_decide(person: Member, city_id: int | None) -> bool:
    """Return whether the member may admit people to this city: staff to all, leads to their own."""
    leads_here = city_id is not None and person.city_id == city_id and person.has_role(CITY_LEAD)
    return person.status == "verified" and (is_staff(person) or leads_here)


async def notify_staff(
    session: AsyncSession,
    now: datetime,
    render: RenderCard,
    *,
    key: str,
    city_id: int | None = None,
    but_not: Collection[int | None] = (),
    expires: datetime | None = None,
) -> None:
    """Enqueue one card for each member of the staff, and for each lead of a city if it is given.

    The delivery's key is `key` and the reader's id, so that each is notified once. `but_not`: ids
    of members who are not notified, such as those whom it is about.
    """
    readers = {
        person.id: person for person in await members.list_role_holders(session, STAFF_ROLES)
    }
    if city_id is not None:
        leads = await members.list_role_holders(session, (CITY_LEAD,), city_id)
        readers |= {person.id: person for person in leads}
    told = [person for person in readers.values() if person.id not in but_not]
    await _notify(session, now, told, render, key, expires)


async def notify_admins(
    session: AsyncSession, now: datetime, render: RenderCard, *, key: str
) -> None:
    """Enqueue one card for each admin; keys as in `notify_staff`."""
    admins = await members.list_role_holders(session, ("admin",))
    await _notify(session, now, admins, render, key)


async def _notify(
    session: AsyncSession,
    now: datetime,
    readers: Iterable[Member],
    render: RenderCard,
    key: str,
    expires: datetime | None = None,
) -> None:
    for person in readers:
        card = render(translator(person.language), person)
        await enqueue(session, now, person, "duty", card, key=f"{key}:{person.id}", expires=expires)


def describe_mute(t: Translator, until: datetime) -> str:
    """Return the sentence for a muted member: until when, and what is still possible."""
    return t(
        "The program staff has muted you until {day}: you can look around, but not write to "
        "others.",
        day=t.day(until, "long"),
    )
