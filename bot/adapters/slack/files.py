"""Download files from Slack; only the workspace's own token opens them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from yarl import URL

from bot.adapters.base import RemoteFile
from bot.adapters.slack.client import FAILURES, Clients, reason
from bot.adapters.slack.payloads import Body, get_object, get_text
from bot.adapters.slack.tokens import Tokens

log = structlog.get_logger()

HOST = "files.slack.com"
CHUNK_BYTES = 65_536


class Files:
    """Opens files of all workspaces that the hub is installed in."""

    def __init__(self, clients: Clients, tokens: Tokens, api_url: str) -> None:
        self._clients, self._tokens = clients, tokens
        self._api = URL(api_url)

    @asynccontextmanager
    async def open_file(self, workspace: str, name: str) -> AsyncIterator[RemoteFile | None]:
        """Open the file with the id `name`; yield None if Slack does not deliver it."""
        token = await self._tokens.token_for("", workspace)
        about = await self._load_info(token, name) if token else {}
        size, url = about.get("size"), URL(get_text(about.get("url_private_download")))
        if token is None or type(size) is not int or size <= 0 or not self._is_slack(url):
            yield None
            return
        async with self._clients.download(url, token) as answer:
            # without access Slack answers with its sign-in page and the status 200
            page = (
                answer.content_type == "text/html"
                and get_text(about.get("mimetype")) != "text/html"
            )
            sent = answer.content_length if "Content-Encoding" not in answer.headers else None
            if answer.status != 200 or page or sent not in (None, size):
                log.warning("file not given", status=answer.status)
                yield None
            else:
                called = get_text(about.get("name")) or get_text(about.get("title"))
                yield RemoteFile(called, size, answer.content.iter_chunked(CHUNK_BYTES))

    async def _load_info(self, token: str, name: str) -> Body:
        try:
            answer = await self._clients.client_for(token).files_info(file=name)
        except FAILURES as error:
            log.warning("file not found", reason=reason(error))
            return {}
        return get_object(answer.data, "file") if isinstance(answer.data, dict) else {}

    def _is_slack(self, url: URL) -> bool:
        """Return whether the address is Slack's: no other one may get the token."""
        if not url.absolute:
            return False
        real = url.scheme == "https" and url.host == HOST
        return real or url.origin() == self._api.origin()
