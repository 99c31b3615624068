"""Check with Slack that the tokens work: their scopes, and Socket Mode."""

from collections.abc import Collection, Mapping
from typing import Any

import aiohttp

from bot.adapters.base import Finding
from bot.adapters.slack.manifest import SCOPES

PATIENCE = 10.0
_APP = "https://api.slack.com/apps"
_TEMPORARY_ERRORS = ("ratelimited", "internal_error", "fatal_error", "service_unavailable")
"""Slack's errors that say nothing about the token."""
_UNREACHABLE_ERRORS = (aiohttp.ClientError, OSError, TimeoutError, ValueError)


async def examine(
    api_url: str, bot_token: str, app_token: str, *, patience: float = PATIENCE
) -> list[Finding]:
    """Check each token that is set; return the findings. `patience`: seconds for each call."""
    if not (bot_token or app_token):
        return [Finding("Slack", "each workspace's own token is used, from /slack/install")]
    timeout = aiohttp.ClientTimeout(total=patience)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        found = []
        try:
            if bot_token:
                found += await _bot_findings(session, api_url, bot_token)
            if app_token:
                found.append(await _socket_finding(session, api_url, app_token))
        except _UNREACHABLE_ERRORS as error:
            said = f"no answer ({type(error).__name__})"
            fix = "Let this machine reach slack.com over HTTPS, and check SLACK_API_URL."
            found.append(Finding("Slack", said, fix))
    return found


async def _call_api(
    session: aiohttp.ClientSession, api_url: str, method: str, token: str
) -> tuple[Mapping[str, Any], Mapping[str, str]]:
    url = f"{api_url.rstrip('/')}/{method}"
    async with session.post(url, headers={"Authorization": f"Bearer {token}"}) as answer:
        said = await answer.json(content_type=None)
        if not isinstance(said, dict) or said.get("error") in _TEMPORARY_ERRORS:
            raise ValueError("not what Slack answers")
        return said, {name.lower(): value for name, value in answer.headers.items()}


async def _bot_findings(session: aiohttp.ClientSession, api_url: str, token: str) -> list[Finding]:
    said, headers = await _call_api(session, api_url, "auth.test", token)
    if not said.get("ok"):
        fix = f"Copy the bot token of {_APP} → OAuth & Permissions into SLACK_BOT_TOKEN."
        return [Finding("Slack token", f"refused ({said.get('error')})", fix)]
    found = [Finding("Slack token", f"accepted in «{said.get('team')}»")]
    if "x-oauth-scopes" in headers:
        found.append(_scopes_finding(headers["x-oauth-scopes"].replace(" ", "").split(",")))
    return found


def _scopes_finding(granted: Collection[str]) -> Finding:
    missing = [scope for scope in SCOPES if scope not in granted]
    if not missing:
        return Finding("Slack scopes", "all granted")
    said = "; ".join(f"{scope} is missing, to {SCOPES[scope]}" for scope in missing)
    it = "it" if len(missing) == 1 else "them"
    fix = (
        f"Add {it} under OAuth & Permissions at {_APP}, then reinstall the app "
        "(or paste `wwc manifest slack` under App Manifest)."
    )
    return Finding("Slack scopes", said, fix)


async def _socket_finding(session: aiohttp.ClientSession, api_url: str, token: str) -> Finding:
    said, _ = await _call_api(session, api_url, "apps.connections.open", token)
    if said.get("ok"):
        return Finding("Slack Socket Mode", "open")
    fix = (
        f"Make an app-level token with connections:write at {_APP} → Basic Information, set "
        "SLACK_APP_TOKEN to it, and switch Socket Mode on."
    )
    return Finding("Slack Socket Mode", f"refused ({said.get('error')})", fix)
