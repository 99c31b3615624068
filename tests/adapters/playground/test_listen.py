"""The playground over HTTP: a real server on this machine, a tiny hub behind it."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from typing import Any

import aiohttp
import pytest

from bot.adapters.base import DeliveryError, Destination
from bot.adapters.playground import live
from bot.adapters.playground.listen import PlaygroundAdapter
from bot.adapters.playground.world import MAX_MESSAGES, Conversations, Persona, conversation_key
from bot.cards import Card, Form, Input, Text
from bot.request import HandledMessage
from tests.adapters.playground.demo import FakeHub, served
from tests.platforms import PATIENCE

MAYA, LUIS, NOOR = "maya@boston.example", "luis@bogota.example", "noor@programme.example"


class Browser:
    """What a page can do, without a page."""

    def __init__(self, session: aiohttp.ClientSession, base: str) -> None:
        self.session, self.base = session, base

    async def post(self, path: str, body: Any, **headers: str) -> tuple[int, dict[str, Any]]:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        async with self.session.post(self.base + path, data=data, headers=headers) as answer:
            return answer.status, await answer.json()

    async def say(self, text: str, **more: Any) -> dict[str, Any]:
        status, answer = await self.post("/playground/say", {"text": text, **more})
        assert status == 200, answer
        return answer

    async def get(self, path: str, **headers: str) -> tuple[int, str, aiohttp.ClientResponse]:
        async with self.session.get(self.base + path, headers=headers) as answer:
            return answer.status, await answer.text(), answer

    async def items(self, path: str, **query: str) -> list[dict[str, Any]]:
        async with self.session.get(f"{self.base}/playground/{path}", params=query) as answer:
            assert answer.status == 200
            return list((await answer.json())["items"])


@pytest.fixture
def hub() -> FakeHub:
    return FakeHub()


@pytest.fixture
async def page(hub: FakeHub) -> AsyncIterator[tuple[Browser, PlaygroundAdapter]]:
    async with served(hub) as (base, adapter), aiohttp.ClientSession() as session:
        yield Browser(session, base), adapter


@pytest.fixture
def browser(page: tuple[Browser, PlaygroundAdapter]) -> Browser:
    return page[0]


@pytest.fixture
def adapter(page: tuple[Browser, PlaygroundAdapter]) -> PlaygroundAdapter:
    return page[1]


# --- the page ---------------------------------------------------------------------------------


async def test_the_page_shows_both_workspaces(browser: Browser) -> None:
    """Each with a person who is at home there."""
    status, html, answer = await browser.get("/")

    assert status == 200
    assert answer.content_type == "text/html"
    assert "City of Boston" in html
    assert "Ciudades LATAM" in html
    assert 'value="Maya Chen · Boston"' in html
    assert 'value="Luis Ángel Rojas · Bogotá"' in html
    assert "The people are invented, the cities are real." in html


async def test_the_page_speaks_the_browsers_language_or_the_chosen_one(browser: Browser) -> None:
    """The choice wins; what is unknown is English."""
    assert '<html lang="pt"' in (await browser.get("/", **{"Accept-Language": "pt-BR,en"}))[1]
    assert '<html lang="fr"' in (await browser.get("/?lang=fr"))[1]
    assert '<html lang="en"' in (await browser.get("/?lang=xx"))[1]
    assert 'data-theme="dark"' in (await browser.get("/", Cookie="wwc_theme=dark"))[1]
    assert "data-theme=" not in (await browser.get("/", Cookie='wwc_theme="><script>'))[1]


async def test_people_are_chosen_in_the_address(browser: Browser) -> None:
    """Somebody unknown there is simply not chosen."""
    assert 'value="Noor Haddad · Baltimore"' in (await browser.get(f"/?T-DEMO={NOOR}"))[1]
    assert 'value="Maya Chen · Boston"' in (await browser.get("/?T-DEMO=nobody"))[1]


async def test_files_have_their_types_and_every_answer_its_policy(browser: Browser) -> None:
    """No script but ours, no guessing of types, nothing framed."""
    for path, kind in (("page.js", "text/javascript"), ("page.css", "text/css")):
        status, body, answer = await browser.get(f"/playground/{path}")
        assert (status, answer.content_type) == (200, kind)
        assert len(body) > 1000
        assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "Access-Control-Allow-Origin" not in answer.headers


# --- saying things ----------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["/wwc who-does open data", "who-does open data"])
async def test_words_are_asked_with_or_without_the_slash(
    browser: Browser, hub: FakeHub, text: str
) -> None:
    """The first person at home in the first workspace, when nobody is named."""
    answer = await browser.say(text)

    assert answer["plain"].startswith("Who does open data\n")
    assert answer["card"]["title"] == "Who does open data"
    assert answer["private"] is True
    assert "Only visible to you" in answer["html"]
    request = hub.asked[-1]
    assert request.words == "who-does open data"
    assert (request.sender.platform, request.sender.workspace) == ("slack", "T-DEMO")
    assert (request.sender.user, request.sender.name) == (MAYA, "Maya Chen")
    assert (request.sender.zone, request.sender.locale) == ("America/New_York", "en")
    assert (request.channel, request.direct) == ("general", False)


async def test_each_workspace_is_drawn_as_its_platform(browser: Browser, hub: FakeHub) -> None:
    """The person's own workspace unless another is named."""
    answer = await browser.say("city bogota", **{"as": LUIS})
    assert "d-container" in answer["html"]
    assert hub.asked[-1].sender.workspace == "G-DEMO"

    answer = await browser.say("city bogota", **{"as": LUIS, "workspace": "T-DEMO"})
    assert "b-header" in answer["html"]


