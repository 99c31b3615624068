"""The page in a real browser: typing, pressing, filling in, switching, reading aloud."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Literal

import pytest
from aiohttp import web
from playwright.async_api import (
    Browser,
    ConsoleMessage,
    Error,
    Locator,
    Page,
    ViewportSize,
    async_playwright,
    expect,
)

from bot.adapters.base import Destination
from bot.adapters.playground.listen import PlaygroundAdapter
from bot.cards import Card, Option, Text
from tests.adapters.playground.demo import FakeHub, served

ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
CONTRAST = Path(__file__).with_name("contrast.js")
WIDE: ViewportSize = {"width": 1400, "height": 900}
NARROW: ViewportSize = {"width": 390, "height": 800}

Scheme = Literal["light", "dark"]


@pytest.fixture
async def chromium(chromium_path: str) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium_path, args=ARGS)
        yield browser
        await browser.close()


@pytest.fixture
def hub() -> FakeHub:
    return FakeHub()


class Visit:
    """One open page and what its panes show."""

    def __init__(self, page: Page, adapter: PlaygroundAdapter) -> None:
        self.page, self.adapter = page, adapter
        self.left = page.locator("#pane-T-DEMO")
        self.right = page.locator("#pane-G-DEMO")
        self.faults: list[str] = []
        page.on("pageerror", self._failed)
        page.on("console", self._heard)

    def _failed(self, error: Error) -> None:
        self.faults.append(str(error))

    def _heard(self, line: ConsoleMessage) -> None:
        if line.type == "error":
            self.faults.append(line.text)

    def composer(self, pane: Locator) -> Locator:
        return pane.locator(".composer input")

    async def say(self, pane: Locator, text: str) -> None:
        await self.composer(pane).fill(text)
        await self.composer(pane).press("Enter")


@pytest.fixture
async def visit(chromium: Browser, hub: FakeHub) -> AsyncIterator[Visit]:
    async with served(hub) as (base, adapter):
        context = await chromium.new_context(
            viewport=WIDE,
            color_scheme="light",
            reduced_motion="reduce",
        )
        page = await context.new_page()
        visit = Visit(page, adapter)
        await page.goto(base)
        yield visit
        assert visit.faults == []
        await context.close()


async def focused(page: Page) -> dict[str, Any]:
    """What a keyboard would act on now."""
    said: dict[str, Any] = await page.evaluate(
        """() => { const e = document.activeElement; return {
            id: e.id, tag: e.localName, role: e.getAttribute('role'), text: e.textContent.trim(),
            pane: e.closest('.pane')?.id, dialog: !!e.closest('dialog'),
            label: e.labels?.[0]?.textContent.trim() } }"""
    )
    return said


async def test_a_command_is_typed_with_completion(visit: Visit, hub: FakeHub) -> None:
    """Slash, verb, topic, another field, its value: arrows, Tab, Enter, Esc; then the answer."""
    box, pane = visit.composer(visit.left), visit.left
    options = pane.locator(".composer [role=option]")
    await box.press_sequentially("/wwc wh")
    await expect(options).to_have_count(1)
    await expect(options.first).to_contain_text("Find who works on something")
    await expect(box).to_have_attribute("aria-expanded", "true")

    await box.press("Tab")
    await expect(box).to_have_value("/wwc who-does ")
    await box.press_sequentially("open")
    await expect(options).to_have_count(2)
    await box.press("ArrowDown")
    await expect(options.first).to_have_attribute("aria-selected", "true")
    active = await box.get_attribute("aria-activedescendant")
    assert active == await options.first.get_attribute("id")
    await box.press("Enter")
    await expect(box).to_have_value("/wwc who-does open data ")

    await expect(options.first).to_contain_text("in:")
    await box.press("ArrowUp")
    await expect(options.last).to_have_attribute("aria-selected", "true")
    await box.press("Enter")
    await expect(box).to_have_value("/wwc who-does open data level:")
    await expect(options).to_have_count(3)
    await box.press("Escape")
    await expect(options).to_have_count(0)
    await expect(box).to_have_attribute("aria-expanded", "false")
    await box.press_sequentially("gold")
    await box.press("Enter")

    article = pane.locator("article")
    await expect(article).to_have_count(1)
    await expect(article).to_contain_text("Ana Torres · Ciudad de México")
    await expect(article).to_contain_text("Only visible to you")
    await expect(box).to_have_value("")
    assert hub.asked[-1].words == "who-does open data level:gold"


async def test_the_same_answer_is_drawn_as_each_platform_draws_it(visit: Visit) -> None:
    """Blocks on one side, a container with its colour on the other."""
    await visit.left.get_by_role("button", name="/wwc who-does open data", exact=True).click()
    await visit.right.get_by_role("button", name="/wwc who-does open data", exact=True).click()

    await expect(visit.left.get_by_role("table")).to_contain_text("Practice area")
    await expect(visit.right.locator(".d-accent rect")).to_have_attribute("fill", "#0072b2")
    await expect(visit.right.locator("article pre").first).to_contain_text("Practice area")
    await expect(visit.right.locator("article")).to_contain_text("Dismiss message")


async def test_buttons_and_menus_say_their_commands(visit: Visit, hub: FakeHub) -> None:
    """And show the payload they came with."""
    await visit.say(visit.left, "/wwc who-does open data")
    await visit.left.get_by_role("button", name="Introduce me").first.click()
    await expect(visit.left.locator("article")).to_have_count(2)
    assert hub.asked[-1].words == "intro 42"

    await visit.say(visit.right, "/wwc who-does open data")
    menu = visit.right.get_by_label("Narrow it down")
    await menu.select_option("Only Gold")
    await expect(visit.right.locator("article")).to_have_count(2)
    assert hub.asked[-1].words == "who-does open data level:gold"
    assert hub.asked[-1].sender.platform == "discord"

    shown = visit.left.locator("article").first.locator("details")
    await shown.get_by_text("Show payload").click()
    await expect(shown.locator("pre").first).to_contain_text('"type": "rich_text"')
    await expect(shown.locator("pre").last).to_contain_text("→ Introduce me: /wwc intro 42")


async def test_a_message_can_be_dismissed(visit: Visit) -> None:
    """It goes, and the keyboard is back where one writes."""
    await visit.say(visit.right, "/wwc city bogota")
    await visit.right.get_by_role("button", name="Dismiss message").click()

    await expect(visit.right.locator("article")).to_have_count(0)
    assert (await focused(visit.page))["id"] == "pane-G-DEMO-text"


@pytest.mark.parametrize("side", ["left", "right"])
async def test_a_form_is_filled_in(visit: Visit, hub: FakeHub, side: str) -> None:
    """Focus goes in and comes back; a problem is told and focused; the answer is a message."""
    pane: Locator = getattr(visit, side)
    await visit.say(pane, "/wwc profile")
    dialog = visit.page.get_by_role("dialog", name="Your profile")
    await expect(dialog).to_be_visible()
    assert (await focused(visit.page))["label"].startswith("Title")

    await dialog.locator("[type=submit]").click()
    title = dialog.get_by_label("Title")
    await expect(title).to_have_attribute("aria-invalid", "true")
    await expect(title).to_be_focused()
    described = (await title.get_attribute("aria-describedby") or "").split()
    texts = [await dialog.locator(f"[id='{one}']").inner_text() for one in described]
    assert any("Please fill this in." in text for text in texts)

    await title.fill("Chief <b>Data</b> Officer")
    await title.press("Enter")
    await expect(dialog).to_have_count(0)
    await expect(pane.locator("article")).to_contain_text("now Chief <b>Data</b> Officer.")
    assert hub.asked[-1].values["title"] == ("Chief <b>Data</b> Officer",)
    assert hub.asked[-1].values["bio"] == ("I map bus stops.",)
    assert hub.asked[-1].values["zone"] == ()
    assert hub.asked[-1].from_form
    assert (await focused(visit.page))["id"] == f"{await pane.get_attribute('id')}-text"


async def test_fields_of_many_values_search_and_collect(visit: Visit, hub: FakeHub) -> None:
    """Suggestions from the hub become chips; Backspace and their button take them away."""
    await visit.say(visit.left, "/wwc profile")
    dialog = visit.page.get_by_role("dialog")
    await dialog.get_by_label("Title").fill("Boss")
    topics = dialog.get_by_role("combobox", name="What I know")
    await topics.press_sequentially("gov")
    await dialog.get_by_role("option", name="Data governance").click()
    await expect(dialog.locator(".chip")).to_have_count(2)
    await dialog.get_by_role("button", name="Remove open data").click()
    await topics.press_sequentially("my own")
    await topics.press("ArrowDown")
    await topics.press("Enter")
    await expect(dialog.locator(".chip")).to_have_count(2)
    await topics.press("Backspace")
    await expect(dialog.locator(".chip")).to_have_count(1)
    await dialog.get_by_role("button", name="Save").click()

    await expect(visit.left.locator("article")).to_have_count(1)
    assert hub.asked[-1].values["topics"] == ("data governance",)


async def test_keys_pressed_before_the_suggestions_come_are_for_them(
    visit: Visit, hub: FakeHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a slow line the arrow and Enter choose what was typed, and the form is not sent."""
    answer_at_once = hub.suggest

    async def suggest(*asked: Any) -> tuple[Option, ...]:
        await asyncio.sleep(0.4)
        return await answer_at_once(*asked)

    monkeypatch.setattr(hub, "suggest", suggest)
    await visit.say(visit.left, "/wwc profile")
    dialog = visit.page.get_by_role("dialog")
    topics = dialog.get_by_role("combobox", name="What I know")
    await topics.press_sequentially("my own")
    await topics.press("ArrowDown")
    await topics.press("Enter")

    await expect(dialog.locator(".chip")).to_have_text(["open data×", "«my own»×"])


