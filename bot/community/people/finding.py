"""How a person is found by what was typed, and ranked for a topic."""

import re
from collections.abc import Iterable, Iterator
from datetime import datetime

from bot.cards import Option
from bot.commands import Context
from bot.domain.ranking import Candidate, Ranked, Reason, trace
from bot.errors import Misfit, Refusal
from bot.i18n import Translator
from bot.parsing import short
from db import directory, members
from db.cities import City
from db.directory import Contender, Expertise, contender
from db.members import Member

_MENTION = re.compile(r"<@(\w+)>")


def month(now: datetime) -> str:
    """The month that asks are counted in."""
    return f"{now:%Y-%m}"


# --- finding ---


async def find(ctx: Context, text: str, field: str = "person") -> list[Member]:
    """The visible people meant by an id, a mention or a name, own city first.

    Raises a `Misfit` that says the same whether there is nobody or nobody to be shown.
    """
    if match := _MENTION.fullmatch(text):
        found = await _mentioned(ctx, match[1])
    elif text.isascii() and text.isdigit() and len(text) < 10:
        found = await members.member(ctx.session, int(text))
    else:
        people = await directory.named(ctx.session, text.lstrip("@"), ctx.member)
        if people:
            return people
        found = None
    if found and is_shown(ctx, found):
        return [found]
    if match:
        raise Refusal(ctx.t("That person is not in the directory."))
    said = ctx.t("Nobody in the directory is called «{name}».", name=short(text))
    way_out = ctx.t("Try a part of the name, or who-does with a topic.")
    raise Misfit(f"{said} {way_out}", name=field)


async def find_one(ctx: Context, text: str, field: str = "person") -> Member:
    """The one person meant; several are refused with their names."""
    people = await find(ctx, text, field)
    if len(people) == 1:
        return people[0]
    raise Misfit(
        ctx.t("Several people fit «{name}».", name=short(text)),
        name=field,
        choices=tuple(Option(f"{p.name}, {place(ctx.t, p.city)}", str(p.id)) for p in people[:5]),
    )


async def find_before(ctx: Context, name: str, topic: str) -> tuple[Member, str]:
    """The one person of `why Samir Abdi open data`, and the topic.

    What stands before the topic still belongs to the name; not where a form or native options
    say which words are whose, nor after an id or a mention.
    """
    if not ctx.request.values and name[-1:].isalpha():
        words, find = topic.split(), ctx.known.vocabulary.find
        tails = ((cut, find(" ".join(words[cut:]))) for cut in range(len(words)))
        cut = min(((hit.how != "exact", cut) for cut, hit in tails if hit), default=(False, 0))[1]
        name, topic = " ".join([name, *words[:cut]]), " ".join(words[cut:])
    try:
        return await find_one(ctx, name), topic
    except Misfit as misfit:
        misfit.read = {"person": (name,), "topic": (topic,)}
        raise


async def _mentioned(ctx: Context, user: str) -> Member | None:
    sender = ctx.request.sender
    account = await members.account_of(ctx.session, sender.platform, sender.workspace, user)
    return account.member if account else None


def is_shown(ctx: Context, person: Member) -> bool:
    """May the asker know that this person is here?"""
    return person.is_in_directory or (ctx.viewer is not None and person.id == ctx.viewer.id)


def city_named(ctx: Context, text: str, field: str = "city") -> City:
    """The one city meant; namesakes and near misses are offered. Only for those inside."""
    known = ctx.known
    found = known.gazetteer.city(text)
    if len(found) == 1:
        return known.cities[found[0]]
    near = found or known.gazetteer.near(text)
    raise Misfit(
        ctx.t("There are several cities called «{name}». Which one?", name=short(text))
        if found
        else ctx.t("I know no city called «{name}».", name=short(text)),
        name=field,
        choices=tuple(
            Option(city_place(ctx.t, c), c.slug) for c in map(known.cities.__getitem__, near[:5])
        ),
    )


# --- ranking ---


def candidates(ctx: Context, some: Iterable[Contender]) -> Iterator[Candidate]:
    """What the ranking needs of people for a topic."""
    own_city, this_month = ctx.member.city_id, month(ctx.now)
    for one in some:
        yield _candidate(ctx, one, own_city, this_month)


def _candidate(ctx: Context, one: Contender, own_city: int | None, this_month: str) -> Candidate:
    asked = one.asks_taken if one.asks_month == this_month else 0
    city = ctx.known.gazetteer.spots.get(one.city_id or 0)
    return Candidate(
        key=one.id,
        own_city=city is not None and one.city_id == own_city,
        skill=one.level,
        endorsements=one.endorsements,
        city_level=city.level if city else None,
        open=one.open_to_questions,
        full=one.monthly_asks is not None and asked >= one.monthly_asks,
        asks_taken=asked,
        confirmed_at=one.confirmed_at,
    )


def why(ctx: Context, tie: Expertise) -> Ranked:
    """The trace of one person for one topic."""
    return trace(next(candidates(ctx, [contender(tie)])), ctx.now)


def sentence(t: Translator, reason: Reason) -> str:
    """One reason as people read it."""
    match reason.cause:
        case "own-city":
            return t("works in your city")
        case "skill":
            return t(_SKILLS.get(int(reason.amount), _SKILLS[2]))
        case "endorsed":
            return t.many("endorsed by one colleague", "endorsed by {number} colleagues",
                          int(reason.amount))  # fmt: skip
        case "level":
            return t("in a {level} city", level=t(str(reason.amount)))
        case "open":
            return t("open to questions")
        case "closed":
            return t("not taking questions now")
        case "full":
            return t("has had as many questions as they can take this month")
        case "asked":
            return t.many("was asked once this month", "was asked {number} times this month",
                          int(reason.amount))  # fmt: skip
        case "fresh":
            return t("confirmed their profile in the last six months")
        case "stale":
            return t("has not confirmed their profile for over six months")


_SKILLS = {1: "knows the basics", 2: "works with it", 3: "knows it deeply"}


def in_short(t: Translator, ranked: Ranked) -> str:
    """The reasons that count most, as one line."""
    telling = [r for r in ranked.reasons if r.cause not in ("fresh", "asked", "level")]
    return " · ".join(sentence(t, r) for r in telling[:4])


# --- places ---


def place(t: Translator, city: City | None) -> str:
    """Where somebody works: the city with its level, or the programme."""
    if city is None:
        return t("Programme staff")
    level = city_level(t, city)
    where = city_place(t, city)
    return f"{where} · {level}" if level else where


def city_place(t: Translator, city: City) -> str:
    """«Boston, MA» or «Mérida, México», the country in the reader's language."""
    return city.place_in(country(t, city))


def country(t: Translator, city: City) -> str:
    """The country of a city in the reader's language."""
    return str(t.locale.territories.get(city.country_code, city.country))


def city_level(t: Translator, city: City) -> str:
    """«Gold 2024», as last seen in print; empty when unknown."""
    return f"{t(city.level)} {city.level_year or ''}".strip() if city.level else ""