async def test_a_form_comes_as_a_modal_and_goes_back_filled_in(
    browser: Browser, hub: FakeHub
) -> None:
    """Values by field; an emptied one is empty, and a problem opens the form again."""
    opened = await browser.say("/wwc profile")
    assert opened["form"]["command"] == "profile"
    assert "<dialog" in opened["html"]
    assert 'data-said="profile"' in opened["html"]

    again = await browser.say("profile", values={"title": []}, submitted=True)
    assert "Please fill this in." in again["html"]

    done = await browser.say("profile", values={"title": ["Boss"]}, submitted=True)
    assert "Your title is now Boss." in done["plain"]
    assert hub.asked[-1].values == {"title": ("Boss",)}
    assert hub.asked[-1].from_form is True


async def test_a_form_keeps_the_words_it_was_asked_with(browser: Browser) -> None:
    """So that what stands in no field is said again."""
    assert 'data-said="profile me"' in (await browser.say("/wwc profile me"))["html"]


async def test_in_direct_messages_plain_words_are_asked(browser: Browser, hub: FakeHub) -> None:
    """And stand there as what the person wrote."""
    answer = await browser.say("help me <b>", channel="bot")

    assert answer["html"].count("<article") == 2
    assert "help me &lt;b&gt;" in answer["html"]
    assert (hub.asked[-1].direct, hub.asked[-1].channel) == (True, "")
    _, html, _ = await browser.get(f"/playground/pane?as={MAYA}&channel=bot")
    assert html.count("<article") == 2


async def test_people_talk_without_the_hub(browser: Browser, hub: FakeHub) -> None:
    """In channels everybody reads it, between two only these two."""
    await browser.say("hello all", chat=True)
    await browser.say("hello Noor", chat=True, channel=NOOR)

    assert hub.asked == []
    assert "hello all" in (await browser.get(f"/playground/pane?as={NOOR}"))[1]
    assert "hello Noor" in (await browser.get(f"/playground/pane?as={NOOR}&channel={MAYA}"))[1]
    assert "hello Noor" not in (await browser.get("/playground/pane?as=remi@montreal.example"))[1]


async def test_private_answers_are_seen_by_nobody_else(browser: Browser) -> None:
    """And public ones by everybody in the workspace."""
    await browser.say("/wwc city bogota")
    await browser.say("/wwc announce News for all")

    _, maya, _ = await browser.get(f"/playground/pane?as={MAYA}")
    _, noor, _ = await browser.get(f"/playground/pane?as={NOOR}")
    assert "Bogotá</h3>" in maya
    assert "Bogotá</h3>" not in noor
    assert "News for all" in maya
    assert "News for all" in noor


