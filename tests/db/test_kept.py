"""Being forgotten lifts nothing: suspensions, mutes, blocks and limits hold, without a name."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.cards import plain
from bot.domain.joining import fingerprint_account
from bot.hub import Hub
from bot.jobs import maintenance
from bot.links import Links
from db import blocks, introductions, joining, members
from db.base import Base, transaction
from db.joining import CodeTry, KeptTry
from db.kept import KeptAccount
from db.members import Account, Member
from db.moderation import Report
from db.outbox import Delivery
from tests.cast import NOW, PLATFORM
from tests.conftest import Clock, CommandTyper
from tests.handlers.test_joining import city_code, mark, person
from tests.handlers.test_linking import linked, there
from tests.reading import commands_of

GOODBYE = "my-data forget sure:yes"
LUIS, MAYA = 3, 1


async def forget(typing: CommandTyper, key: str = "luis") -> None:
    """Somebody is forgotten; the cards of the hub are in Spanish for Luis."""
    said = plain(await typing(GOODBYE, as_=key))
    assert said.startswith(("Goodbye", "Adiós", "Hasta", "Done", "Listo")), said


async def count(engine: AsyncEngine, table: type[Base]) -> int:
    async with transaction(engine) as session:
        return await session.scalar(select(func.count()).select_from(table)) or 0


async def tidy(engine: AsyncEngine, clock: Clock) -> None:
    async with transaction(engine, writes=True) as session:
        await maintenance.delete_old_sanctions(session, clock.now)


async def number_of(engine: AsyncEngine, key: str) -> int:
    found = await person(engine, key)
    assert found is not None
    return found.id


# --- suspended --------------------------------------------------------------------------------


@pytest.mark.both
async def test_a_suspension_outlasts_being_forgotten(
    typing: CommandTyper, engine: AsyncEngine
) -> None:
    """By no way in; an appeal is open, staff see the person again, lift it, and they may join."""
    await mark(engine, "bogota-co")
    code = await city_code(typing, "bogota")
    await typing("report luis because:rude")
    await typing("admin reports suspend 1", as_="noor")
    await forget(typing)
    for words in ("join", "join bogota", f"join code:{code}", "join bogota ask:yes",
                  f"link {code}"):  # fmt: skip
        refused = await typing(words, as_="luis")
        assert "suspended your membership" in plain(refused), words
        assert commands_of(refused) == ["appeal"]
    assert await person(engine, "luis") is None

    assert "staff has your message" in plain(
        await typing('appeal because:"It was a joke"', as_="luis")
    )
    back = await person(engine, "luis")
    assert back is not None
    assert (back.name, back.status, back.city_id, back.listed) == ("luis", "suspended", None, False)
    assert "admin reports lift 1" in commands_of(await typing("admin reports", as_="ada"))
    await forget(typing)
    assert "suspended your membership" in plain(await typing("join bogota", as_="luis"))
    await typing('appeal because:"Once more"', as_="luis")
    assert "You made this decision" in plain(await typing("admin reports lift 1", as_="noor"))
    await typing("admin reports lift 1", as_="ada")
    assert plain(await typing("join bogota", as_="luis")).startswith("Welcome")
    again = await person(engine, "luis")
    assert again is not None
    assert (again.status, again.way) == ("verified", "workspace")


async def test_an_appeal_is_decided_once_also_for_the_forgotten(typing: CommandTyper) -> None:
    """Being forgotten after it was refused opens no second one."""
    await typing("report luis because:rude")
    await typing("admin reports suspend 1", as_="noor")
    await typing("appeal because:why", as_="luis")
    await typing("admin reports uphold 1", as_="ada")
    await forget(typing)
    assert "already" in plain(await typing("appeal because:please", as_="luis"))
    assert "Nothing is waiting" in plain(await typing("admin reports", as_="noor"))


@pytest.mark.parametrize(
    "words", ["admin members approve {account} city:bogota", "admit {asked} yes"]
)
async def test_who_approves_a_suspended_person_is_told_and_can_restore(
    typing: CommandTyper, engine: AsyncEngine, words: str
) -> None:
    """A request may be older than the suspension; nobody is let in by oversight."""
    await typing("help", as_="sam")
    await forget(typing, "sam")
    await typing("home", as_="sam")
    async with transaction(engine, writes=True) as session:
        account = await members.find_account(session, PLATFORM, "T1", "sam")
        assert account is not None
        asked, _, _ = await joining.create_request(session, account, (), 1, "", NOW)
        assert asked is not None
    reply = await typing(words.format(account=account.id, asked=asked.id), as_="noor")
    number = await number_of(engine, "sam")
    assert "sam is suspended" in plain(reply)
    assert commands_of(reply) == [f"admin members restore {number}"]
    assert "may join again" in plain(await typing(commands_of(reply)[0], as_="noor"))
    reply = await typing(f"admin members approve {account.id} city:boston", as_="noor")
    assert "sam from Boston" in plain(reply)


async def test_every_account_of_a_suspended_person_is_out(
    typing: CommandTyper, engine: AsyncEngine
) -> None:
    """Each comes back by itself; what the staff lift for one is lifted for the others."""
    await linked(typing)
    await linked(typing, other="maya3")
    await typing("admin members suspend 1", as_="noor")
    await typing(GOODBYE)
    code = await city_code(typing)
    for key in ("maya2", "maya3"):
        assert "suspended your membership" in plain(await there(typing, f"join code:{code}", key))
        assert "suspended your membership" in plain(await there(typing, f"link {code}", key))
    await typing("appeal because:sorry")
    await typing("appeal because:sorry", as_="maya2", platform="other", workspace="G9")
    number = await number_of(engine, "maya")
    await typing(f"admin members restore {number}", as_="noor")
    assert plain(await typing(f"join code:{code}")).startswith("Welcome")
    assert plain(await there(typing, f"join code:{code}", "maya3")).startswith("Welcome")


# --- muted ------------------------------------------------------------------------------------


@pytest.mark.both
async def test_a_mute_lasts_as_long_as_it_was_said(
    typing: CommandTyper, engine: AsyncEngine, clock: Clock
) -> None:
    """It is said at the welcome; when it is over, nothing is left of it."""
    await mark(engine, "bogota-co")
    await typing("report luis because:rude")
    await typing("admin reports mute 1 because of rude words", as_="noor")
    await forget(typing)
    clock.advance(days=3)
    welcome = plain(await typing("join bogota", as_="luis"))
    assert "muted you until" in welcome
    back = await person(engine, "luis")
    assert back is not None
    assert back.muted_until == NOW + timedelta(days=14)
    await forget(typing)
    await tidy(engine, clock)
    assert await count(engine, KeptAccount) == 1
    clock.advance(days=12)
    await tidy(engine, clock)
    assert await count(engine, KeptAccount) == 0
    assert "muted" not in plain(await typing("join bogota", as_="luis"))


async def test_an_account_taken_off_a_muted_profile_stays_muted(
    typing: CommandTyper, engine: AsyncEngine
) -> None:
    """Joining with it alone is no way around, nor is linking it to somebody else's profile."""
    await linked(typing)
    await typing("report maya because:rude", as_="ben")
    await typing("admin reports mute 1 because of rude words", as_="noor")
    await typing("block ben")
    async with transaction(engine) as session:
        second = await members.find_account(session, "other", "G9", "maya2")
        assert second is not None
    await typing(f"unlink {second.id}")
    code = await city_code(typing)
    await there(typing, f"join code:{code}", "maya2")
    async with transaction(engine) as session:
        alone = await members.find_account(session, "other", "G9", "maya2")
        assert alone is not None
        assert alone.member is not None
        assert alone.member.id != MAYA
        assert alone.member.is_muted(NOW)
        assert await blocks.has_blocked(session, alone.member.id, 2)


