"""One's own profile: one form for all of it, saved as far as it was filled in."""

from collections.abc import Awaitable, Callable

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.cards import Card, Form, plain
from bot.hub import Hub
from bot.request import Request
from db.audit import Audit
from db.base import transaction
from db.members import Member
from tests.cast import sender
from tests.conftest import Clock, CommandTyper
from tests.reading import button, commands_of, field, problems_of, titles_of, values_of

Joining = Callable[..., Awaitable[int]]


async def test_the_form_opens_filled_with_everything(typing: CommandTyper) -> None:
    """Submitted unchanged it changes nothing but the date."""
    form = await typing("profile")
    before = values_of(form)
    assert before["knows"] == ("open data", "metadata")
    assert before["languages"] == ("en", "es")
    assert before["hours"] == ("09:00-17:00",)
    assert before["seen_hours"] == ("city",)

    saved = await typing("profile", values=before, submitted=True)
    assert "Saved." in plain(saved)
    assert "Profile confirmed: just now" in plain(saved)
    assert values_of(await typing("profile edit")) == before


@pytest.mark.parametrize(
    "words", ["profile", "settings edit", "profile hours:99", "settings zone:x"]
)
async def test_a_form_of_what_exists_is_saved_and_not_sent(
    typing: CommandTyper, words: str
) -> None:
    """The word on the button, when it opens and when it opens again for a correction."""
    assert isinstance(form := await typing(words, submitted=":" in words), Form)
    assert form.submit == "Save"
    assert form.title == f"Your {words.split()[0]}"

    asked = await typing("who-does")
    assert isinstance(asked, Form)
    assert asked.submit == "Go"


async def test_words_that_fit_no_field_are_named(typing: CommandTyper) -> None:
    """The form that opens instead says why; what exists is untouched."""
    form = await typing("profile availability:foo")

    assert isinstance(form, Form)
    assert "«availability:foo» doesn't work here." in form.intro
    assert "Edit" not in form.intro
    assert values_of(form)["knows"] == ("open data", "metadata")


@pytest.mark.both
async def test_what_is_given_is_saved_and_the_rest_stays(typing: CommandTyper) -> None:
    """Words after the command are enough."""
    await typing('profile title:"Tree counter" asks:3 open:no')
    after = values_of(await typing("profile"))

    assert after["title"] == ("Tree counter",)
    assert after["asks"] == ("3",)
    assert after["open"] == ("no",)
    assert after["bio"] == ("I publish data that neighbors use.",)
    assert after["knows"] == ("open data", "metadata")


@pytest.mark.both
async def test_what_one_knows_is_found_at_once_and_forgotten_at_once(typing: CommandTyper) -> None:
    """Topics by any name; endorsements of those that stay are kept."""
    await typing("endorse maya metadata", as_="luis")
    await typing('profile knows:"metadatos, gis" bio:"I count pigeons"')

    assert "Maya Chen" in titles_of(await typing("who-does gis", as_="luis"))
    assert "Maya Chen" not in titles_of(await typing("who-does open data", as_="luis"))
    assert titles_of(await typing("who-does pigeon", as_="luis")) == ["Maya Chen"]
    assert "Maya Chen" not in plain(await typing("who-does neighbors", as_="zoe"))
    assert "one endorsement" in plain(await typing("who-is maya", as_="zoe"))


@pytest.mark.parametrize("words", [
    "profile edti", "profile languages:klingon", "profile hours:noonish",
    "profile knows:qqqqxx", "profile asks:many", "profile seen-bio:friends",
])  # fmt: skip
async def test_a_form_that_opens_for_a_slip_shows_the_profile_as_it_is(
    typing: CommandTyper, words: str
) -> None:
    """Submitting it must never empty the fields that nobody spoke of."""
    before = values_of(await typing("profile"))
    form = await typing(words)

    assert isinstance(form, Form)
    slipped = set(problems_of(form))
    for name, value in values_of(form).items():
        assert value == before[name] or name in slipped, name
    kept = {n: before[n] if n in slipped else v for n, v in values_of(form).items()}
    await typing("profile", values=kept, submitted=True)
    assert values_of(await typing("profile")) == before


