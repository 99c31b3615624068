"""The hub: who may say what, what is understood, and what a first contact leaves behind."""

import asyncio
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta

import pytest
from pydantic import BaseModel
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from bot import commands
from bot.cards import Card, Form, plain
from bot.commands import (
    ANYONE,
    COMMANDS,
    LISTENERS,
    MEMBER,
    STAFF,
    Listener,
    MessageContext,
    command,
    hears,
    load_commands,
)
from bot.hub import Hub
from bot.i18n import translator
from bot.request import HandledMessage, IncomingMessage, Request
from db import inbound, members, workspaces
from db.audit import Audit
from db.base import transaction
from db.inbound import InboundEvent
from db.members import Account, Member, MemberRole
from db.workspaces import Workspace
from tests.cast import CAST, PENDING, PLATFORM, WORKSPACE, sender
from tests.conftest import Clock, CommandTyper
from tests.reading import button, commands_of, field, problems_of, values_of

# --- who may say what -------------------------------------------------------------------------

WAITING = {"anonymous": "newcomer", "pending": PENDING, "suspended": "sam"}
INSIDE = {"member": "maya", "staff": "noor", "admin": "ada"}
EVERYBODY = WAITING | INSIDE


def may(name: str, who: str) -> bool:
    """What the declaration promises."""
    allow = COMMANDS[name].allow
    if allow is ANYONE:
        return True
    return who in ("staff", "admin") or (allow is MEMBER and who == "member")


@pytest.mark.parametrize("who", [*EVERYBODY, "stranger"])
@pytest.mark.parametrize("name", sorted(load_commands()))
async def test_a_command_runs_for_those_whom_its_declaration_allows(
    typing: CommandTyper, name: str, who: str
) -> None:
    """Every command × everybody: the expectation is derived from `allow`, and deny is the rule."""
    user = EVERYBODY.get(who, "maya")
    reply = await typing(name, as_=user, is_outsider=who == "stranger")

    title = plain(reply).splitlines()[0]
    refused = title in ("Members only", "Staff only")
    assert refused is not may(name, who), plain(reply)


def test_the_matrix_covers_every_kind_of_permission() -> None:
    """A new `Allow` needs a new column above."""
    assert {c.allow for c in load_commands().values()} <= {ANYONE, MEMBER, STAFF}


def test_a_command_that_does_not_say_who_may_run_it_cannot_be_declared() -> None:
    """Default deny begins at import."""

    class Ask(BaseModel):
        """Do something"""

    async def handle(ctx: object, ask: Ask) -> Card:
        return Card("Done")

    with pytest.raises(TypeError, match="allow"):
        command("unsaid")(handle)  # type: ignore[call-arg]  # the missing word is the test
    with pytest.raises(TypeError, match="who may run it"):
        command("unsaid", allow=None, room="daily")(handle)  # type: ignore[arg-type]  # the same
    assert "unsaid" not in COMMANDS


def test_a_name_is_taken_once_and_a_command_explains_itself() -> None:
    """Two handlers never answer to one verb; the docstring is what every face shows."""

    class Ask(BaseModel):
        """Do something"""

    class Silent(BaseModel):
        pass

    Silent.__doc__ = None

    async def again(ctx: object, ask: Ask) -> Card:
        return Card("Done")

    async def silent(ctx: object, ask: Silent) -> Card:
        return Card("Done")

    again.__annotations__["ask"], silent.__annotations__["ask"] = Ask, Silent
    for name, handle in (("help", again), ("silent", silent)):
        with pytest.raises(TypeError, match="a name of its own"):
            command(name, allow=ANYONE, room="daily")(handle)


async def test_a_refused_member_stands_in_the_audit_log_by_number(
    typing: CommandTyper, engine: AsyncEngine
) -> None:
    """Staff can see who tries what; no word of the request is kept."""
    reply = await typing("admin members approve 1 canary7f3a9")

    assert plain(reply).startswith("Staff only")
    async with transaction(engine) as session:
        noted = (await session.scalars(select(Audit))).all()
    assert [(a.member_id, a.action, a.subject, a.outcome) for a in noted] == [
        (1, "admin members", "command", "refused")
    ]


