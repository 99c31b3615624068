"""Ask Discord whether it would serve the bot: token, application, servers and commands."""

from collections.abc import Mapping
from typing import Any

import aiohttp

from bot.adapters.base import Finding
from bot.adapters.discord.commands import HIDDEN, build_commands, fingerprint
from bot.adapters.discord.names import ROOTS
from bot.commands import Command

TIMEOUT = 10.0
_PORTAL = "https://discord.com/developers/applications"
_REFUSED_STATUSES = (401, 403)
_UNREACHABLE_ERRORS = (
    aiohttp.ClientError,
    OSError,
    TimeoutError,
    ValueError,
    LookupError,
    TypeError,
)


async def examine(
    api_url: str,
    token: str,
    commands: Mapping[str, Command],
    synced: str,
    *,
    patience: float = TIMEOUT,
) -> list[Finding]:
    """Return the findings; no answer within `patience` seconds is a finding too.

    `synced` is the fingerprint of the commands last registered.
    """
    timeout = aiohttp.ClientTimeout(total=patience)
    headers = {"Authorization": f"Bot {token}", "User-Agent": "DiscordBot (wwc-hub, 1)"}
    async with aiohttp.ClientSession(timeout=timeout, headers=headers) as session:
        try:
            return await _DiscordProbe(session, api_url).findings(commands, synced)
        except _UNREACHABLE_ERRORS as error:
            said = f"no answer ({type(error).__name__})"
            fix = "Let this machine reach discord.com over HTTPS, and check DISCORD_API_URL."
            return [Finding("Discord", said, fix)]


class _DiscordProbe:
    def __init__(self, session: aiohttp.ClientSession, api_url: str) -> None:
        self._session = session
        self._api_url = api_url.rstrip("/")

    async def _get(self, path: str) -> tuple[int, Any]:
        async with self._session.get(f"{self._api_url}{path}") as answer:
            if answer.status not in (200, *_REFUSED_STATUSES):
                raise ValueError("Discord is not well, or somebody else answers")
            return answer.status, await answer.json(content_type=None)

    async def findings(self, commands: Mapping[str, Command], synced: str) -> list[Finding]:
        status, me = await self._get("/users/@me")
        if status != 200:
            fix = f"Reset the token at {_PORTAL} → Bot, and set DISCORD_TOKEN to it."
            return [Finding("Discord token", f"refused ({status})", fix)]
        _, application = await self._get("/applications/@me")
        _, gateway = await self._get("/gateway/bot")
        registered = await self._get(f"/applications/{application['id']}/commands")
        return [
            Finding("Discord token", f"accepted as {me['username']}"),
            _interactions_finding(application),
            _gateway_finding(gateway),
            _servers_finding(application),
            _commands_finding(commands, synced, {c["name"] for c in registered[1]}),
            _staff_commands_finding(application),
        ]


def _interactions_finding(application: Mapping[str, Any]) -> Finding:
    """Check that interactions come over the gateway.

    The bot asks for no privileged intent, so no switch of the portal matters.
    """
    if application.get("interactions_endpoint_url"):
        said = "commands are sent to a web address, so the bot never hears of them"
        fix = f"Empty «Interactions Endpoint URL» at {_PORTAL} → General Information."
        return Finding("Discord interactions", said, fix)
    return Finding("Discord interactions", "come over the gateway; no privileged intent is needed")


def _gateway_finding(gateway: Mapping[str, Any]) -> Finding:
    left = gateway["session_start_limit"]["remaining"]
    if left > 0:
        return Finding("Discord gateway", f"{left} connections may be begun today")
    hours = gateway["session_start_limit"]["reset_after"] / 3_600_000
    fix = f"Wait {hours:.1f} hours, and find out why the program starts so often."
    return Finding("Discord gateway", "no more connections today", fix)


def _servers_finding(application: Mapping[str, Any]) -> Finding:
    count = application.get("approximate_guild_count") or 0
    if count:
        return Finding("Discord servers", f"the bot is in {count}")
    fix = "Open the address that `wwc discord invite-url` prints."
    return Finding("Discord servers", "the bot is in none", fix)


def _commands_finding(commands: Mapping[str, Command], synced: str, there: set[str]) -> Finding:
    body = build_commands(commands)
    if fingerprint(body) == synced and {c["name"] for c in body} <= there:
        return Finding("Discord commands", "registered as declared")
    return Finding("Discord commands", "not those of this program", "Run `wwc discord sync`.")


def _staff_commands_finding(application: Mapping[str, Any]) -> Finding:
    """Report who sees the staff commands; there is no fix, since each server decides that."""
    names = " ".join(f"/{ROOTS[room]}" for room in HIDDEN)
    said = (
        f"{names} is seen by members with Manage Server; a role sees it too once it is added at "
        f"Server Settings → Integrations → {application.get('name') or 'the app'} → {names}"
    )
    return Finding("Discord staff commands", said)