async def test_a_private_answer_can_be_dismissed(browser: Browser) -> None:
    """Then it is gone for good; what is not there cannot be dismissed, quietly."""
    html = (await browser.say("/wwc city bogota"))["html"]
    number = int(html.split('data-number="')[1].split('"')[0])

    for body in ({"number": number}, {"number": number}, {"number": 1, "channel": "bot"}):
        assert (await browser.post("/playground/dismiss", body))[0] == 200

    assert "<article" not in (await browser.get("/playground/pane"))[1]
    assert (await browser.post("/playground/dismiss", {"number": "x"}))[0] == 400


# --- completion -------------------------------------------------------------------------------


async def labels(browser: Browser, text: str, **more: str) -> list[str]:
    return [item["label"] for item in await browser.items("suggest", text=text, **more)]


async def test_completion_leads_from_the_slash_to_the_value(browser: Browser) -> None:
    """The command, its verbs, the first field, the names of the others, their values."""
    assert await labels(browser, "/w") == ["/wwc"]
    assert await labels(browser, "/xyz") == []
    assert await labels(browser, "/wwc ") == ["help", "who-does", "city", "profile"]
    assert await labels(browser, "/wwc ci") == ["city"]
    assert await labels(browser, "/wwc does") == ["who-does"]
    assert await labels(browser, "/wwc who-does open d") == ["Open data"]
    assert await labels(browser, "/wwc who-does open data ") == ["in:", "level:"]
    assert await labels(browser, "/wwc who-does open data l") == ["level:"]
    assert await labels(browser, "/wwc who-does x level:") == ["Silver", "Gold", "Platinum"]
    assert await labels(browser, "/wwc who-does x level:G") == ["Gold"]
    assert await labels(browser, "/wwc who-does x in:mex") == []
    assert await labels(browser, "/wwc help ") == []
    assert await labels(browser, "/wwc " + "x" * 600) == []


async def test_what_is_taken_stands_in_the_line(browser: Browser) -> None:
    """Values of two words are quoted, verbs with arguments go on."""
    assert await labels(browser, "/wwc who-d") == ["who-does"]
    verbs = await browser.items("suggest", text="/wwc who")
    assert verbs[0]["value"] == "/wwc who-does "
    assert verbs[0]["hint"] == "Find who works on something"
    assert verbs[0]["more"] is True

    topics = await browser.items("suggest", text="/wwc profile topics:contr")
    assert topics[-1]["value"] == '/wwc profile topics:"open contracting" '
    quoted = await browser.items("suggest", text='/wwc profile topics:"open contr')
    assert quoted[-1]["value"] == '/wwc profile topics:"open contracting" '
    first = await browser.items("suggest", text="/wwc who-does performance")
    assert first[-1]["value"] == "/wwc who-does performance management "


async def test_each_pane_calls_commands_as_its_platform_does(
    browser: Browser, hub: FakeHub
) -> None:
    """Both ways of typing are understood; what is shown and completed is the platform's."""
    for workspace, typed, shown in (
        ("T-DEMO", "/wwc admin members", "/wwc admin members"),
        ("G-DEMO", "/wwc admin members", "/wwc-admin members"),
        ("G-DEMO", "/wwc-admin members", "/wwc-admin members"),
    ):
        answer = await browser.say(typed, workspace=workspace)
        assert hub.asked[-1].words == "admin members"
        assert f"<code>{shown}</code>" in answer["html"]
    noor = {"as": NOOR, "workspace": "G-DEMO"}
    for text in ("/wwc admin mem", "/wwc-admin mem"):
        [item] = await browser.items("suggest", text=text, **noor)
        assert (item["label"], item["value"]) == ("admin members", "/wwc-admin members")
    [item] = await browser.items("suggest", text="/wwc admin mem", **{"as": NOOR})
    assert item["value"] == "/wwc admin members"
    answer = await browser.say("/wwc announce Try /wwc my-data", workspace="G-DEMO")
    assert "Try /wwc-me my-data" in answer["plain"]
    assert "Try /wwc-me my-data" in answer["html"]