async def test_those_outside_are_told_how_to_get_in(typing: CommandTyper) -> None:
    """The same words for the suspended as for strangers: nothing says that somebody was here."""
    said = {plain(await typing("who-does open data", as_=who)) for who in WAITING.values()}

    assert len(said) == 1
    assert "Join with a code from a colleague, or ask to join" in said.pop()


async def test_a_stranger_who_carries_a_members_account_gets_public_answers_only(
    typing: CommandTyper,
) -> None:
    """A guest from another organisation is nobody here, whatever the id says."""
    reply = await typing("city boston", as_="maya", is_outsider=True)

    assert "Members also see the people in this city." in plain(reply)
    assert "Ben Ortiz" not in plain(reply)


# --- what is understood -----------------------------------------------------------------------


async def test_help_is_offered_once(typing: CommandTyper) -> None:
    """«hepl» is close to «help», which is the way out anyway."""
    assert commands_of(await typing("hepl")) == ["help"]
    assert commands_of(await typing("qqq")) == ["help"]


@pytest.mark.parametrize(
    ("said", "meant"),
    [("hwo-does", "who-does"), ("whoi-is", "who-is"), ("proffile", "profile"), ("CITTY", "city")],
)
async def test_an_unknown_command_gets_the_nearest_ones(
    typing: CommandTyper, said: str, meant: str
) -> None:
    """The rest of what was typed stays."""
    reply = await typing(f"{said} open data")

    assert f"I don't know the command «{said}»." in plain(reply)
    assert f"{meant} open data" in commands_of(reply)
    assert commands_of(reply)[-1] == "help"


async def test_the_nearest_commands_are_those_that_the_asker_may_run(typing: CommandTyper) -> None:
    """What is for staff is not suggested to others."""
    assert "admin members" not in commands_of(await typing("admn membrs"))
    assert "admin members" in commands_of(await typing("admin membrs", as_="noor"))


async def test_a_word_like_nothing_leads_to_the_help(typing: CommandTyper) -> None:
    """No guess is better than a wild one."""
    reply = await typing("qqqqqqqq")

    assert commands_of(reply) == ["help"]
    assert "Did you mean" not in plain(reply)


@pytest.mark.parametrize("words", ["", " ", "\u00a0", "\u200b", "\n\t", "\x00"])
async def test_saying_nothing_is_asking_for_help(typing: CommandTyper, words: str) -> None:
    """Spaces of every kind are nothing."""
    assert plain(await typing(words)).startswith("What the hub can do for you")


async def test_invisible_characters_do_not_break_the_command_off(typing: CommandTyper) -> None:
    """Copied text carries zero-width characters and control characters."""
    wanted = plain(await typing("who-does open data"))

    for words in ("\u200b who-does open data", "who-does\x00open data", "\x07who-does  open data",
                  "\ufeffWHO-DOES\u2028open\u00a0data"):  # fmt: skip
        assert plain(await typing(words)) == wanted, repr(words)


async def test_missing_words_open_the_form(typing: CommandTyper) -> None:
    """Who asks without a topic gets the field for one."""
    reply = await typing("who-does")

    assert isinstance(reply, Form)
    assert field(reply, "topic").required
    assert field(reply, "topic").suggests == "topic"


async def test_a_form_keeps_what_was_typed_with_the_problem_beside_it(typing: CommandTyper) -> None:
    """Nothing typed is lost."""
    reply = await typing("who-does open data level:goldd speaks:es")

    assert values_of(reply) | {"topic": ("open data",), "speaks": ("es",)} == values_of(reply)
    assert field(reply, "level").value == ("goldd",)
    assert problems_of(reply) == {
        "level": "«goldd» doesn't work here. Try one of these: Silver, Gold, Platinum. "
        "Did you mean «Gold»?"
    }


async def test_native_values_win_over_words(typing: CommandTyper) -> None:
    """A platform's own options are as good as typed keys."""
    reply = await typing("who-does gis", values={"topic": ("data governance",)})

    assert "Rémi Gagnon" in plain(reply)