# --- blocks -----------------------------------------------------------------------------------


@pytest.mark.both
async def test_blocks_hold_both_ways_whoever_is_forgotten(
    typing: CommandTyper, engine: AsyncEngine
) -> None:
    """One side, the other, or both, in whatever order they come back; nobody is told."""
    await mark(engine, "bogota-co")
    await typing("block luis")
    await typing("block ben", as_="luis")
    await typing("rounds avoid luis", as_="zoe")
    await forget(typing)
    listed = await typing("block")
    assert "Someone who deleted their data" in plain(listed)
    before = plain(await typing("my-data", as_="luis"))
    assert before == plain(await typing("my-data", as_="nobody-knows-them"))
    await forget(typing, "ben")
    await typing("join bogota", as_="luis")
    await typing("join bogota", as_="ben")
    luis, ben = await number_of(engine, "luis"), await number_of(engine, "ben")
    async with transaction(engine) as session:
        assert await blocks.has_blocked(session, MAYA, luis)
        assert await blocks.has_blocked(session, luis, ben)
        assert not await blocks.has_blocked(session, ben, luis)
    assert await count(engine, KeptAccount) == 0
    assert "can reach you again" in plain(await typing(f"unblock {luis}"))


async def test_never_stays_never(typing: CommandTyper, engine: AsyncEngine) -> None:
    """A «never» to an introduction is a boundary too; its words are gone."""
    await mark(engine, "bogota-co")
    asked = await typing('intro ben because:"secret reason"', as_="luis")
    await typing(commands_of(asked)[0], as_="luis")
    async with transaction(engine) as session:
        number = await session.scalar(select(func.max(introductions.Introduction.id)))
    await typing(f"intro answer {number} never", as_="ben")
    await forget(typing)
    await typing("join bogota", as_="luis")
    luis = await number_of(engine, "luis")
    async with transaction(engine) as session:
        assert await introductions.has_said_never(session, 2, luis)
        rows = (await session.scalars(select(introductions.Introduction))).all()
        assert {row.because for row in rows} == {""}
    for who in ("luis", "ben"):
        assert "secret" not in plain(await typing("intro list", as_=who))


