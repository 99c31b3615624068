"""Why somebody stands where they stand for a topic: the input of the ranking, and its reasons."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from bot.commands import Context
from bot.domain.ranking import Candidate, Ranked, Reason, trace
from bot.i18n import Translator
from db.directory import Contender, Expertise, contender


def month(now: datetime) -> str:
    """The month that asks are counted in."""
    return f"{now:%Y-%m}"


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
            return t.many(
                "endorsed by one colleague", "endorsed by {number} colleagues", int(reason.amount)
            )
        case "level":
            return t("in a {level} city", level=t(str(reason.amount)))
        case "open":
            return t("open to questions")
        case "closed":
            return t("not taking questions now")
        case "full":
            return t("has had as many questions as they can take this month")
        case "asked":
            return t.many(
                "was asked once this month",
                "was asked {number} times this month",
                int(reason.amount),
            )
        case "fresh":
            return t("confirmed their profile in the last six months")
        case "stale":
            return t("has not confirmed their profile for over six months")


_SKILLS = {1: "knows the basics", 2: "works with it", 3: "knows it deeply"}


def in_short(t: Translator, ranked: Ranked) -> str:
    """The reasons that count most, as one line."""
    telling = [r for r in ranked.reasons if r.cause not in ("fresh", "asked", "level")]
    return " · ".join(sentence(t, r) for r in telling[:4])