async def test_opening_the_form_again_runs_nothing(typing: CommandTyper, hub: Hub) -> None:
    """A form's button that expired opens the form; it does not save."""
    form = await hub.form(Request(sender("maya"), "profile title:Queen"))

    assert field(form, "title").value == ("Queen",)
    assert field(form, "bio").value == ("I publish data that neighbors use.",)
    assert values_of(await typing("profile"))["title"] == ("Open Data Manager",)


async def test_an_emptied_field_is_cleared_where_that_makes_sense(typing: CommandTyper) -> None:
    """Title, story, topics and the limit may be empty; name, languages and choices stay."""
    before = values_of(await typing("profile"))
    await typing("profile", values=dict.fromkeys(before, ()) | {"hours": before["hours"]},
                 submitted=True)  # fmt: skip
    after = values_of(await typing("profile"))

    empty = {name for name, value in after.items() if not any(value)}
    assert empty == {"title", "bio", "knows", "learns", "asks"}
    assert after["name"] == ("Maya Chen",)


async def test_a_submitted_form_with_a_slip_keeps_all_that_was_typed(typing: CommandTyper) -> None:
    """The problem stands beside its field; nothing is saved."""
    typed = values_of(await typing("profile")) | {"title": ("Typed",), "hours": ("25-26",)}
    form = await typing("profile", values=typed, submitted=True)

    assert values_of(form) == typed
    assert "«25-26»" in problems_of(form)["hours"]
    assert values_of(await typing("profile"))["title"] == ("Open Data Manager",)


@pytest.mark.parametrize(
    ("said", "kept"),
    [("9-17", "09:00-17:00"), ("9:30 - 18", "09:30-18:00"), ("08:00–16:30", "08:00-16:30"),
     ("8 to 16", "08:00-16:00"), ("8 à 16", "08:00-16:00"), ("0-24", "00:00-24:00")],
)  # fmt: skip
async def test_working_hours_are_read_as_people_write_them(
    typing: CommandTyper, said: str, kept: str
) -> None:
    """In four languages."""
    await typing(f'profile hours:"{said}"')

    assert values_of(await typing("profile"))["hours"] == (kept,)


@pytest.mark.parametrize("said", ["17-9", "9-9", "9-25", "9:75-17", "now", "9", "-1-5", "24-24"])
async def test_hours_that_are_none_are_refused(typing: CommandTyper, said: str) -> None:
    """Upside down, empty, beyond the day."""
    assert f"«{said}»" in problems_of(await typing(f"profile hours:{said}"))["hours"]


async def test_a_topic_that_is_none_gets_the_nearest(typing: CommandTyper) -> None:
    """As buttons that keep the other topics; in a form as a sentence beside the field."""
    card = await typing("profile knows:gis,opn-dt")
    form = await typing("profile", values={"knows": ("gis", "opn-dt")}, submitted=True)

    assert "«opn-dt» " in plain(card)
    assert button(card, "open data").command == "profile knows:gis,open-data"
    assert "Did you mean «open data»?" in problems_of(form)["knows"]
    assert field(form, "knows").value == ("gis", "opn-dt")


async def test_topics_are_read_as_everywhere(typing: CommandTyper) -> None:
    """By a part of the name, two at once; where several fit, a press keeps the others."""
    card = await typing("profile knows:homelessness,budget learns:gis")
    assert "Several topics have «budget» in their names" in plain(card)
    assert len(commands_of(card)) == 4
    pressed = button(card, "budgeting for outcomes (0)").command
    assert pressed == "profile knows:homelessness,budgeting-for-outcomes learns:gis"
    await typing(pressed)
    assert set(values_of(await typing("profile"))["knows"]) == {
        "homelessness data", "budgeting for outcomes"
    }  # fmt: skip
    await typing('profile knows:"open data and gis"')
    assert set(values_of(await typing("profile"))["knows"]) == {"open data", "GIS"}