async def test_staff_verbs_are_offered_to_staff(browser: Browser) -> None:
    """Also those of two words, and in direct messages without a slash."""
    assert "admin members" not in await labels(browser, "/wwc ")
    assert "admin members" in await labels(browser, "/wwc ", **{"as": NOOR})
    assert await labels(browser, "/wwc admin members ", **{"as": NOOR}) == []
    assert await labels(browser, "adm", channel="bot", **{"as": NOOR}) == ["admin members"]


async def test_fields_of_forms_and_people_are_searched(browser: Browser) -> None:
    """Completion of one field by name; people by name, city or role, accents aside."""
    field = await browser.items("suggest", verb="profile", field="topics", text="govern")
    assert [item["value"] for item in field] == ["govern", "data governance"]
    assert [p["value"] for p in await browser.items("people", q="angel bog")] == [LUIS]
    assert [p["value"] for p in await browser.items("people", q="staff")] == [NOOR]
    assert len(await browser.items("people")) == 5


# --- live updates -----------------------------------------------------------------------------


class Stream:
    """Events as a page would read them."""

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self.answer = answer

    async def next(self) -> dict[str, Any]:
        async with asyncio.timeout(PATIENCE):
            async for line in self.answer.content:
                if line.startswith(b"data: "):
                    return dict(json.loads(line[6:]))
        raise AssertionError("the stream ended")


async def test_what_the_hub_says_arrives_at_once(
    browser: Browser, adapter: PlaygroundAdapter
) -> None:
    """In a person's conversation with the hub, or in a channel, in the reader's language."""
    url = f"{browser.base}/playground/stream?as={LUIS}&as={MAYA}"
    async with browser.session.get(url) as answer:
        assert answer.content_type == "text/event-stream"
        stream = Stream(answer)
        await asyncio.sleep(0.05)

        to_luis = Destination("discord", "G-DEMO", user=LUIS)
        await adapter.post(to_luis, Card("Hello", (Text("Luis"),)), "es", "")
        event = await stream.next()
        assert (event["as"], event["workspace"], event["channel"]) == (LUIS, "G-DEMO", "bot")
        assert "Luis" in event["html"]

        await adapter.post(
            Destination("slack", "T-DEMO", channel="data-talk"), Card("News"), "en", ""
        )
        channels = [(await stream.next())["as"] for _ in range(2)]
        assert channels == [LUIS, MAYA]

    assert 'data-channel="data-talk"' in (await browser.get("/playground/pane"))[1]


async def test_what_was_passed_on_says_so_at_the_message(browser: Browser, hub: FakeHub) -> None:
    """Not as an answer of the hub, and not as an edit; links, code and emoji are drawn."""
    hub.takes = HandledMessage(receipt=Card("", (Text("Passed on to Luis."),)))
    words = "`a  b` :tada: https://a.example/x_(y)"
    said = await browser.say(words, channel="bot", **{"as": MAYA, "workspace": "T-DEMO"})
    assert said["plain"] == ""
    _, html, _ = await browser.get(f"/playground/pane?as={MAYA}&workspace=T-DEMO&channel=bot")
    for shown in (said["html"], html):
        assert shown.count("Passed on to Luis.") == 1
        assert 'class="edited"' not in shown
        assert "<code>a  b</code> 🎉" in shown
        assert 'href="https://a.example/x_(y)"' in shown
    assert hub.overheard[-1].text == words.replace(":tada:", "🎉")


async def test_a_form_said_unasked_becomes_a_message_that_opens_it(
    browser: Browser, adapter: PlaygroundAdapter
) -> None:
    """A modal never jumps at anybody."""
    form = Form("Still right?", "profile", (Input("title", "Title"),), intro="It has been a while.")

    await adapter.post(Destination("slack", "T-DEMO", user=MAYA), form, "en", "")

    _, html, _ = await browser.get(f"/playground/pane?as={MAYA}&channel=bot")
    assert "It has been a while." in html
    assert 'data-say="profile"' in html


async def test_a_page_that_comes_back_gets_what_it_missed(browser: Browser) -> None:
    """And nothing that it has already."""
    first = (await browser.say("one", chat=True))["html"]
    number = first.split('data-number="')[1].split('"')[0]
    await browser.say("two", chat=True)
    await browser.say("for Noor", chat=True, channel=NOOR)

    url = f"{browser.base}/playground/stream?as={NOOR}"
    async with browser.session.get(url, headers={"Last-Event-ID": number}) as answer:
        stream = Stream(answer)
        assert "two" in (await stream.next())["html"]
        assert (await stream.next())["channel"] == MAYA


