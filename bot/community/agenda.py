"""My next things: whoever waits for an answer, the next talk, the next round."""

from datetime import timedelta

from bot.cards import Button, Entry, Part
from bot.commands import Context
from bot.community.introductions import asking
from bot.community.rounds import messages
from db import introductions, rounds, talks

RECENT = timedelta(days=60)
"""A time that was agreed longer ago than this lies behind."""


async def next_things(ctx: Context) -> list[Part]:
    """What is next for a member, the most urgent first; each with what one does about it."""
    found = (await _to_answer(ctx), await _talk(ctx), await _round(ctx))
    return [entry for entry in found if entry]


async def _to_answer(ctx: Context) -> Entry | None:
    every = await introductions.of_member(ctx.session, ctx.member.id, ctx.now)
    open_ = asking.to_answer(every, ctx.member.id, ctx.now)
    if not open_:
        return None
    t, number = ctx.t, len(open_)
    return Entry(
        title=t.many(
            "One person would like to meet you", "{number} people would like to meet you", number
        ),
        lines=(t.listed([(one.by or one.facing(ctx.member.id)).name for one in open_]),),
        buttons=(Button(t("See and answer"), "intro list", "primary"),),
    )


async def _talk(ctx: Context) -> Entry | None:
    t, me = ctx.t, ctx.member
    agreed = await talks.agreed_by(ctx.session, me.id, ctx.now - RECENT)
    times = [(talk.agreed_time, talk) for talk in agreed]
    coming = [(time, talk) for time, talk in times if time and time > ctx.now]
    soonest = min(coming, key=lambda one: one[0], default=None)
    if soonest is None:
        return None
    moment, talk = soonest
    return Entry(
        title=t("You talk with {name}", name=talk.facing(me.id).name),
        lines=(t.day_and_time(moment, me.zone),),
        buttons=(Button(t("Another time"), f"intro slot {talk.id}"),),
    )


async def _round(ctx: Context) -> Entry | None:
    taking = await rounds.taking(ctx.session, ctx.member.id)
    if taking is None or not taking.active or taking.paused_at:
        return None
    moment = messages.next_day(taking, ctx.now)
    return Entry(
        title=ctx.t("Your next round"),
        lines=(ctx.t.day_and_time(moment, ctx.member.zone),),
        buttons=(Button(ctx.t("My rounds"), "rounds"),),
    )
