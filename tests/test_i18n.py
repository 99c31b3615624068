"""Four languages: nothing is left in English, and nobody's words are taken for a template."""

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from bot import i18n
from bot.cards import Card, Reply, plain
from bot.commands import load_commands
from bot.community.people.places import city_place
from bot.deliveries import dump_card
from bot.hub import Hub
from bot.i18n import LANGUAGE_NAMES, LANGUAGES, language_of, translator
from bot.request import Request
from db import outbox
from db.base import transaction
from db.members import Member
from db.outbox import Address
from tests import catalogue, joining_talk
from tests.cast import NOW, PENDING, sender
from tests.catalogue import TRANSLATED, pairs
from tests.conftest import CommandTyper
from tests.owed import list_pending, mark_delivered, run_introductions_job, update_account

SENTENCES = catalogue.collect()


# --- saying -----------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
def test_values_are_never_read_as_a_template(language: str) -> None:
    """What people type comes out letter by letter."""
    t = translator(language)
    for typed in ("{0.__class__}", "{name}", "{number}", "{{", "}", "%s", "{name.__init__}"):
        assert typed in t("No one in the directory is called «{name}».", name=typed)
        assert typed in t.many("{name} once", "{name} {number} times", 2, name=typed)


@pytest.mark.parametrize(
    ("language", "number", "said"),
    [
        ("en", 0, "0 endorsements"),
        ("en", 1, "one endorsement"),
        ("en", 2, "2 endorsements"),
        ("es", 0, "0 recomendaciones"),
        ("es", 1, "una recomendación"),
        ("es", 2, "2 recomendaciones"),
        ("pt", 0, "0 recomendação"),
        ("pt", 1, "1 recomendação"),
        ("pt", 2, "2 recomendações"),
        ("fr", 0, "0 recommandation"),
        ("fr", 1, "1 recommandation"),
        ("fr", 2, "2 recommandations"),
        ("en", 1234, "1,234 endorsements"),
        ("es", 1234, "1,234 recomendaciones"),
        ("pt", 1234, "1.234 recomendações"),
        ("fr", 1234, "1\u00a0234 recommandations"),
    ],
)
def test_numbers_choose_their_form(language: str, number: int, said: str) -> None:
    """Zero is one in French and Portuguese, many in English and Spanish."""
    t = translator(language)
    assert t.many("one endorsement", "{number} endorsements", number) == said


@pytest.mark.parametrize("language", LANGUAGES)
def test_fewer_than_none_is_counted_too(language: str) -> None:
    """Somebody who is asked too much has points below zero."""
    t = translator(language)
    three, below = (t.many("one point", "{number} points", n) for n in (300, -300))
    assert below == three.replace("300", "-300")


def test_a_sentence_unknown_to_a_catalogue_is_said_in_english() -> None:
    """People would rather read English than nothing."""
    t = translator("fr")
    assert t("Nobody translated this, {name}.", name="Rémi") == "Nobody translated this, Rémi."
    assert t.many("one cat", "{number} cats", 2) == "2 cats"


