"""Install the hub in a workspace with OAuth; each state is valid once, in one browser."""

import hashlib
import hmac
import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from html import escape
from typing import Any

import structlog
from aiohttp import web
from yarl import URL

from bot.adapters.slack.client import FAILURES, Clients, reason
from bot.adapters.slack.manifest import SCOPES
from bot.adapters.slack.payloads import get_object, get_text
from bot.adapters.slack.tokens import TokenStore
from bot.hub import Hub
from bot.i18n import Translator, language_of, translator

log = structlog.get_logger()

START_PATH, CALLBACK_PATH = "/slack/install", "/slack/oauth_redirect"
COOKIE = "slack_install"
STATE_SECONDS = 600
"""Lifetime of the state and its cookie."""
MAX_CODE = 500

_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_PAGE = """<!doctype html>
<html lang="{language}"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>body{{font:1.1rem/1.5 system-ui,sans-serif;max-width:32rem;margin:15vh auto;padding:0 1rem;
color:#1d1c1d;background:#fff}}a{{color:#0b4c8c}}</style>
<h1>{title}</h1><p>{said}</p>{link}</html>
"""


class InstallPages:
    """The two pages of an installation: the redirect to Slack, and the callback."""

    def __init__(
        self,
        hub: Hub,
        clients: Clients,
        store: TokenStore,
        clock: Callable[[], datetime],
        *,
        client_id: str,
        client_secret: str,
        authorize_url: str,
        public_url: str,
    ) -> None:
        self._hub = hub
        self._clients = clients
        self._store = store
        self._clock = clock
        self._client_id = client_id
        self._client_secret = client_secret
        self._authorize_url = URL(authorize_url)
        self._redirect = public_url.rstrip("/") + CALLBACK_PATH
        self._secure = public_url.startswith("https:")

    def add_routes(self, app: web.Application) -> None:
        """Add the routes of both pages."""
        app.router.add_get(START_PATH, self.start_install)
        app.router.add_get(CALLBACK_PATH, self.finish_install)

    async def start_install(self, request: web.Request) -> web.Response:
        """Redirect to Slack with a state that only this browser can return, by its cookie."""
        state = self._issue_state()
        away = self._authorize_url.update_query(
            client_id=self._client_id,
            scope=",".join(SCOPES),
            redirect_uri=self._redirect,
            state=state,
        )
        answer = web.Response(status=302, headers={"Location": str(away), **_HEADERS})
        answer.set_cookie(
            COOKIE,
            state,
            max_age=STATE_SECONDS,
            path="/slack",
            secure=self._secure,
            httponly=True,
            samesite="Lax",
        )
        return answer

    async def finish_install(self, request: web.Request) -> web.Response:
        """Exchange the code for a token if state and cookie are valid; answer with a page."""
        t = translator(language_of(request.headers.get("Accept-Language", "")[:2]))
        answer = await self._complete_install(request, t)
        answer.del_cookie(COOKIE, path="/slack")
        return answer

    async def _complete_install(self, request: web.Request, t: Translator) -> web.Response:
        code, state = _single_parameter(request, "code"), _single_parameter(request, "state")
        if not await self._is_valid_state(state, request.cookies.get(COOKIE, "")):
            log.warning("install refused", reason="state")
            said = t("This link was already used or is too old. Please start again.")
            return _html_page(400, t("Not installed"), said, t)
        if not code or len(code) > MAX_CODE:
            return _html_page(400, t("Not installed"), t("The hub was not added to Slack."), t)
        try:
            granted = await self._exchange(code)
            await self._save_installation(granted)
        except FAILURES as error:
            log.warning("install failed", reason=reason(error))
            said = t("Slack didn't finish the installation. Please start again.")
            return _html_page(502, t("Not installed"), said, t)
        said = t(
            "The hub is now in {workspace}. Type /wwc there to get started.",
            workspace=_workspace_name(granted),
        )
        return _html_page(200, t("Installed"), said, t)

    async def _exchange(self, code: str) -> dict[str, Any]:
        answer = await self._clients.client_for(None).oauth_v2_access(
            client_id=self._client_id,
            client_secret=self._client_secret,
            code=code,
            redirect_uri=self._redirect,
        )
        return answer.data if isinstance(answer.data, dict) else {}

    async def _save_installation(self, granted: dict[str, Any]) -> None:
        """Save the token for the workspace that Slack names, or for the whole organisation.

        Raises ValueError if Slack granted no bot token.
        """
        token, whole = get_text(granted.get("access_token")), granted.get("is_enterprise_install")
        enterprise = get_text(get_object(granted, "enterprise").get("id"))
        team = "" if whole is True else get_text(get_object(granted, "team").get("id"))
        if not token or granted.get("token_type") != "bot" or not (team or enterprise):
            raise ValueError("no installation of a bot")
        await self._store.save(enterprise, team, token, self._clock())
        log.info("installed", enterprise=enterprise, team=team)

    # --- the state ----------------------------------------------------------------------------

    def _issue_state(self) -> str:
        until = int(self._clock().timestamp()) + STATE_SECONDS
        said = f"{secrets.token_urlsafe(24)}.{until}"
        return f"{said}.{self._sign(said)}"

    async def _is_valid_state(self, state: str, cookie: str) -> bool:
        """Return whether the state is signed, equals the cookie, has not expired and is new."""
        said, _, signature = state.rpartition(".")
        if not state.isascii() or not hmac.compare_digest(signature, self._sign(said)):
            return False
        if not hmac.compare_digest(state.encode(), cookie.encode(errors="surrogateescape")):
            return False
        until = datetime.fromtimestamp(int(said.rpartition(".")[2]), UTC)
        if self._clock() > until:
            return False
        return await self._hub.record_event(f"slack-install:{said}")

    def _sign(self, said: str) -> str:
        key = b"slack install state " + self._client_secret.encode()
        return hmac.new(key, said.encode(), hashlib.sha256).hexdigest()


def _single_parameter(request: web.Request, name: str) -> str:
    """Return the parameter of the address; an empty text if it is missing or repeated."""
    found = request.query.getall(name, [])
    return found[0] if len(found) == 1 else ""


def _workspace_name(granted: dict[str, Any]) -> str:
    where = get_object(granted, "team") or get_object(granted, "enterprise")
    return get_text(where.get("name")) or "Slack"


def _html_page(status: int, title: str, said: str, t: Translator) -> web.Response:
    again = f'<p><a href="{START_PATH}">{escape(t("Start again"))}</a></p>'
    page = _PAGE.format(
        language=t.language,
        title=escape(title),
        said=escape(said),
        link="" if status == 200 else again,
    )
    return web.Response(status=status, text=page, content_type="text/html", headers=_HEADERS)