async def test_a_value_nobody_declared_is_left_out(typing: CommandTyper) -> None:
    """A tampered form changes nothing."""
    reply = await typing("who-does", values={"topic": ("gis",), "role": ("admin",)})

    assert plain(reply).startswith("Who does")


@pytest.mark.parametrize(
    ("who", "mexico"),
    {"maya": "Mexico", "luis": "México", "ines": "México", "remi": "Mexique"}.items(),
)
async def test_members_are_answered_in_the_language_they_chose(
    typing: CommandTyper, who: str, mexico: str
) -> None:
    """The member's own choice wins over the platform's locale."""
    language = {"maya": "en", "luis": "es", "ines": "pt", "remi": "fr"}[who]

    assert mexico in plain(await typing("city monterrey", as_=who, locale="de-DE"))
    unknown = plain(await typing("qqqqqqqq", as_=who, locale="de-DE"))
    assert unknown.startswith(translator(language)("Not quite"))


@pytest.mark.parametrize(
    ("locale", "language"), [("es-419", "es"), ("pt_BR", "pt"), ("fr-CA", "fr"), ("ja-JP", "en")]
)
async def test_whom_the_hub_does_not_know_it_speaks_to_in_their_platforms_language(
    hub: Hub, locale: str, language: str
) -> None:
    """English for languages we do not have."""
    assert await hub.language(sender("newcomer", locale)) == language


async def test_without_a_locale_the_one_of_the_first_contact_counts(
    typing: CommandTyper, hub: Hub
) -> None:
    """Some events carry no locale."""
    await typing("help", as_="newcomer", locale="fr-CA")

    assert await hub.language(sender("newcomer", "")) == "fr"
    assert await hub.language(sender("luis", "fr-CA")) == "es"


# --- first contact ----------------------------------------------------------------------------


async def count(session: AsyncSession, kind: type[object]) -> int:
    return await session.scalar(select(func.count()).select_from(kind)) or 0


@pytest.mark.both
async def test_a_first_contact_is_written_down_once(
    typing: CommandTyper, engine: AsyncEngine
) -> None:
    """Account and workspace, with what the platform says of them; no member."""
    for _ in range(2):
        await typing("help", as_="newcomer", workspace="T9", zone="America/Lima", locale="es")

    async with transaction(engine) as session:
        account = await members.find_account(session, PLATFORM, "T9", "newcomer")
        assert account is not None
        assert (account.name, account.zone, account.locale) == ("newcomer", "America/Lima", "es")
        assert account.member is None
        assert await count(session, Workspace) == 2
        assert await count(session, Account) == len(CAST) + 2


@pytest.mark.both
async def test_many_first_contacts_at_once_make_one_account(
    typing: CommandTyper, engine: AsyncEngine
) -> None:
    """A platform sends the opening of the home tab and a command in the same second."""
    replies = await asyncio.gather(
        *(typing("help", as_="newcomer", workspace="T9") for _ in range(8))
    )

    assert {plain(r).splitlines()[0] for r in replies} == {"What the hub can do for you"}
    async with transaction(engine) as session:
        assert await count(session, Account) == len(CAST) + 2


async def test_a_stranger_leaves_no_trace(typing: CommandTyper, engine: AsyncEngine) -> None:
    """Guests of shared channels are not written down."""
    await typing("help", as_="guest", is_outsider=True)

    async with transaction(engine) as session:
        assert await members.find_account(session, PLATFORM, WORKSPACE, "guest") is None


@pytest.mark.both
async def test_what_a_platform_says_of_an_account_is_made_fit_to_keep(
    typing: CommandTyper, engine: AsyncEngine
) -> None:
    """A name with control characters and a zone that does not exist do no harm."""
    reply = await typing(
        "help", as_="odd", name="O\x00d\u202ed \ud800", zone="Mars/Base", locale="xx"
    )
    assert plain(reply).startswith("What the hub can do for you")

    await typing("admin members approve 13 boston", as_="noor")
    card = plain(await typing("profile show", as_="odd"))
    async with transaction(engine) as session:
        account = await members.find_account(session, PLATFORM, WORKSPACE, "odd")
    assert account is not None
    assert account.name == "O dd"
    assert "Local time: 10:00" in card