def test_an_empty_translation_counts_as_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While a catalogue is being filled, what it lacks is said in English."""
    (tmp_path / "es.po").write_text(
        'msgid "cat"\nmsgstr ""\n\nmsgid "one cat"\nmsgid_plural "{number} cats"\n'
        'msgstr[0] "un gato"\nmsgstr[1] ""\n'
    )
    monkeypatch.setattr(i18n, "_FOLDER", tmp_path)
    for kept in (i18n.catalogue, i18n._load_messages):
        kept.cache_clear()
    t = translator("es")
    said = t("cat"), t.many("one cat", "{number} cats", 1)
    for kept in (i18n.catalogue, i18n._load_messages):
        kept.cache_clear()
    assert said == ("cat", "one cat")


@pytest.mark.parametrize(
    ("locale", "language"),
    [
        ("es-419", "es"),
        ("es-LA", "es"),
        ("es_MX", "es"),
        ("pt-BR", "pt"),
        ("pt_BR", "pt"),
        ("PT", "pt"),
        ("fr-CA", "fr"),
        ("en-GB", "en"),
        ("de", "en"),
        ("esperanto", "en"),
        ("-", "en"),
        ("", "en"),
    ],
)
def test_locales_fold_to_one_of_the_four_languages(locale: str, language: str) -> None:
    """Platforms write locales in many ways; what we do not speak is English."""
    assert language_of(locale) == language


@pytest.mark.parametrize(
    ("language", "number", "signed", "when", "list_"),
    [
        ("en", "1,234,567", "+1,000", "3 months ago", "a, b, and c"),
        ("es", "1,234,567", "+1,000", "hace 3 meses", "a, b y c"),
        ("pt", "1.234.567", "+1.000", "há 3 meses", "a, b e c"),
        ("fr", "1\u00a0234\u00a0567", "+1\u00a0000", "il y a 3 mois", "a, b et c"),
    ],
)
def test_numbers_times_and_lists_are_the_readers_own(
    language: str, number: str, signed: str, when: str, list_: str
) -> None:
    """As people of the language write them in the Americas."""
    t = translator(language)
    assert t.number(1_234_567) == number
    assert t.number(1000, signed=True) == signed
    assert t.number(-10, signed=True) == "-10"
    assert t.ago(NOW - timedelta(days=95), NOW) == when
    assert t.listed(["a", "b", "c"]) == list_


MOMENT = datetime(2026, 12, 1, 18, 5, tzinfo=UTC)
IN_BOGOTA = MOMENT.astimezone(ZoneInfo("America/Bogota"))


@pytest.mark.parametrize(
    ("language", "weekday", "short", "medium", "full", "long"),
    [
        ("en", "Tue", "Dec 1", "Tue, Dec 1", "Tuesday, December 1", "December 1, 2026"),
        ("es", "mar", "1 dic", "mar, 1 dic", "martes 1 de diciembre", "1 de diciembre de 2026"),
        ("pt", "ter.", "1 de dez.", "ter., 1 de dez.", "terça-feira, 1 de dezembro",
         "1 de dezembro de 2026"),
        ("fr", "mar.", "1er déc.", "mar. 1er déc.", "mardi 1er décembre", "1er décembre 2026"),
    ],
)  # fmt: skip
def test_a_day_has_five_lengths(
    language: str, weekday: str, short: str, medium: str, full: str, long: str
) -> None:
    """The same for a day of the calendar and for a moment of that day."""
    t = translator(language)
    for day in (IN_BOGOTA, date(2026, 12, 1)):
        assert t.day(day) == t.day(day, "short") == short
        assert t.day(day, "weekday") == weekday
        assert t.day(day, "medium") == medium
        assert t.day(day, "full") == full
        assert t.day(day, "long") == long


@pytest.mark.parametrize(
    ("language", "time", "both", "stamp"),
    [
        ("en", "1:05\u202fPM", "Tuesday, December 1, 1:05\u202fPM", "12/1/26, 1:05\u202fPM"),
        (
            "es",
            "1:05\u202fp.m.",
            "martes 1 de diciembre, 1:05\u202fp.m.",
            "1/12/26, 1:05\u202fp.m.",
        ),
        ("pt", "13:05", "terça-feira, 1 de dezembro, 13:05", "01/12/2026 13:05"),
        ("fr", "13 h 05", "mardi 1er décembre, 13 h 05", "2026-12-01 13 h 05"),
    ],
)
def test_a_time_of_day_is_the_readers_own(language: str, time: str, both: str, stamp: str) -> None:
    """Alone, after its day on the clock of a zone, and with the year."""
    t = translator(language)
    assert t.time(IN_BOGOTA) == time
    assert t.day_and_time(MOMENT, "America/Bogota") == both
    assert t.timestamp(IN_BOGOTA, "short") == stamp


@pytest.mark.parametrize(
    ("language", "now", "minute", "hours", "half_a_minute", "ahead"),
    [
        ("en", "just now", "1 minute ago", "2 hours ago", "30 seconds ago", "in 2 minutes"),
        ("es", "hace un momento", "hace 1 minuto", "hace 2 horas", "hace 30 segundos",
         "dentro de 2 minutos"),
        ("pt", "agora mesmo", "há 1 minuto", "há 2 horas", "há 30 segundos", "em 2 minutos"),
        ("fr", "à l’instant", "il y a 1 minute", "il y a 2 heures", "il y a 30 secondes",
         "dans 2 minutes"),
    ],
)  # fmt: skip
def test_what_is_less_than_a_minute_old_happened_just_now(
    language: str, now: str, minute: str, hours: str, half_a_minute: str, ahead: str
) -> None:
    """A distance by itself is exact, and may lie ahead."""
    t = translator(language)
    for seconds, said in ((0, now), (59, now), (60, minute), (7200, hours)):
        assert t.ago(MOMENT - timedelta(seconds=seconds), MOMENT) == said
    assert t.relative(timedelta(seconds=-30)) == half_a_minute
    assert t.relative(timedelta(seconds=90)) == ahead


@pytest.mark.parametrize(
    ("language", "two", "decimal", "large"),
    [
        ("en", "a and b", "1.2", "1,234.5"),
        ("es", "a y b", "1.2", "1,234.5"),
        ("pt", "a e b", "1,2", "1.234,5"),
        ("fr", "a et b", "1,2", "1\u00a0234,5"),
    ],
)
def test_short_lists_and_decimals_are_the_readers_own(
    language: str, two: str, decimal: str, large: str
) -> None:
    """Zeros behind the comma are left out."""
    t = translator(language)
    assert [t.listed([]), t.listed(["a"]), t.listed(["a", "b"])] == ["", "a", two]
    assert [t.number(n, decimals=1) for n in (1.0, 1.25, 1234.5)] == ["1", decimal, large]


# --- places -----------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_city_is_found_by_what_it_is_called_on_cards(
    language: str, hub: Hub, engine: AsyncEngine
) -> None:
    """«Boston, MA» is one city, and «Recife, Brésil» the one in Brazil."""
    await hub(Request(sender("maya"), "help"))
    assert hub._reference_cache is not None
    for city in hub._reference_cache.cities.values():
        name = city_place(translator(language), city)
        assert list(hub._reference_cache.gazetteer.find_cities(name)) == [city.id], name


@pytest.mark.parametrize(
    ("key", "typed", "label"),
    [
        ("luis", "bras", "Brasil"),
        ("ines", "méx", "México"),
        ("remi", "bres", "Brésil"),
        ("remi", "chil", "Chili"),
        ("luis", "américa del", "América del Norte"),
        ("remi", "latam", "Amérique latine"),
        ("maya", "bras", "Brazil"),
    ],
)
async def test_places_are_offered_in_the_readers_language(
    key: str, typed: str, label: str, hub: Hub
) -> None:
    """What is offered is understood when it is chosen."""
    asked = Request(sender(key), "who-does")
    offered = await hub.suggest(asked, "who-does", "place", typed)
    chosen = next(option for option in offered if option.label == label)
    said = plain(await hub(Request(sender(key), f'who-does gis in:"{chosen.value}"')))
    assert f"«{chosen.value}»" not in said
    assert f"“{chosen.value}”" not in said


@pytest.mark.parametrize(
    ("key", "title"),
    [("luis", "Recife, Brasil"), ("remi", "Recife, Brésil"), ("maya", "Recife, Brazil")],
)
async def test_countries_are_named_in_the_readers_language(
    key: str, title: str, typing: CommandTyper
) -> None:
    """Wherever a city stands, not only beside the word «country»."""
    assert plain(await typing("city recife", key)).startswith(title)
    assert title in plain(await typing("who-is Inês Albuquerque", key))


async def test_a_newcomer_is_spoken_to_as_before(typing: CommandTyper) -> None:
    """Who read French until now reads French in Boston too; they may change it."""
    assert plain(await typing("help", "new", locale="fr-CA")).startswith("Ce que WWC Hub peut")
    waiting = plain(await typing("admin members waiting", "noor"))
    number = re.findall(r"• (\d+) · new", waiting)[0]
    await typing(f"admin members approve {number} city:boston", "noor")
    assert "Bonjour" in plain(await typing("home", "new", locale="fr-CA"))


# --- everything the hub says ------------------------------------------------------------------

BY_MEMBER = (
    "who-does opne data in:bogota level:gold speaks:es pop:>1m",
    "who-does open data in:brazil level:platinum",
    "who-does open data", "who-does gis", "who-does data inventory", "why ben open data",
    "endorse inês data inventory", "endorse e gis", "why zoe open data", "why inês open data",
    "profile seen_bio:communit", "topics area:zzzz", "who-does geodata",
    "who-does open data in:atlantis", "who-does open data in:bosten",
    "who-does gis pop:huge", "who-does zzzzzz", "who-does bicycle lanes", "who-does 311",
    "who-does open data page:12", "who-does open data level:zinc", "who-does x",
    "who-does open data page:99", "who-does budget", "who-does open data and gis",
    "who-does metadata, civic tech", "who-does data", "who-does veedor", "topics homeless",
    "topics", "endorse ben data", "intro governance, inventory", "profile knows:metdatta",
    "who-is ben", "who-is zzzz", "who-is e", "who-is carl", "who-is zoe", "who-is inês",
    "why ben gis", "why maya gis", "why ben zzzz", "why zoe open-data", "why carl open-data",
    "why luis open-data", "why <@nobody> gis",
    "endorse ben gis", "who-does gis", "who-is ben", "endorse ben gis withdraw:yes",
    "endorse maya open-data",
    "topics zzzz", "topics open data", "topics",
    "city rochester", "city albuquerque", "city bogota", "city zzzz", "city boston", "city caracas",
    "city recife", "city guatemala",
    "settings zone:Mars", "settings zone:America/Bogota",
    "settings edit", "settings quiet:late", "settings stop:round", "settings start:round",
    "block zoe", "intro zoe because of trees", "unblock zoe", "appeal because:why",
    "block luis", "intro luis because trees", "unblock luis", "my-data show", "my-data",
    "settings stop:introduction", "settings start:introduction", "leave", "verify", "invite",
    "profile", "profile show", "profile confirm", "profile hours:99", "profile hours:8-16",
    "profile asks:x", "profile listed:no", "home", "profile knows:zzzz", "profile knows:metadta",
    "profile bio:short", "profile knows:gis,gis,gis,gis,gis,gis,gis,gis,gis,gis,gis,gis,gis,gis,"
    "gis,gis,gis,gis,gis,gis,gis,gis", "profile name:" + "x" * 90,
    "help zzzz", "help who-does", "help endorse", "fly", "who-dos", "admin members", "open data",
    "fly " * 3000,
)  # fmt: skip
BY_STAFF = (
    "admin members approve", "admin members approve 999 city:boston", "admin members waiting",
    "admin members approve 12 city:boston", "admin members approve 12 city:zzzz",
    "admin members approve 1 city:boston", "admin members approve 12 city:rochester",
    "admin members suspend 2", "admin members restore 2", "admin members suspend 999",
    "admin members suspend 10", "admin members suspend 11", "admin members", "admin", "admin zzz",
    "admin members approve 12 city:recife", "admin members waiting",
    "who-is noor", "profile knows:gis", "profile show", "help", "admin dead", "admin health",
    "admin dead drop", "admin dead drop 1", "admin dead retry 2", "admin dead retry 99",
    "admin panic", "admin panic stop", "admin health", "admin panic resume", "admin dead",
)  # fmt: skip
BY_ANYONE = ("help", "home", "city bogota", "city mexico", "who-does open data", "profile", "fly")


ASKING = (
    "intro maya", "intro meta data sciense", "intro rojas", "intro ask 1 next", "intro open data",
    "intro ask 1 say", "intro gis", "intro carl", "intro zoe", "intro <@sam>",
    "intro <@ben> <@luis>", "intro luis because trees", "intro luis", "intro ask 99",
    "intro withdraw 99", "intro answer 99 accept", "intro slot 99", "intro ines because trees",
    "intro withdraw 5", "intro withdraw 5", "intro ines because trees",
    "intro remi because trees", "intro list", "intro ask 5", "intro ask 6",
    "intro carl about:gis",
)  # fmt: skip
"""Numbers are those that the hub gives on a fresh database."""
ANSWERING = (
    "home",
    "intro list", "intro why 4", "intro answer 4 later", "intro answer 4 never", "intro list",
    "intro answer 4 accept", "intro answer 4 accept", "intro slot 1", "intro slot 1 1",
    "intro slot 1 60", "intro civic tech",
)  # fmt: skip
AGREEING = (
    "intro slot 1 1", "rounds on", "home", "profile listed:yes", "rounds on",
    "rounds skip 2026-12-01", "home", "intro list", "intro luis because trees",
    "intro withdraw 4", "who-is luis", "intro rojas", "who-does civic tech",
)  # fmt: skip
SEARCHING = (
    "who-does gis in:honduras", 'who-does gis in:"near boston"', "who-does gis in:latam",
    'who-does gis in:"north america"', 'who-does gis in:"south america"',
    'who-does gis in:"central america"', "who-does gis and open data", "settings zone:usa",
    "settings zone:UTC-5", "settings quiet:off", "settings quiet:19-8", "why ben gis",
    "why luis open-data", "help topics", "help intro", "endorse ben goverance",
    "endorse ben bugdet", "intro managment contract",
)  # fmt: skip
ATTENDING = (
    "home", 'admin reports mute 1 because:"rude words"', "home",
    'admin reports mute 2 because:"rude words"', "admin rounds preview", "home",
    "why luis open-data", "admin members approve zzzz", "admin members lead 12",
    "intro <@maya> <@luis>", "admin members waiting",
)  # fmt: skip
ARRANGING = ("intro <@luis> <@remi>", "intro <@luis> <@luis>", "intro list",
             "intro <@luis> <@ben>")  # fmt: skip


async def conversation(hub: Hub, language: str) -> list[Reply]:
    """Everything said above, each command bare and by its example, and what it sends."""
    await _undelivered(hub)
    await _forgotten(hub, language)
    chosen = f"settings language:{language}"
    declarations = [
        words for c in load_commands().values() for words in (c.name, c.example or c.name)
    ]
    said = (
        (PENDING, BY_ANYONE),
        ("maya", (chosen, *(w for w in declarations if w != "settings language:fr"), *BY_MEMBER)),
        ("carl", (chosen, "home", "profile name:Carl")),
        ("noor", (chosen, *BY_STAFF)),
        ("sam", ("join boston",)),
        ("noor", ("admin members restore 12", "admin members suspend 12")),
        ("noor", ("admin members approve 13 boston", "admin members restore 12")),
        ("luis", (chosen,)),
        ("remi", (chosen, "settings quiet:08:00-12:00")),
        ("noor", ("admin members lead 5", "admin members unlead 5")),
        ("maya", ("intro ines", "why ines open data")),
        ("maya", ASKING),
        ("luis", ANSWERING),
        ("maya", AGREEING),
        ("noor", ARRANGING),
        ("luis", ("intro answer 7 accept",)),
        ("remi", ("intro answer 7 accept", "intro answer 6 never", "profile knows:gis,open-data")),
        ("noor", ARRANGING),
        ("carl", ("profile open:yes knows:gis learns:metadata listed:yes",)),
        ("carl", ("intro ben because trees", "intro luis because trees")),
        ("carl", ("intro withdraw 11", "intro withdraw 11", "intro list")),
        (
            "ben",
            (chosen, "profile learns:metadata", "intro answer 7 accept", "intro answer 10 accept"),
        ),
        ("luis", ("endorse ben gis", "report ben because:rude", "home")),
        ("remi", ("endorse ben gis", "report ben because:rude")),
        ("noor", ATTENDING),
        ("ben", ("appeal because:trees matter", "appeal because:trees matter")),
        ("noor", ("home",)),
        ("maya", SEARCHING),
    )
    replies: list[Reply] = []
    for key, all_ in said:
        replies += [await hub(Request(sender(key, language), words)) for words in all_]
        await mark_delivered(hub.engine)
    await run_introductions_job(hub.engine, NOW + timedelta(days=8))
    for key, words in (
        ("maya", "intro list"),
        ("maya", "intro remi because trees"),
        ("maya", "intro ask 5"),
        ("remi", "intro answer 6 accept"),
    ):
        replies.append(await hub(Request(sender(key, language), words)))
    sent = await list_pending(hub.engine, state="")
    replies += [one.reply for one in sent if one.language == language]
    return replies + await joining_talk.run_joining_talk(hub, language)


async def _forgotten(hub: Hub, language: str) -> None:
    """Somebody who is suspended has their data deleted and comes back as account 13, member 12.

    Somebody else's direct messages are closed.
    """
    await update_account(hub.engine, "ines", reachable=False)
    for words in ("my-data forget sure:yes", "home"):
        await hub(Request(sender("sam", language), words))


async def _undelivered(hub: Hub) -> None:
    """Messages in every state, for the staff to look at."""
    async with transaction(hub.engine, writes=True) as session:
        maya = await session.scalar(select(Member.id).where(Member.folded == "maya chen"))
        for number, state in enumerate(("dead", "dead", "ambiguous", "held", *outbox.STATES)):
            await outbox.add_delivery(
                session, Address("slack", "T1", channel=f"C{number}"), key=f"k{number}",
                kind="news", at=NOW, created_at=NOW, state=state, attempts=number,
                body=dump_card(Card("1")),
                member_id=maya if number % 2 else None,
            )  # fmt: skip


def pattern(key: str) -> re.Pattern[str]:
    """How a sentence looks with anything filled in; a short one only as a whole field."""
    words = re.sub(r"\\\{\w+\\\}", ".+?", re.escape(key))
    if len(re.sub(r"\{\w+\}", "", key).split()) > 1:
        return re.compile(rf"(?<!\w){words}(?!\w)")
    return re.compile(rf"(?m)(?:^|\[|[:·→•|] ) *{words}(?= *(?:$|:|\]| ·| \*| \|))")


def heard(said: str, keys: Iterable[str]) -> set[str]:
    """The sentences that occur in what was said.

    A sentence can only be there if its longest part without a field is: that is found at once.
    """
    return {key for key in keys if _longest_part(key) in said and pattern(key).search(said)}


def _longest_part(key: str) -> str:
    return max(re.split(r"\{\w+\}", key), key=len)


FILLED = {"{label}: {options}", "«{text}»", "For example: Boston", "For example: Bogotá"}
"""What looks the same in another language once it is filled in, or is a city's name."""


