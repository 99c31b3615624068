"""Adding the bot to a workspace: the authorize page, and the browser that walks through it."""

import re
from dataclasses import dataclass
from html import unescape
from typing import Any

import aiohttp
from aiohttp import CookieJar, web
from yarl import URL

from tests.platforms.slack_api import WebApi
from tests.platforms.slack_blocks import Json
from tests.platforms.slack_world import Team, User, World

LINK = re.compile(r'href="([^"]+)"')


@dataclass
class Installed:
    """How an installation ended, with all that a test may want to replay."""

    status: int
    body: str
    asked: dict[str, str]  # the query of the authorize page
    redirect: str  # the address the browser was sent to, code and state in it
    location: str = ""
    error: str | None = None  # Slack's own refusal on the authorize page


class AuthorizePage:
    """GET /oauth/v2/authorize; the person and the scope of the install are the session's."""

    def __init__(self, api: WebApi, world: World, client_id: str) -> None:
        self.api, self.world, self.client_id = api, world, client_id
        self.redirect_url = ""

    async def show(self, request: web.Request) -> web.StreamResponse:
        query = dict(request.query)
        error = self._error(query)
        if error:
            return web.json_response({"error": error}, status=400)
        target = URL(query.get("redirect_uri") or self.redirect_url)
        location = target.update_query(self._answer(query))
        return web.Response(status=302, headers={"Location": str(location)})

    def _answer(self, query: dict[str, str]) -> dict[str, str]:
        if query.get("denied"):
            return {"error": "access_denied", "state": query["state"]}
        user = self.world.users[query["session_team"], query["session_user"]]
        scopes = frozenset(filter(None, query["scope"].split(",")))
        org = bool(query.get("session_org"))
        code = self.api.issue_code(user, scopes, query.get("redirect_uri"), org=org)
        return {"code": code.value, "state": query["state"]}

    def _error(self, query: dict[str, str]) -> str | None:
        if query.get("client_id") != self.client_id:
            return "invalid_client_id"
        if not query.get("scope"):
            return "invalid_scope_requested"
        if not query.get("state"):
            return "missing_state"
        target = query.get("redirect_uri")
        known = URL(self.redirect_url).path
        return "bad_redirect_uri" if target and URL(target).path != known else None


async def install(
    team: Team, user: User, install_url: str, authorize_url: str, **choices: Any
) -> Installed:
    """Follows /slack/install to the authorize page and back, as a browser would.

    Choices: `org`, `denied`, `state` (another one than the bot's), `cookies` (False loses them).
    """
    origin = URL(install_url).origin()
    # the bot marks its cookie Secure; on a test's loopback there is no TLS to satisfy that
    jar = CookieJar(unsafe=True, treat_as_secure_origin=origin)
    async with aiohttp.ClientSession(cookie_jar=jar) as browser:
        asked = await _asked(browser, install_url, authorize_url)
        session = {"session_team": team.id, "session_user": user.id}
        session |= {f"session_{k}" if k == "org" else k: "1" for k in ("org", "denied")
                    if choices.get(k)}  # fmt: skip
        async with browser.get(asked.update_query(session), allow_redirects=False) as page:
            query = dict(asked.query)
            if page.status != 302:
                said: Json = await page.json()
                return Installed(page.status, "", query, "", error=said["error"])
            back = URL(page.headers["Location"])
        if choices.get("cookies") is False:
            jar.clear()
        if "state" in choices:
            back = back.update_query(state=choices["state"])
        # the public address of the bot need not be reachable from here, its path is
        here = origin.with_path(back.path).with_query(back.query)
        async with browser.get(here, allow_redirects=False) as end:
            location = end.headers.get("Location", "")
            return Installed(end.status, await end.text(), query, str(here), location)


async def _asked(browser: aiohttp.ClientSession, install_url: str, authorize_url: str) -> URL:
    """Where /slack/install leads: at once, or by the button on its page."""
    async with browser.get(install_url, allow_redirects=False) as answer:
        if answer.status in (301, 302, 303, 307):
            found = [answer.headers["Location"]]
        else:
            found = [unescape(link) for link in LINK.findall(await answer.text())]
    for link in found:
        if link.startswith(authorize_url):
            return URL(link)
    raise LookupError(f"{install_url} does not lead to {authorize_url}: {found}")