async def test_in_direct_messages_without_a_workspace_one_is_known_all_the_same(
    typing: CommandTyper,
) -> None:
    """Discord's direct messages belong to no server."""
    assert "Ben Ortiz" in plain(await typing("who-does open data", workspace=""))


async def test_an_unknown_user_without_a_workspace_is_not_written_down(
    typing: CommandTyper, engine: AsyncEngine
) -> None:
    """There is no workspace to write them under."""
    reply = await typing("help", as_="nobody", workspace="")

    assert plain(reply).startswith("What the hub can do for you")
    async with transaction(engine) as session:
        assert await members.find_account(session, PLATFORM, "", "nobody") is None


async def test_the_same_user_id_elsewhere_is_somebody_else(typing: CommandTyper) -> None:
    """Ids count within their workspace only."""
    assert "Members only" in plain(await typing("who-does gis", as_="maya", workspace="T2"))
    assert "Members only" in plain(await typing("who-does gis", as_="maya", platform="discord"))


# --- admins by setting ------------------------------------------------------------------------


@pytest.mark.both
async def test_the_operators_admin_is_a_verified_member_from_the_first_contact(
    engine: AsyncEngine, clock: Clock
) -> None:
    """Once, even when several requests arrive together; and it stands in the audit log."""
    hub = Hub(engine, admins=frozenset({f"{PLATFORM}:{WORKSPACE}:boss"}), clock=clock)
    asked = Request(sender("boss"), "admin members")
    replies = await asyncio.gather(*(hub(asked) for _ in range(6)))

    assert {plain(r).splitlines()[0] for r in replies} == {"Waiting to join"}
    async with transaction(engine) as session:
        assert await count(session, Member) == len(CAST) + 1
        roles = (await session.scalars(select(MemberRole.role))).all()
        audits = (await session.scalars(select(Audit.action))).all()
    assert sorted(roles) == ["admin", "admin", "staff"]
    assert list(audits) == ["admin by setting"]


async def test_an_account_that_waited_becomes_admin_when_the_operator_names_it(
    engine: AsyncEngine, clock: Clock
) -> None:
    """The setting may come later than the first contact."""
    hub = Hub(engine, admins=frozenset({f"{PLATFORM}:{WORKSPACE}:{PENDING}"}), clock=clock)

    assert "Waiting to join" in plain(await hub(Request(sender(PENDING), "admin members")))


async def test_a_stranger_never_becomes_admin(engine: AsyncEngine, clock: Clock) -> None:
    """Not even under the id that the operator named."""
    hub = Hub(engine, admins=frozenset({f"{PLATFORM}:{WORKSPACE}:boss"}), clock=clock)

    reply = await hub(Request(sender("boss", is_outsider=True), "admin members"))
    assert plain(reply).startswith("Members only")


async def test_the_admin_of_one_workspace_is_nobody_in_another(
    engine: AsyncEngine, clock: Clock
) -> None:
    """The setting names platform, workspace and user."""
    hub = Hub(engine, admins=frozenset({f"{PLATFORM}:{WORKSPACE}:boss"}), clock=clock)

    reply = await hub(Request(sender("boss", workspace="T2"), "admin members"))
    assert plain(reply).startswith("Members only")


# --- events, forms, suggestions ---------------------------------------------------------------


@pytest.mark.both
async def test_an_event_is_new_once(hub: Hub, clock: Clock, engine: AsyncEngine) -> None:
    """Eight deliveries at once: one is the first."""
    assert sum(await asyncio.gather(*(hub.record_event("e1") for _ in range(8)))) == 1
    assert not await hub.record_event("e1")
    assert await hub.record_event("e2")
    async with transaction(engine) as session:
        assert await count(session, InboundEvent) == 2


async def test_a_workspace_that_removed_the_hub_is_marked_so(
    hub: Hub, engine: AsyncEngine, clock: Clock
) -> None:
    """With a row in the audit log; an unknown one changes nothing."""
    await hub.on_workspace_removed(PLATFORM, WORKSPACE)
    await hub.on_workspace_removed(PLATFORM, "T-unknown")

    async with transaction(engine) as session:
        home = await workspaces.find_workspace(session, PLATFORM, WORKSPACE)
        actions = (await session.scalars(select(Audit.action))).all()
    assert home is not None
    assert home.removed_at == clock()
    assert list(actions) == ["workspace removed"]