_ELSEWHERE = re.compile(
    "/adapters/|/jobs/|operator/simulate|bot/deliveries|community/(relay/|rounds/|staff)|"
    r"/(blocking|conduct|deliveries|moderation|my_data|relay|rounds|rounds_staff)\.py"
)
"""What comes by itself, and what it takes two people to hear: the tests of those listen to it."""


def spoken_by_hub() -> set[str]:
    """All sentences but those that are heard elsewhere."""
    return {
        form
        for key, sentence in SENTENCES.items()
        for form in (key, sentence.other)
        if form and any(not _ELSEWHERE.search(file) for file in sentence.files)
    } - FILLED


ENGLISH = re.compile(r"\b(the|and|of|your|you|is|are|not|with|this|that|to|what|who|from|was)\b")
DATA = re.compile(
    r"What Works Cities Certification Community|I publish data that .*|I map trees and .*|"
    r"/wwc ((?!: ).)*|who-(does|is|dos)|City of Boston"
)
"""English that people or the standard wrote, and the names of commands."""


async def test_the_conversation_covers_what_the_hub_can_say(hub: Hub) -> None:
    """So that the next test listens to nearly everything."""
    said = "\n".join(map(plain, await conversation(hub, "en")))
    keys = spoken_by_hub()
    silent = keys - heard(said, keys)
    assert len(silent) < len(keys) / 10, sorted(silent)


@pytest.mark.no_cover
@pytest.mark.parametrize("language", TRANSLATED)
async def test_no_command_answers_in_english(language: str, hub: Hub) -> None:
    """Each command, its form, its refusals and its help, for everybody who may say it."""
    said = "\n".join(map(plain, await conversation(hub, language)))
    own = {english for english, given in pairs(language) if given == english}
    assert heard(said, spoken_by_hub() - own) == set()
    left = [line for line in said.splitlines() if ENGLISH.search(DATA.sub("", line))]
    assert left == []
    assert LANGUAGE_NAMES[language] in said