async def test_what_is_changed_or_withdrawn_arrives_at_once_and_after_an_absence(
    browser: Browser, adapter: PlaygroundAdapter
) -> None:
    """The same message by its number: new words, then nothing; a page that was away hears of it."""
    place = Destination("slack", "T-DEMO", user=MAYA)
    first = await adapter.post(place, Card("One"), "en", "")
    second = await adapter.post(place, Card("Two"), "en", "")
    url = f"{browser.base}/playground/stream?as={MAYA}"
    async with browser.session.get(url) as answer:
        stream = Stream(answer)
        await asyncio.sleep(0.05)
        await adapter.edit(place, first, Card("One, anew"), "en")
        changed = await stream.next()
        await adapter.remove(place, second)
        gone = await stream.next()

    assert (changed["number"], changed["changed"]) == (int(first.id), True)
    assert "One, anew" in changed["html"]
    assert "(edited)" in changed["html"]
    assert (gone["number"], gone["changed"], gone["html"]) == (int(second.id), True, "")
    pane = (await browser.get(f"/playground/pane?as={MAYA}&channel=bot"))[1]
    assert "One, anew" in pane
    assert "Two" not in pane
    async with browser.session.get(url, headers={"Last-Event-ID": second.id}) as answer:
        stream = Stream(answer)
        missed = [await stream.next() for _ in range(2)]
    assert [event["number"] for event in missed] == [int(first.id), int(second.id)]


async def test_people_brought_together_have_a_conversation_of_their_own(
    browser: Browser, adapter: PlaygroundAdapter
) -> None:
    """Called by the others in it; what one writes there the others read, and nobody else."""
    place = Destination("slack", "T-DEMO", user=f"{MAYA},{NOOR}")
    posted = await adapter.post(place, Card("Meet each other"), "en", "")
    await browser.say("hello Noor, at last", chat=True, channel=posted.channel)

    _, noor, _ = await browser.get(f"/playground/pane?as={NOOR}&channel={posted.channel}")
    assert "Meet each other" in noor
    assert "hello Noor, at last" in noor
    assert '<span class="channel-name">Maya Chen, WWC Hub</span>' in noor
    assert "Only you, these people, and the hub can read this." in noor
    other = f"/playground/pane?as=remi@montreal.example&channel={posted.channel}"
    assert (await browser.get(other))[0] == 404
    assert adapter._conversations.partners("T-DEMO", MAYA) == set()


async def test_a_reply_quotes_what_it_stands_under(
    browser: Browser, adapter: PlaygroundAdapter
) -> None:
    """Its first words, be it a card or what somebody wrote."""
    place = Destination("discord", "G-DEMO", user=LUIS)
    root = await adapter.post(place, Card("A talk with Ana " + "and others " * 20), "en", "")
    said = await browser.say("I <b>agree</b>", **{"as": LUIS}, workspace="G-DEMO", channel="bot")
    number = said["html"].split('data-number="')[1].split('"')[0]
    for thread in (root.id, number):
        below = Destination("discord", "G-DEMO", user=LUIS, thread=thread)
        await adapter.post(below, Card("Ana writes"), "en", "")

    pane = (await browser.get(f"/playground/pane?as={LUIS}&workspace=G-DEMO&channel=bot"))[1]
    assert "In reply to «A talk with Ana and others" in pane
    assert "…»" in pane
    assert "In reply to «I &lt;b&gt;agree&lt;/b&gt;»" in pane


async def test_a_workspace_that_is_no_pane_gets_nothing(adapter: PlaygroundAdapter) -> None:
    """It is not served, and what is sent there is refused for good."""
    place = Destination("slack", "T404", user=MAYA)

    assert not adapter.serves("slack", "T404")
    with pytest.raises(DeliveryError, match="no such workspace"):
        await adapter.post(place, Card("Hello"), "en", "")