async def test_a_form_opens_for_words_that_would_have_been_enough(hub: Hub) -> None:
    """Who presses «change» gets the fields filled with what was said."""
    form = await hub.form(Request(sender("maya"), "who-does open data in:mexico"))

    assert values_of(form)["topic"] == ("open data",)
    assert values_of(form)["place"] == ("mexico",)
    with pytest.raises(LookupError):
        await hub.form(Request(sender("maya"), "qqqqqqqq"))


async def test_suggestions_put_what_was_typed_first_unless_it_is_one_of_them(hub: Hub) -> None:
    """What is typed need not be one of the suggestions."""
    asked = Request(sender("maya"))
    labels = [o.label for o in await hub.suggest(asked, "who-does", "topic", "open")]
    assert labels[0] == "«open»"
    assert "open data" in labels

    exact = await hub.suggest(asked, "who-does", "topic", "open data")
    assert exact[0].label == "open data"
    everything = await hub.suggest(asked, "who-does", "topic", "")
    assert len(everything) == 25


@pytest.mark.parametrize(
    ("verb", "name"), [("who-does", "level"), ("who-does", "nothing"), ("nothing", "topic")]
)
async def test_fields_without_a_completion_suggest_nothing(hub: Hub, verb: str, name: str) -> None:
    """Nor do fields and verbs that are not there."""
    assert await hub.suggest(Request(sender("maya")), verb, name, "open") == ()


@pytest.mark.parametrize("who", WAITING.values())
async def test_suggestions_are_for_those_who_may_run_the_command(hub: Hub, who: str) -> None:
    """A completion leaks as much as an answer."""
    asked = Request(sender(who))

    assert await hub.suggest(asked, "who-is", "person", "maya") == ()
    assert await hub.suggest(asked, "who-does", "topic", "open") == ()


async def test_the_reference_is_read_again_after_a_minute(
    typing: CommandTyper, clock: Clock, query_count: Callable[..., object]
) -> None:
    """Another process may have changed the vocabulary."""
    await typing("help")
    first = typing.hub._reference_cache
    clock.advance(seconds=59)
    await typing("help")
    assert typing.hub._reference_cache is first
    clock.advance(seconds=2)
    await typing("help")
    assert typing.hub._reference_cache is not first
    clock.now -= timedelta(hours=1)
    await typing("help")
    assert typing.hub._reference_cache is not None
    assert typing.hub._reference_cache.read_at == clock.now


@pytest.mark.parametrize("first", ["qqqqqqqq", "city nowhere at all", "admin members"])
async def test_a_refusal_as_the_first_request_spoils_nothing(
    typing: CommandTyper, first: str
) -> None:
    """What is kept in memory outlives the transaction that was rolled back."""
    await typing(first)

    assert "Ben Ortiz" in plain(await typing("who-does open data"))
    assert "Monterrey" in plain(await typing("city monterrey"))


def test_every_completion_that_a_field_names_is_there() -> None:
    """A misspelt name would silently suggest nothing."""
    named = {a.suggests for c in load_commands().values() for a in c.arguments if a.suggests}

    assert named == set(commands.COMPLETIONS)


async def test_the_home_of_a_newcomer_leads_to_public_commands_only(typing: CommandTyper) -> None:
    """No button that would be refused."""
    reply = await typing("home", as_="newcomer")

    assert "You're not a verified member yet" in plain(reply)
    assert commands_of(reply) == ["join"]
    assert button(await typing("home"), "Settings").command == "settings"


# --- listeners --------------------------------------------------------------------------------


MESSAGE = IncomingMessage(sender("maya"), "written", "M1", "D1", "hello", keys=("Ev1",))
TAKEN = HandledMessage()


