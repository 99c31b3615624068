"""Serves calendar files (RFC 5545) of agreed meeting times at unguessable addresses."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from aiohttp import web
from icalendar import Calendar, Event
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.community.people.places import workplace
from bot.community.talks.opening import can_talk
from bot.domain.calendar import MEETING_LENGTH
from bot.i18n import translator
from bot.links import Links
from db import tags, talks
from db.base import transaction
from db.members import Member
from db.talks import Talk

YEAR = timedelta(days=366)


def add_routes(app: web.Application, engine: AsyncEngine, links: Links) -> None:
    """Add `/calendar/meeting/<token>.ics`: the agreed time of a talk, for one of the two."""

    async def meeting(request: web.Request) -> web.Response:
        known = links.parse_meeting_token(request.match_info["token"])
        body = await _build_meeting_file(engine, *known) if known else None
        if body is None:
            raise web.HTTPNotFound(text="There is no such meeting.\n")
        return web.Response(
            body=body,
            content_type="text/calendar",
            charset="utf-8",
            headers={
                "Content-Disposition": 'attachment; filename="meeting.ics"',
                "Cache-Control": "private, no-store",
                "X-Content-Type-Options": "nosniff",
            },
        )

    app.router.add_get("/calendar/meeting/{token}.ics", meeting)


async def _build_meeting_file(engine: AsyncEngine, tag: str, member: str) -> bytes | None:
    """Return the calendar file of a talk for one of its two members, named by their tags.

    Returns None if the talk is gone, if `member` is not one of them, if no time is agreed, or if
    they may not talk to each other any more.
    """
    async with transaction(engine) as session:
        talk = await talks.load_talk(session, tags.read_number(tag), hold=False)
        if talk is None or talk.tag != tag:
            return None
        reader = {talk.one.tag: talk.one, talk.other.tag: talk.other}.get(member)
        start = talk.talk_time
        if not (reader and start and talk.agreed_at):
            return None
        if not await can_talk(session, talk.one, talk.other):
            return None
        return meeting_file(talk, reader, start, talk.agreed_at)


def meeting_file(talk: Talk, reader: Member, start: datetime, agreed_at: datetime) -> bytes:
    """Return one event as an iCalendar file, in the reader's zone and with that zone's rules.

    No addresses of people are in it.
    """
    t, other = translator(reader.language), talk.partner_of(reader.id)
    local = start.astimezone(ZoneInfo(reader.zone))
    event = Event()
    event.add("uid", f"talk-{talk.id}-{int(talk.opened_at.timestamp())}@wwc-hub")
    event.add("sequence", max(talk.sequence - 1, 0))
    event.add("dtstamp", agreed_at.astimezone(UTC))
    event.add("dtstart", local)
    event.add("dtend", (start + MEETING_LENGTH).astimezone(ZoneInfo(reader.zone)))
    event.add("summary", t("Talk with {name}", name=other.name))
    event.add("description", f"{other.name} · {workplace(t, other.city)}")
    event.add("status", "CONFIRMED")
    file = Calendar()
    file.add("prodid", "-//What Works Cities Certification Community//hub//EN")
    file.add("version", "2.0")
    file.add("calscale", "GREGORIAN")
    file.add("method", "PUBLISH")
    file.add_component(event)
    file.add_missing_timezones(first_date=local.date() - YEAR, last_date=local.date() + YEAR)
    return bytes(file.to_ical())
