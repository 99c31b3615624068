"""Draws the README's pictures from the true program: `python -m tests.pictures`."""

import asyncio
import tempfile
from pathlib import Path

from playwright.async_api import Browser, Locator, Page, async_playwright

from tests.setup import CHROMIUM
from tests.stories.program import program
from tests.stories.test_page import ARGS, say

DOCS = Path(__file__).parent.parent / "docs"


async def _said(pane: Locator, words: str) -> None:
    await say(pane, words)
    await pane.locator("article").last.wait_for()


async def _page(browser: Browser, url: str, *, dark: bool) -> Page:
    context = await browser.new_context(
        viewport={"width": 1400, "height": 900},
        color_scheme="dark" if dark else "light",
        reduced_motion="reduce",
        device_scale_factor=1,
    )
    page = await context.new_page()
    await page.goto(url)
    return page


async def draw() -> None:
    """The page with an answer on both sides, and the cards of a city and a person, in the dark."""
    with tempfile.TemporaryDirectory() as folder:
        async with program(Path(folder), {}) as hub, async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGS)
            light = await _page(browser, hub.url, dark=False)
            await _said(light.locator("#pane-T-DEMO"), "/wwc who-does open data")
            await _said(light.locator("#pane-G-DEMO"), "/wwc who-does datos abiertos")
            await light.wait_for_timeout(400)
            await light.screenshot(path=DOCS / "playground.png")
            dark = await _page(browser, hub.url, dark=True)
            await _said(dark.locator("#pane-T-DEMO"), "/wwc city fortaleza")
            await _said(dark.locator("#pane-G-DEMO"), "/wwc topics")
            await dark.wait_for_timeout(400)
            await dark.screenshot(path=DOCS / "cards.png")
            await browser.close()


if __name__ == "__main__":
    asyncio.run(draw())