async def test_escape_closes_the_list_then_the_form(visit: Visit, hub: FakeHub) -> None:
    """One thing at a time; nothing is sent."""
    await visit.say(visit.left, "/wwc profile")
    dialog = visit.page.get_by_role("dialog")
    topics = dialog.get_by_role("combobox", name="What I know")
    found = dialog.locator(".listbox [role=option]")
    await topics.press_sequentially("data")
    await expect(found.first).to_be_visible()
    await topics.press("Escape")
    await expect(found).to_have_count(0)
    await expect(dialog).to_be_visible()

    await visit.page.keyboard.press("Escape")
    await expect(dialog).to_have_count(0)
    assert (await focused(visit.page))["id"] == "pane-T-DEMO-text"
    assert len(hub.asked) == 1


async def test_direct_messages_take_plain_words(visit: Visit, hub: FakeHub) -> None:
    """The hub answers like a person who was written to."""
    await visit.left.get_by_role("button", name="WWC Hub").click()
    await expect(visit.left.get_by_role("heading", name="WWC Hub").first).to_be_visible()
    await visit.say(visit.left, "city bogota")

    await expect(visit.left.locator("article")).to_have_count(2)
    await expect(visit.left.locator("article").last).to_contain_text("Colombia")
    assert hub.asked[-1].direct


