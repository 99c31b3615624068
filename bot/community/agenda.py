"""What waits for a member: answers, conversations, talks, rounds; for leads and staff, duties."""

from bot.cards import Button, Entry, Part
from bot.commands import Context
from bot.community import staff
from bot.community.introductions import asking
from bot.community.people import portraits
from bot.community.rounds import partners, upcoming
from bot.community.talks import times
from db import joining, members, moderation, outbox, rounds, talks
from db.members import CITY_LEAD

MAX_NAMES = 5


async def list_next_things(ctx: Context) -> list[Part]:
    """List what is next for the member, the most urgent first, each with a button to act on it."""
    duties = await render_duties(ctx)  # first: the queries below reload the member without roles
    found = (
        await asking.render_unanswered(ctx),
        duties,
        await times.render_next_talk(ctx),
        await _render_conversations(ctx),
        await partners.render_partner(ctx),
        await upcoming.render_next_round(ctx),
    )
    return [entry for entry in found if entry]


async def _render_conversations(ctx: Context) -> Entry | None:
    """Render with whom the member talks now; None if with nobody."""
    t, ongoing = ctx.t, await talks.load_ongoing(ctx.session, ctx.member.id, ctx.now)
    if not ongoing:
        return None
    names = await members.load_names(ctx.session, list(ongoing)[-MAX_NAMES:])
    button = Button(t("My conversations"), "relay")
    if len(ongoing) == 1:
        (only,) = ongoing.values()
        button = portraits.conversation_button(t("Go to the conversation"), only)
    return Entry(
        title=t.many("One open conversation", "{number} open conversations", len(ongoing)),
        lines=(t.listed(list(names.values())),),
        buttons=(button,),
    )


# --- duties -----------------------------------------------------------------------------------


async def render_duties(ctx: Context) -> Entry | None:
    """Render what waits for a lead or the staff, each with its button; None if nothing."""
    t, me = ctx.t, ctx.member
    is_staff = staff.is_staff(me)
    if not (is_staff or me.has_role(CITY_LEAD)):
        return None
    waiting: list[tuple[str, Button]] = []
    if asked := await joining.count_open_requests(ctx.session, None if is_staff else me.city_id):
        said = t.many("One person asks to join", "{number} people ask to join", asked)
        waiting.append((said, Button(t("Who asks to join"), "admit")))
    if is_staff:
        waiting += await _list_staff_duties(ctx)
    if not waiting:
        return None
    return Entry(
        title=t("Waiting for you"),
        lines=tuple(said for said, _ in waiting),
        buttons=tuple(button for _, button in waiting),
    )


async def _list_staff_duties(ctx: Context) -> list[tuple[str, Button]]:
    """List what waits for the staff: reports and appeals, deliveries, mutes, the drafted round."""
    t, session = ctx.t, ctx.session
    found: list[tuple[str, Button]] = []
    if reports := await moderation.count_open(session, ctx.member.id):
        said = t.many("One report or appeal", "{number} reports and appeals", reports)
        found.append((said, Button(t("Moderation queue"), "admin reports")))
    if dead := await outbox.count_unsolved(session):
        said = t.many("One undelivered message", "{number} undelivered messages", dead)
        found.append((said, Button(t("What did not arrive"), "admin dead list")))
    if muted := await moderation.count_muted(session, ctx.now):
        said = t.many("One person is muted now", "{number} people are muted now", muted)
        found.append((said, Button(t("Who is muted"), "admin reports")))
    drafted = await rounds.find_unsent_draft(session)
    if drafted:
        when = t.day(drafted.day, "medium")
        found.append(
            (t("The round of {day} is drafted", day=when), Button(t("Rounds"), "admin rounds"))
        )
    return found
