"""`wwc discord …`, and the doctor's checks of each platform."""

import sys
from typing import Literal

from bot import app
from bot.adapters.base import Finding
from bot.app import App
from bot.commands import load_commands
from bot.settings import Settings


async def run_discord_command(settings: Settings, act: Literal["sync", "invite-url"]) -> int:
    """Do one thing at Discord and print how it ended; return the exit code."""
    async with app.open_app(settings) as running:
        done, said = await run_discord_act(running, act)
    print(said, file=sys.stdout if done else sys.stderr)
    return 0 if done else 1


async def run_discord_act(running: App, act: Literal["sync", "invite-url"]) -> tuple[bool, str]:
    """Register the commands or make the invitation address; return success and what to print."""
    import aiohttp
    import discord

    from bot.adapters.discord.invite import invite_url

    adapter = app.add_discord(running)
    try:
        if act == "invite-url":
            return True, invite_url(await adapter.application_id())
        await adapter.sync(force=True)
    except (discord.DiscordException, aiohttp.ClientError, OSError) as error:
        return False, f"Discord did not do it ({type(error).__name__}): `wwc doctor` tells more."
    finally:
        await adapter.close()
    return True, "The commands are registered."


async def examine_platforms(settings: Settings, synced: str) -> list[Finding]:
    """Check each platform whose tokens are set; return the findings.

    `synced` is the hash of the commands that were registered last.
    """
    s = settings
    found: list[Finding] = []
    if s.slack:
        from bot.adapters.slack import doctor as slack

        found += await slack.examine(
            s.slack_api_url,
            app.reveal_secret(s.slack_bot_token),
            app.reveal_secret(s.slack_app_token),
        )
    if s.discord:
        from bot.adapters.discord import doctor as discord

        found += await discord.examine(
            s.discord_api_url, app.reveal_secret(s.discord_token), load_commands(), synced
        )
    return found