async def test_people_write_to_each_other_across_the_page(visit: Visit) -> None:
    """What one says in a channel is there at once for another; elsewhere it is counted."""
    await become(visit, visit.right, "Noor")
    await visit.say(visit.left, "hello everybody")
    await expect(visit.left.locator("article")).to_have_count(1)

    to_noor = Destination("discord", "G-DEMO", user="noor@programme.example")
    await visit.adapter.post(to_noor, Card("Reminder", (Text("Soon"),)), "en", "")
    direct = visit.right.locator('.channel[data-channel="bot"]')
    await expect(direct.locator(".badge")).to_have_text("1")
    await direct.click()
    await expect(visit.right.locator("article")).to_contain_text("Reminder")


async def test_what_the_hub_says_changes_and_goes_before_ones_eyes(visit: Visit) -> None:
    """In the place where it stood, without a reload; replies stand under what they answer."""
    await visit.right.get_by_role("button", name="WWC Hub").click()
    luis = Destination("discord", "G-DEMO", user="luis@bogota.example")
    shown = visit.right.locator("article")
    root = await visit.adapter.post(luis, Card("Ana said yes", (Text("Write here."),)), "en", "")
    await expect(shown).to_have_count(1)
    below = Destination("discord", "G-DEMO", user="luis@bogota.example", thread=root.id)
    reply = await visit.adapter.post(below, Card("Ana", (Text("Hola Luis"),)), "en", "")
    await expect(shown.last).to_contain_text("In reply to «Ana said yes»")

    await visit.adapter.edit(luis, root, Card("Ana had to leave"), "en")
    await expect(shown.first).to_contain_text("Ana had to leave")
    await expect(shown.first).to_contain_text("(edited)")
    await expect(shown).to_have_count(2)
    await visit.adapter.remove(luis, reply)
    await expect(shown).to_have_count(1)