async def test_more_topics_than_fit_are_counted(typing: CommandTyper) -> None:
    """Twenty fit; the sentence does not say that the field is empty."""
    topics = ",".join(["gis", "metadata", "procurement"] * 7)

    assert "20" in problems_of(await typing(f"profile knows:{topics}"))["knows"]


@pytest.mark.both
async def test_being_listed_is_a_yes_and_can_be_taken_back(typing: CommandTyper) -> None:
    """Consent first; a no is at once."""
    await typing("profile listed:yes", as_="uma")
    assert "Uma Unlisted" in titles_of(await typing("who-does open data"))
    reply = await typing("profile listed:no", as_="uma")
    assert "Uma Unlisted" not in titles_of(await typing("who-does open data"))
    assert "not in the directory" in plain(reply)


@pytest.mark.parametrize(
    ("seen", "colleague", "other"),
    [("community", True, True), ("city", True, False), ("nobody", False, False)],
)
async def test_each_field_is_seen_by_whom_one_chose(
    typing: CommandTyper, seen: str, colleague: bool, other: bool
) -> None:
    """The whole community, one's own city, nobody; oneself always."""
    await typing(f"profile seen-bio:{seen} seen-title:{seen} seen-topics:{seen} "
                 f"seen-languages:{seen} seen-hours:{seen}")  # fmt: skip
    for who, may in (("ben", colleague), ("luis", other), ("maya", True)):
        said = plain(await typing("who-is 1", as_=who))
        for shown in ("neighbors use", "Open Data Manager", "metadata", "Español", "09:00"):
            assert (shown in said) is may, (who, shown)
    assert ("Maya Chen" in titles_of(await typing("who-does metadata", as_="luis"))) is other


async def test_after_six_months_the_hub_asks_once_whether_it_is_still_right(
    typing: CommandTyper, clock: Clock
) -> None:
    """A press is enough to say yes, and only one's own profile and home ask."""
    question = "Is it still right?"
    clock.advance(days=170)
    assert question not in plain(await typing("home"))
    clock.advance(days=1)
    assert question in plain(await typing("home"))
    assert question in plain(await typing("profile show"))
    assert question not in plain(await typing("who-is maya", as_="ben"))

    await typing(button(await typing("home"), "Still up to date").command)
    assert question not in plain(await typing("home"))


async def test_a_save_is_audited_without_its_words(
    typing: CommandTyper, engine: AsyncEngine
) -> None:
    """Who and when; never what."""
    await typing('profile bio:"canary7f3a9"')
    async with transaction(engine) as session:
        rows = (await session.scalars(select(Audit))).all()

    assert [(a.action, a.subject, a.member_id) for a in rows] == [("profile saved", "member:1", 1)]


async def test_a_name_is_folded_for_finding(typing: CommandTyper, engine: AsyncEngine) -> None:
    """The new name counts from now on."""
    await typing('profile name:"Zoë Ñandú"')

    assert plain(await typing("who-is zoe nandu", as_="luis")).startswith("Zoë Ñandú")
    async with transaction(engine) as session:
        assert (await session.get_one(Member, 1)).folded == "zoe nandu"


async def test_hostile_words_are_kept_and_shown_as_they_are(typing: CommandTyper) -> None:
    """Format strings, markup and formulas are text."""
    hostile = "{0.__class__} %n ${7*7} =cmd() <!channel> @everyone `x` 🌳 '; DROP TABLE member;--"
    reply = await typing("profile", values={"bio": (hostile,)})

    assert isinstance(reply, Card)
    assert hostile in plain(reply)
    assert "settings" in commands_of(reply)
