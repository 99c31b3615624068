"""Feeds the ranking of people for a topic, and puts its reasons into words."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from bot.commands import Context
from bot.domain.ranking import Candidate, RankedPerson, Reason, rank_candidate
from bot.i18n import Translator
from db import reach
from db.directory import CandidateRow, Expertise, build_candidate_row


def format_month(now: datetime) -> str:
    """Return the month as «2026-05», the period in which requests to a person are counted."""
    return f"{now:%Y-%m}"


def build_candidates(ctx: Context, some: Iterable[CandidateRow]) -> Iterator[Candidate]:
    """Build the ranking's input from people found for a topic."""
    own_city, this_month = ctx.member.city_id, format_month(ctx.now)
    for one in some:
        yield _build_candidate(ctx, one, own_city, this_month)


def _build_candidate(
    ctx: Context, one: CandidateRow, own_city: int | None, this_month: str
) -> Candidate:
    asked = one.asks_taken if one.asks_month == this_month else 0
    city = ctx.reference.gazetteer.places_by_key.get(one.city_id or 0)
    return Candidate(
        key=one.id,
        own_city=city is not None and one.city_id == own_city,
        skill=one.level,
        endorsements=one.endorsements,
        city_level=city.level if city else None,
        is_open=one.open_to_questions,
        is_full=one.monthly_asks is not None and asked >= one.monthly_asks,
        asks_taken=asked,
        confirmed_at=one.confirmed_at,
        is_reachable=one.is_reachable,
    )


async def rank_person(ctx: Context, tie: Expertise) -> RankedPerson:
    """Rank one person for one topic, with the reasons."""
    reachable = await reach.list_reachable(ctx.session, [tie.member_id])
    row = build_candidate_row(tie, is_reachable=bool(reachable))
    return rank_candidate(next(build_candidates(ctx, [row])), ctx.now)


def reason_text(t: Translator, reason: Reason) -> str:
    """Return one reason as a phrase for members."""
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
            return t("not taking questions right now")
        case "unreachable":
            return t("can't be messaged right now")
        case "full":
            return t("has reached their limit of questions this month")
        case "asked":
            return t.many(
                "was asked once this month",
                "was asked {number} times this month",
                int(reason.amount),
            )
        case "fresh":
            return t("confirmed their profile in the last six months")
        case "stale":
            return t("hasn't confirmed their profile in over six months")


_SKILLS = {1: "knows the basics", 2: "works with it", 3: "knows it deeply"}


def reasons_line(t: Translator, ranked: RankedPerson) -> str:
    """Return the four weightiest reasons as one line, leaving out the minor kinds."""
    telling = [r for r in ranked.reasons if r.cause not in ("fresh", "asked", "level")]
    return " · ".join(reason_text(t, r) for r in telling[:4])
