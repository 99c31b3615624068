"""A newcomer's first five minutes: `make run`, then the page in a real browser."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Locator, Page, async_playwright, expect

from tests.stories.program import program

ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@pytest.fixture
async def page(tmp_path: Path, chromium_path: str) -> AsyncIterator[Page]:
    async with program(tmp_path, {}) as hub, async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium_path, args=ARGS)
        opened = await browser.new_page(viewport={"width": 1400, "height": 900})
        faults: list[str] = []
        opened.on("pageerror", lambda error: faults.append(str(error)))
        await opened.goto(hub.url)
        yield opened
        assert faults == []
        await browser.close()


async def say(pane: Locator, words: str) -> None:
    """Type into the pane's composer and send."""
    composer = pane.locator(".composer input")
    await composer.fill(words)
    await composer.press("Enter")


async def test_the_first_five_minutes(page: Page) -> None:
    """Type the command, press a button, fill the form, switch the language."""
    slack, discord = page.locator("#pane-T-DEMO"), page.locator("#pane-G-DEMO")

    # The command with completion, then people of real cities, marked as invented.
    composer = slack.locator(".composer input")
    await composer.press_sequentially("/wwc who-d")
    await expect(slack.get_by_role("option").first).to_contain_text("who-does")
    await say(slack, "/wwc who-does open data")
    answer = slack.locator("article").last
    await expect(answer).to_contain_text("Who does open data")
    await expect(answer).to_contain_text("invented")

    # A button says the command that could have been typed.
    await answer.get_by_role("button", name="Profile").first.click()
    await expect(slack.locator("article").last).to_contain_text("Open to questions")

    # The same question in another language, on the other platform, by another person.
    await say(discord, "/wwc who-does dados abertos")
    await expect(discord.locator("article").last).to_contain_text("datos abiertos")

    # The form comes filled in; a wrong value is told beside its field; then it is saved.
    await say(slack, "/wwc profile")
    dialog = page.get_by_role("dialog")
    title = dialog.get_by_role("textbox", name="Job title")
    await expect(title).to_have_value("Open Data Program Manager")
    await dialog.get_by_label(re.compile("^Working hours")).fill("nine to five")
    await dialog.locator("[type=submit]").click()
    await expect(dialog).to_contain_text("I can't read «nine to five»")
    await dialog.get_by_label(re.compile("^Working hours")).fill("9-17")
    await dialog.get_by_role("textbox", name="Job title").fill("Chief Data Officer")
    await dialog.locator("[type=submit]").click()
    await expect(dialog).to_have_count(0)
    saved = slack.locator("article").last
    await expect(saved).to_contain_text("Chief Data Officer")
    await expect(saved).to_contain_text("09:00–17:00")

    # The member's own language rules what the hub says from now on.
    await say(slack, "/wwc settings language:fr")
    await expect(slack.locator("article").last).to_contain_text("Français")
    await say(slack, "/wwc who-does open data")
    await expect(slack.locator("article").last).to_contain_text("données ouvertes")


async def test_nonsense_gets_one_clear_sentence(page: Page) -> None:
    """Nothing that can be typed breaks the page or shows how it is made inside."""
    slack = page.locator("#pane-T-DEMO")
    for number, words in enumerate(
        (
            "/wwc hwo-does open data",
            "/wwc who-does zzzz qqqq",
            "/wwc why <@U404> open data",
            "/wwc city '; DROP TABLE city;--xx in:nowhere",
            "/wwc <script>alert(1)</script>",
        ),
        start=1,
    ):
        await say(slack, words)
        said = slack.locator("article, dialog[open]").last
        await expect(said).to_be_visible()
        assert "Traceback" not in await said.inner_text(), number
        if await page.get_by_role("dialog").count():
            await page.keyboard.press("Escape")