async def test_people_brought_together_find_their_conversation(visit: Visit) -> None:
    """It comes up in both their lists; what one writes there is there for the other."""
    await become(visit, visit.right, "Noor")
    several = Destination("slack", "T-DEMO", user="maya@boston.example,noor@programme.example")
    await visit.adapter.post(several, Card("Maya, meet Noor"), "en", "")

    line = visit.left.get_by_role("button", name="Noor Haddad, WWC Hub")
    await expect(line.locator(".badge")).to_have_text("1")
    await line.click()
    await visit.say(visit.left, "Glad to meet you")
    await expect(visit.left.locator("article")).to_have_count(2)
    await expect(visit.left.locator(".intro")).to_contain_text("Only you, these people")


async def become(visit: Visit, pane: Locator, name: str) -> None:
    picker = pane.get_by_role("combobox", name="You are")
    await picker.click()
    await expect(pane.locator(".picker [role=option]").first).to_be_visible()
    await picker.press_sequentially(name)
    await expect(pane.locator(".picker [role=option]")).to_have_count(1)
    await picker.press("ArrowDown")
    await picker.press("Enter")
    await expect(pane.get_by_role("combobox").first).to_have_value(re.compile(name))


async def test_another_person_is_chosen_by_searching(visit: Visit, hub: FakeHub) -> None:
    """The pane then speaks that person's language, also after a reload."""
    await become(visit, visit.left, "Rémi")

    await expect(visit.left).to_have_attribute("lang", "fr")
    await visit.say(visit.left, "/wwc help")
    await expect(visit.left.locator("article")).to_have_count(1)
    assert hub.asked[-1].sender.user == "remi@montreal.example"
    await visit.page.reload()
    await expect(visit.left).to_have_attribute("data-as", "remi@montreal.example")


async def test_the_page_switches_language(visit: Visit) -> None:
    """The people stay who they are."""
    await become(visit, visit.left, "Noor")
    await visit.page.get_by_role("link", name="Español").click()

    await expect(visit.page.locator("html")).to_have_attribute("lang", "es")
    await expect(visit.left).to_have_attribute("data-as", "noor@programme.example")
    current = visit.page.locator(".languages [aria-current]")
    await expect(current).to_have_attribute("lang", "es")


async def test_dark_and_light_are_remembered(visit: Visit) -> None:
    """First as the system has it, then as chosen."""
    ground = "getComputedStyle(document.querySelector('.chat')).backgroundColor"
    assert await visit.page.evaluate(ground) == "rgb(255, 255, 255)"
    await visit.page.get_by_role("button", name="Dark or light").click()
    assert await visit.page.evaluate(ground) == "rgb(26, 29, 33)"
    await visit.page.reload()
    assert await visit.page.evaluate(ground) == "rgb(26, 29, 33)"

    await visit.page.context.clear_cookies()
    await visit.page.emulate_media(color_scheme="dark")
    await visit.page.reload()
    assert await visit.page.evaluate(ground) == "rgb(26, 29, 33)"


async def test_a_narrow_window_shows_one_workspace_at_a_time(visit: Visit) -> None:
    """With tabs, and the channels behind a button; nothing is wider than the window."""
    await visit.page.set_viewport_size(NARROW)
    await expect(visit.left).to_be_visible()
    await expect(visit.right).to_be_hidden()
    first = visit.page.get_by_role("tab", name="City of Boston")
    await first.press("ArrowRight")
    await expect(visit.page.get_by_role("tab", name="Ciudades LATAM")).to_be_focused()
    await expect(visit.right).to_be_visible()
    await expect(visit.left).to_be_hidden()

    await visit.say(visit.right, "/wwc hostile")
    await expect(visit.right.locator("article")).to_have_count(1)
    assert await visit.page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]
    assert await visit.right.locator(".log").evaluate("e => e.scrollWidth <= e.clientWidth")

    menu = visit.right.get_by_role("button", name="Channels", exact=True)
    await menu.click()
    await expect(menu).to_have_attribute("aria-expanded", "true")
    assert (await focused(visit.page))["text"].startswith("general")
    await visit.page.keyboard.press("Escape")
    await expect(menu).to_be_focused()

    await visit.page.set_viewport_size(WIDE)
    await expect(visit.left).to_be_visible()


@pytest.mark.parametrize("side", ["left", "right"])
async def test_hostile_text_does_nothing(visit: Visit, side: str) -> None:
    """It is there to be read; no element, dialog or request comes of it."""
    pane: Locator = getattr(visit, side)
    requests: list[str] = []
    visit.page.on("request", lambda request: requests.append(request.url))
    await visit.say(pane, "/wwc hostile")

    await expect(pane.locator("article")).to_contain_text("<script>alert(1)</script>")
    assert await pane.locator("article script, article img, article i").count() == 0
    assert all("127.0.0.1" in url for url in requests)