def listener(
    asked: list[str],
    name: str,
    result: HandledMessage | Exception | None,
    *,
    concerned: bool = True,
) -> Listener:
    """A listener that notes in `asked` when it is called, and remembers one event by its name."""

    async def may_concern(session: AsyncSession, heard: IncomingMessage) -> bool:
        return concerned

    async def handle(ctx: MessageContext, heard: IncomingMessage) -> HandledMessage | None:
        asked.append(name)
        await inbound.remember_event(ctx.session, name, ctx.now)
        if isinstance(result, Exception):
            raise result
        return result

    return Listener(may_concern, handle)


async def keys_of_events(engine: AsyncEngine) -> set[str]:
    async with transaction(engine) as session:
        return set(await session.scalars(select(InboundEvent.key)))


async def test_the_second_listener_is_asked_only_if_the_first_did_not_take_it(
    hub: Hub, engine: AsyncEngine
) -> None:
    """One taker a message, in the order of declaration; both ask in one transaction."""
    asked: list[str] = []
    hub.listeners = (listener(asked, "first", TAKEN), listener(asked, "second", TAKEN))
    assert await hub.handle_message(MESSAGE) is TAKEN
    assert asked == ["first"]

    asked.clear()
    hub.listeners = (listener(asked, "passes", None), listener(asked, "takes", TAKEN))
    assert await hub.handle_message(MESSAGE) is TAKEN
    assert asked == ["passes", "takes"]
    assert await keys_of_events(engine) == {"first", "passes", "takes"}


async def test_a_message_that_no_listener_takes_may_be_a_command(hub: Hub) -> None:
    """Each of them was asked, and none took it."""
    asked: list[str] = []
    hub.listeners = (listener(asked, "first", None), listener(asked, "second", None))
    assert await hub.handle_message(MESSAGE) is None
    assert asked == ["first", "second"]


async def test_a_listener_that_fails_leaves_nothing_of_those_before_it(
    hub: Hub, engine: AsyncEngine
) -> None:
    """What is heard is one transaction, whoever takes it."""
    hub.listeners = (listener([], "first", None), listener([], "second", OSError("no space")))
    with pytest.raises(OSError, match="no space"):
        await hub.handle_message(MESSAGE)
    assert await keys_of_events(engine) == set()


async def test_whom_no_listener_may_concern_nothing_is_written_for(
    hub: Hub, engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cheap question is asked where only reading is possible; one yes asks that one alone."""
    asked: list[str] = []
    nobody = listener(asked, "nobody", TAKEN, concerned=False)
    hub.listeners = (nobody, listener(asked, "somebody", TAKEN))
    assert await hub.handle_message(MESSAGE) is TAKEN
    assert asked == ["somebody"]

    def refuse_to_write(engine: AsyncEngine, *, writes: bool = False) -> object:
        assert not writes
        return transaction(engine)

    monkeypatch.setattr("bot.hub.transaction", refuse_to_write)
    hub.listeners = (nobody,)
    assert await hub.handle_message(MESSAGE) is None
    assert asked == ["somebody"]


def test_listeners_stand_in_the_order_of_module_and_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever was imported first."""

    async def may_concern(session: AsyncSession, heard: IncomingMessage) -> bool:
        return True

    async def one(ctx: MessageContext, heard: IncomingMessage) -> None:
        return None

    async def two(ctx: MessageContext, heard: IncomingMessage) -> None:
        return None

    async def elsewhere(ctx: MessageContext, heard: IncomingMessage) -> None:
        return None

    elsewhere.__module__ = "bot.community"
    monkeypatch.setattr("bot.commands.LISTENERS", [])
    for handle in (two, elsewhere, one):
        assert hears(may_concern=may_concern)(handle) is handle
    load_commands()
    assert [found.handle for found in commands.LISTENERS] == [elsewhere, one, two]


def test_every_process_that_loads_the_commands_knows_the_listeners(hub: Hub) -> None:
    """In a fresh process, with nothing imported before: the worker builds a hub too."""
    program = (
        "from bot.commands import LISTENERS, load_commands; load_commands(); "
        "print(*(f'{x.handle.__module__}.{x.handle.__name__}' for x in LISTENERS))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert "bot.community.relay.hearing.handle_message" in done.stdout.split()
    assert hub.listeners == tuple(LISTENERS)