async def test_streams_breathe_end_and_are_counted(
    browser: Browser, adapter: PlaygroundAdapter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A heartbeat keeps them open, stopping the adapter ends them, too many are refused."""
    monkeypatch.setattr(live, "HEARTBEAT", 0.02)
    monkeypatch.setattr(live, "MAX_STREAMS", 1)
    listening = asyncio.create_task(adapter.listen())
    async with browser.session.get(browser.base + "/playground/stream") as answer:
        assert await answer.content.readline() == b"retry: 2000\n"
        await answer.content.readline()
        assert await answer.content.readline() == b": still here\n"
        assert (await browser.get("/playground/stream"))[0] == 503

        listening.cancel()
        with suppress(asyncio.CancelledError):
            await listening
        async with asyncio.timeout(PATIENCE):
            await answer.content.read()


async def test_a_closed_page_is_forgotten(browser: Browser, adapter: PlaygroundAdapter) -> None:
    """What is said afterwards goes nowhere and harms nobody."""
    answer = await browser.session.get(browser.base + "/playground/stream")
    await answer.content.readline()
    answer.close()
    await asyncio.sleep(0.05)

    for _ in range(live.MAX_QUEUED + 2):
        await adapter.post(
            Destination("slack", "T-DEMO", channel="general"), Card("News"), "en", ""
        )

    assert (await browser.get("/"))[0] == 200


async def test_the_playground_is_always_ready(adapter: PlaygroundAdapter) -> None:
    """It waits for no other service."""
    assert adapter.is_ready()
    assert adapter.platform == "playground"


async def test_a_page_that_does_not_read_loses_the_oldest() -> None:
    """What waits for one page is limited, and its end still arrives."""
    streams = live.LiveStreams()
    queue: asyncio.Queue[Any] = asyncio.Queue(2)
    streams._streams.add(queue)
    said = Conversations()

    for text in "abc":
        streams.publish(said.add("T", "general", MAYA, text))
    streams.end()

    assert queue.get_nowait().text == "c"
    assert queue.get_nowait() is None


def test_conversations_keep_the_newest() -> None:
    """Never more than the limit, in the order in which things were said."""
    said = Conversations()
    for number in range(MAX_MESSAGES + 10):
        said.add("T", "general", MAYA, str(number), visible_to=MAYA if number % 2 else "")

    seen = [int(message.text) for message in said.list_messages("T", "general", MAYA)]

    assert seen == list(range(10, MAX_MESSAGES + 10))
    assert said.partners("T", MAYA) == set()
    said.add("T", conversation_key(MAYA, NOOR), MAYA, "hi")
    assert said.partners("T", NOOR) == {MAYA, NOOR}


# --- what must not work -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.example"}, 421),
        ({"Host": "evil.example:8080"}, 421),
        ({"Host": "[::1"}, 421),
        ({"Host": "127.0.0.1.evil.example"}, 421),
        ({"Host": "localhost:1"}, 200),
        ({"Host": "127.1.2.3"}, 200),
        ({"Host": "[::1]:8080"}, 200),
        ({"Host": "hub.example"}, 200),
        ({"Host": "localhost", "Origin": "http://localhost"}, 200),
        ({"Host": "localhost", "Origin": "http://localhost:99"}, 403),
        ({"Host": "localhost", "Origin": "https://evil.example"}, 403),
        ({"Host": "localhost", "Origin": "null"}, 403),
        ({"Host": "localhost", "Origin": "http://[::1"}, 403),
        ({"Host": "localhost", "Origin": "file://localhost"}, 403),
        ({"Host": "localhost", "Sec-Fetch-Site": "cross-site"}, 403),
    ],
)
async def test_only_this_machine_and_this_page_are_served(
    hub: FakeHub, headers: dict[str, str], status: int
) -> None:
    """Other names (DNS rebinding) are misdirected, other origins forbidden."""
    async with served(hub, host="hub.example") as (base, _), aiohttp.ClientSession() as session:
        browser = Browser(session, base)

        found, answer = await browser.post("/playground/say", {"text": "help"}, **headers)

        assert found == status
        assert (status == 200) or answer["error"].endswith(".")
        assert len(hub.asked) == (status == 200)
        if "Sec-Fetch-Site" not in headers:
            assert (await browser.get("/", **headers))[0] == status


async def test_a_public_playground_answers_to_any_name(hub: FakeHub) -> None:
    """The operator has said so; other origins stay forbidden."""
    async with served(hub, public=True) as (base, _), aiohttp.ClientSession() as session:
        browser = Browser(session, base)

        assert (await browser.get("/", Host="hub.city.example"))[0] == 200
        origin = {"Host": "hub.city.example", "Origin": "https://hub.city.example"}
        assert (await browser.post("/playground/say", {"text": "help"}, **origin))[0] == 200
        origin["Origin"] = "https://evil.example"
        assert (await browser.post("/playground/say", {"text": "help"}, **origin))[0] == 403


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"[]", 400),
        (b"null", 400),
        (b'"x"', 400),
        (b"\xff\xfe", 400),
        (b"[" * 100_000, 400),
        (b"{}", 400),
        ({"text": 7}, 400),
        ({"text": None}, 400),
        ({"text": "help", "as": 7}, 400),
        ({"text": "help", "as": "nobody"}, 404),
        ({"text": "help", "workspace": "T-OTHER"}, 404),
        ({"text": "help", "channel": "nowhere"}, 404),
        ({"text": "help", "values": []}, 400),
        ({"text": "help", "values": {"a": "b"}}, 400),
        ({"text": "help", "values": {"a": [1]}}, 400),
        (b'{"text": "' + b"x" * 1_000_001 + b'"}', 413),
    ],
)
async def test_bad_bodies_get_one_clear_sentence(
    browser: Browser, hub: FakeHub, body: Any, status: int
) -> None:
    """Never a fault of ours, never a traceback, and nothing is asked."""
    found, answer = await browser.post("/playground/say", body)

    assert found == status
    assert answer["error"].strip()
    assert "Traceback" not in answer["error"]
    assert hub.asked == []


async def test_a_body_without_a_length_is_read_no_further_than_the_limit(
    browser: Browser, hub: FakeHub
) -> None:
    """Chunks without end are cut off."""

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(40):
            yield b"x" * 65_536

    with suppress(aiohttp.ClientError):
        url = browser.base + "/playground/say"
        async with browser.session.post(url, data=endless()) as answer:
            assert answer.status == 413

    assert hub.asked == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \u00a0\u200b ",
        "\ud800 half",
        "x" * 10_000,
        "\x00\x07",
        "'; DROP TABLE members;--",
        "%_",
        "🌳",
        "DONNÉES",
        "\u202eevil",
        "<!channel> @everyone",
        "{0.__class__} %n ${7*7} =cmd() {{7*7}}",
        "<script>alert(1)</script>",
    ],
)
async def test_bad_words_are_passed_on_and_shown_as_text(browser: Browser, text: str) -> None:
    """The hub decides what they mean; the page never breaks over them."""
    for channel in ("general", "bot"):
        answer = await browser.say(text, channel=channel)
        assert "<script" not in answer["html"]
        await browser.say(text, channel=channel, chat=True)
        status, html, _ = await browser.get(f"/playground/pane?channel={channel}")
        assert status == 200
        assert "<script" not in html
    await browser.items("suggest", text=text[:2000].encode("utf-8", "replace").decode())


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/playground/pane?as=nobody", 404),
        ("/playground/pane?workspace=nowhere", 404),
        ("/playground/pane?channel=nowhere", 404),
        ("/playground/stream?as=nobody", 404),
        ("/playground/suggest?as=nobody&text=/", 404),
        ("/playground/say", 405),
    ],
)
async def test_unknown_people_and_places_are_not_found(
    browser: Browser, path: str, status: int
) -> None:
    """With a sentence that says what there is."""
    assert (await browser.get(path))[0] == status


async def test_without_people_the_page_says_how_to_get_some(hub: FakeHub) -> None:
    """One sentence with the command."""

    async def nobody() -> Sequence[Persona]:
        return ()

    async with served(hub, people=nobody) as (base, _), aiohttp.ClientSession() as session:
        status, text, _ = await Browser(session, base).get("/")

    assert status == 404
    assert "wwc seed --demo" in text