async def test_a_block_taken_back_leaves_nothing(
    typing: CommandTyper, engine: AsyncEngine, clock: Clock
) -> None:
    """Also while the blocked person is away."""
    await typing("block luis")
    await forget(typing)
    back = commands_of(await typing("block"))
    assert "can reach you again" in plain(await typing(back[0]))
    await tidy(engine, clock)
    async with transaction(engine) as session:
        assert await session.scalar(select(Member).where(Member.name == "")) is None
    assert await count(engine, KeptAccount) == 0


# --- limits -----------------------------------------------------------------------------------


@pytest.mark.both
async def test_wrong_codes_count_on(
    typing: CommandTyper, engine: AsyncEngine, clock: Clock
) -> None:
    """For the account and its workspace, for a quarter of an hour."""
    code = await city_code(typing)
    for number in range(4):
        await typing(f"join code:{number:04}-0000-0000", as_="rob")
        await typing("my-data forget", as_="rob")
    assert await count(engine, CodeTry) == 0
    assert await count(engine, KeptTry) == 4
    await typing("join code:0009-0000-0000", as_="rob")
    assert "This code doesn't work" in plain(await typing(f"join code:{code}", as_="rob"))
    assert plain(await typing(f"join code:{code}", as_="zac")).startswith("Welcome")
    clock.advance(minutes=16)
    await tidy(engine, clock)
    assert await count(engine, KeptTry) == 0
    assert plain(await typing(f"join code:{code}", as_="rob")).startswith("Welcome")


async def test_three_requests_a_week_whoever_one_claims_to_be(
    typing: CommandTyper, engine: AsyncEngine, clock: Clock
) -> None:
    """Twelve asks make three cards, and what was asked is withdrawn with the account."""
    for turn in range(12):
        said = plain(await typing("join bogota ask:yes", as_="rob"))
        assert ("already many requests" in said) is (turn >= 3)
        await typing("my-data forget", as_="rob")
    async with transaction(engine) as session:
        cards = (await session.scalars(select(Delivery).where(Delivery.kind == "duty"))).all()
    assert len(cards) <= 3 * 2, "one for each of the staff"
    assert {card.state for card in cards} == {"cancelled"}
    clock.advance(days=8)
    assert "asked to join Bogotá" in plain(await typing("join bogota ask:yes", as_="rob"))


# --- what is kept, and what not ---------------------------------------------------------------


async def test_without_a_sanction_nothing_is_kept(
    typing: CommandTyper, engine: AsyncEngine
) -> None:
    """No fingerprint, no row."""
    before = await count(engine, Member)
    await forget(typing)
    assert (await count(engine, Member), await count(engine, KeptAccount)) == (before - 1, 0)


async def test_what_is_kept_names_nobody(typing: CommandTyper, engine: AsyncEngine) -> None:
    """A row with a status and a time, a decision without words, a fingerprint."""
    await typing("report luis because:quarrelsome")
    await typing("admin reports suspend 1", as_="noor")
    await typing("block luis")
    await typing("my-data forget sure:yes", as_="luis")
    async with transaction(engine) as session:
        bare = (await session.scalars(select(Member).where(Member.name == ""))).one()
        facts = {c.key: getattr(bare, c.key) for c in Member.__table__.columns}
        report = (await session.scalars(select(Report))).one()
        kept = (await session.scalars(select(KeptAccount))).one()
        named = select(Account.id).where(Account.external_id == "luis")
        assert await session.scalar(named) is None
    said = {key: value for key, value in facts.items() if value and not key.startswith("seen_")}
    assert said["status"] == "suspended"
    assert said.keys() <= {
        "id", "status", "way", "created_at", "confirmed_at", "language", "spoken", "zone",
        "hours_from", "hours_to", "open_to_questions", "quiet_from", "quiet_to", "weekly_ceiling",
    }  # fmt: skip
    assert bare.spoken == " en ", "a column's default"
    assert (report.because, report.appeal, report.by_id) == ("", "", None)
    assert (kept.member_id, len(kept.fingerprint)) == (bare.id, 64)


async def test_a_new_key_knows_what_the_old_one_marked(engine: AsyncEngine, clock: Clock) -> None:
    """As long as the old one stands behind it; with another key the fingerprint is nobody's."""
    keys = ["first key of sixteen"]
    typing = CommandTyper(Hub(engine, clock=clock, links=Links(keys=lambda: keys)))
    await typing(GOODBYE, as_="sam")
    keys[:] = ["second key of sixteen", "first key of sixteen"]
    assert "suspended your membership" in plain(await typing("join", as_="sam"))
    keys[:] = ["second key of sixteen"]
    assert "suspended your membership" not in plain(await typing("join boston", as_="sam"))
    assert len(set(fingerprint_account(["a", "b"], "slack", "T1", "sam"))) == 2


async def test_what_stays_is_said_before_and_after(typing: CommandTyper) -> None:
    """One sentence in four languages, the same for everybody."""
    for key in ("maya", "luis", "ines", "remi", "pat", "sam"):
        shown = plain(await typing("my-data", as_=key))
        assert any(word in shown for word in ("anonymous mark", "marca anónima", "marca anônima",
                                              "marque anonyme")), (key, shown)  # fmt: skip
    assert "anonymous mark" in plain(await typing("my-data forget"))