async def test_what_was_typed_is_not_lost_when_the_call_fails(visit: Visit) -> None:
    """A sentence says what went wrong."""
    await visit.page.route("**/playground/say", lambda route: route.fulfill(
        status=400, content_type="application/json", body='{"error": "Try again."}'))  # fmt: skip
    await visit.say(visit.left, "/wwc help")

    await expect(visit.left.get_by_role("alert")).to_have_text("Try again.")
    await expect(visit.composer(visit.left)).to_have_value("/wwc help")
    visit.faults.clear()  # the browser itself notes the 400


async def test_a_slow_answer_is_announced(visit: Visit) -> None:
    """The page says that the hub is at work, then shows the answer."""
    await visit.say(visit.left, "/wwc slow")

    await expect(visit.left.locator(".busy")).to_be_visible()
    await expect(visit.left.locator("article")).to_contain_text("There you are.")
    await expect(visit.left.locator(".busy")).to_be_hidden()


async def test_a_lost_connection_is_told_and_found_again(visit: Visit) -> None:
    """What was said meanwhile is there afterwards."""
    await visit.page.context.set_offline(True)
    await visit.adapter._on_shutdown(web.Application())
    lost = visit.page.get_by_role("status")
    await expect(lost).to_have_text("The connection was lost; trying again…")
    await visit.adapter.post(
        Destination("slack", "T-DEMO", channel="general"), Card("Meanwhile"), "en", ""
    )
    await visit.page.context.set_offline(False)

    await expect(visit.left.locator("article")).to_contain_text("Meanwhile")
    await expect(lost).to_have_text("")
    visit.faults.clear()  # the browser itself notes the lost connection


async def test_landmarks_names_and_live_regions_are_there(visit: Visit) -> None:
    """What a screen reader steers by; every control has a name."""
    page = visit.page
    await visit.say(visit.left, "/wwc who-does open data")
    await expect(visit.left.locator("article")).to_have_count(1)
    await expect(page.get_by_role("banner")).to_have_count(1)
    await expect(page.get_by_role("main")).to_have_count(1)
    await expect(page.get_by_role("contentinfo")).to_have_count(1)
    for name in ("City of Boston", "Ciudades LATAM"):
        await expect(page.get_by_role("region", name=name, exact=True)).to_have_count(1)
        await expect(page.get_by_role("navigation", name=f"Channels in {name}")).to_have_count(1)
    await expect(page.get_by_role("log")).to_have_count(2)
    await expect(page.get_by_role("log").first).to_have_attribute("aria-live", "polite")
    unnamed = await page.evaluate(
        """() => [...document.querySelectorAll('button, input, select, a, [role=listbox]')]
            .filter(e => e.checkVisibility() && !(e.getAttribute('aria-label') || e.labels?.length
                || e.textContent.trim()))
            .map(e => e.outerHTML)"""
    )
    assert unnamed == []
    twice = await page.evaluate(
        """() => { const ids = [...document.querySelectorAll('[id]')].map(e => e.id);
            return ids.filter((id, at) => ids.indexOf(id) !== at) }"""
    )
    assert twice == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_texts_stand_out_from_their_ground(visit: Visit, scheme: Scheme) -> None:
    """Every text of the page and of both answers reaches the contrast of 4.5 to 1."""
    await visit.page.emulate_media(color_scheme=scheme)
    for pane in (visit.left, visit.right):
        await visit.say(pane, "/wwc who-does open data")
        await expect(pane.locator("article")).to_have_count(1)

        assert await visit.page.evaluate(CONTRAST.read_text()) == []
        await visit.say(pane, "/wwc profile")
        await visit.page.get_by_role("dialog").locator("[type=submit]").click()
        await expect(visit.page.locator("[aria-invalid]")).to_be_visible()
        assert await visit.page.evaluate(CONTRAST.read_text()) == []
        await visit.page.keyboard.press("Escape")
        await expect(visit.page.get_by_role("dialog")).to_have_count(0)
        await visit.composer(pane).press_sequentially("/wwc ")
        await expect(pane.locator(".composer [role=option]").first).to_be_visible()
        await visit.composer(pane).press("ArrowDown")
        await expect(pane.locator("[aria-selected=true]")).to_be_visible()
        assert await visit.page.evaluate(CONTRAST.read_text()) == []
