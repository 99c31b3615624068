"""When somebody reads a message that is sent in their quiet hours."""

from datetime import datetime
from zoneinfo import ZoneInfo

from bot.domain.quiet_hours import next_allowed_time
from bot.i18n import Translator
from db.members import Member


def render_waking(t: Translator, person: Member, now: datetime) -> str:
    """Return when a person reads what waits for the end of their quiet hours; else an empty text.

    The time is on the person's own clock, with the city for its place.
    """
    wakes = next_allowed_time(now, person.zone, person.quiet_from, person.quiet_to)
    if wakes == now:
        return ""
    return t(
        "{name} reads this at {time} in {place}.",
        name=person.first_name,
        time=t.time(wakes.astimezone(ZoneInfo(person.zone))),
        place=_place(person),
    )


def render_night(t: Translator, person: Member, now: datetime) -> str:
    """Return that it is late for a person whom a message reached in quiet hours; else empty."""
    wakes = next_allowed_time(now, person.zone, person.quiet_from, person.quiet_to)
    if wakes == now:
        return ""
    zone = ZoneInfo(person.zone)
    return t(
        "It is {now} in {place}: {name} may not read this before {time}.",
        now=t.time(now.astimezone(zone)),
        name=person.first_name,
        time=t.time(wakes.astimezone(zone)),
        place=_place(person),
    )


def _place(person: Member) -> str:
    """Return the person's city, else the place that names the time zone."""
    if person.city:
        return person.city.name
    return person.zone.rpartition("/")[2].replace("_", " ")
