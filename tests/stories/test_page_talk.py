"""Two browser windows, two cities: somebody of a Slack and somebody of a Discord meet and talk."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import pytest
from playwright.async_api import Locator, Page, async_playwright, expect

from tests.stories.program import program
from tests.stories.test_page import ARGS, say
from tests.stories.test_talk import noon


class Windows(NamedTuple):
    """Each has the page open; one uses its Slack pane, the other its Discord pane."""

    one: Page
    other: Page

    @property
    def here(self) -> Locator:
        return self.one.locator("#pane-T-DEMO")

    @property
    def there(self) -> Locator:
        return self.other.locator("#pane-G-DEMO")


@pytest.fixture
async def windows(tmp_path: Path, chromium_path: str) -> AsyncIterator[Windows]:
    async with program(tmp_path, {}) as hub, async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium_path, args=ARGS)
        faults: list[str] = []
        pages = []
        for _ in range(2):
            context = await browser.new_context(viewport={"width": 1400, "height": 900})
            page = await context.new_page()
            page.on("pageerror", lambda error: faults.append(str(error)))
            await page.goto(hub.url)
            pages.append(page)
        yield Windows(*pages)
        assert faults == []
        await browser.close()


async def to_the_hub(pane: Locator) -> None:
    """Open the conversation with the hub."""
    await pane.locator(".channel[data-channel=bot]").click()
    await expect(pane.locator(".chat-head h2")).to_have_text("WWC Hub")


async def called(pane: Locator) -> str:
    """The name of who uses the pane."""
    return (await pane.locator(".picker input").input_value()).split(" · ")[0]


def last(pane: Locator, words: str | re.Pattern[str]) -> Locator:
    """The newest message with these words."""
    return pane.locator("article.msg", has_text=words).last


async def act(message: Locator, what: str) -> None:
    """Press one of the small buttons of a message."""
    await message.hover()
    await message.locator(f".acts [data-{what}]").click()


async def test_two_windows_two_cities(windows: Windows) -> None:
    """Ask, accept, talk, edit, delete, block; each side sees it while it happens."""
    here, there = windows.here, windows.there
    await to_the_hub(here)
    await to_the_hub(there)
    mine, theirs = await called(here), await called(there)
    await say(there, f"settings zone:{noon()}")  # requests wait for the end of quiet hours
    await expect(last(there, f"settings zone:{noon()}")).to_be_visible()

    # One asks, the other says yes; both have the opening.
    await say(here, f"intro {theirs} because we both publish maps")
    await expect(last(here, theirs)).to_be_visible()
    request = last(there, "we both publish maps")
    await expect(request).to_be_visible()
    await request.locator("[data-say^='intro answer'][data-say$='accept']").click()
    opening = here.locator("article.msg", has=windows.one.locator("[data-say^='relay pause']"))
    await expect(opening).to_be_visible()
    await expect(
        there.locator("article.msg", has=windows.other.locator("[data-say^='relay pause']"))
    ).to_be_visible()

    # In the Slack pane one answers in the thread; what is written arrives under an honest line.
    await act(opening.last, "reply")
    await expect(here.locator(".replying")).to_be_visible()
    await say(here, "Hello @everyone, which map comes first?")
    copy = last(there, "which map comes first?")
    await expect(copy).to_be_visible()
    await expect(copy).to_contain_text(f"{mine} · ")
    await expect(copy).to_contain_text("Slack")

    # In the Discord pane there is one conversation, so no reply is needed.
    await say(there, "¡Los árboles!")
    answer = last(here, "¡Los árboles!")
    await expect(answer).to_be_visible()
    await expect(answer).to_contain_text(f"{theirs} · ")

    # An edit shows on the other side, and so does a deletion.
    own = last(here, "which map comes first?")
    await act(own, "edit")
    await here.locator(".rewrite textarea").fill("Which map comes first, trees or buses?")
    await here.locator(".rewrite textarea").press("Enter")
    await expect(last(there, "trees or buses?")).to_be_visible()
    await expect(there.locator("article.msg", has_text="@everyone")).to_have_count(0)
    await act(last(there, "¡Los árboles!"), "remove")
    await expect(here.locator("article.msg", has_text="¡Los árboles!")).to_have_count(0)

    # One blocks: nothing more arrives, and the other one is not told.
    await there.locator("[data-say^='relay block']").last.click()
    await expect(there.locator("[data-say^='relay unblock']")).to_be_visible()
    shown = await there.locator("article.msg").count()
    seen = await here.locator("article.msg").count()
    await say(here, "Are you there?")
    await expect(last(here, "Are you there?")).to_be_visible()
    await say(there, "help")  # answered after whatever came before it
    await expect(there.locator("article.msg")).to_have_count(shown + 2)
    await expect(there.locator("article.msg", has_text="Are you there?")).to_have_count(0)
    await expect(here.locator("article.msg")).to_have_count(seen + 1)
