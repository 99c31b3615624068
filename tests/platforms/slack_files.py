"""Files on the loopback Slack: their own workspace's token opens them, and nobody else."""

from dataclasses import dataclass

from aiohttp import web

from tests.platforms.slack_blocks import Json
from tests.platforms.slack_wire import token_of
from tests.platforms.slack_world import Grant, Refused, Team, World

SIGN_IN = "<!DOCTYPE html><title>Sign in</title>"
"""What Slack shows whoever may not read a file, as if all were well."""


@dataclass
class Upload:
    """A file as somebody put it into a message."""

    id: str
    team: Team
    name: str
    kind: str
    data: bytes
    host: str
    deleted: bool = False
    stated: object = None
    """What is told as its size, where that is not so."""
    has_length: bool = True
    """Whether the download begins with its length."""

    @property
    def json(self) -> Json:
        """As Slack tells of it."""
        return {
            "id": self.id, "name": self.name, "title": self.name, "mimetype": self.kind,
            "size": len(self.data) if self.stated is None else self.stated, "mode": "hosted",
            "url_private_download": f"{self.host}/files-pri/{self.team.id}-{self.id}/download",
        }  # fmt: skip


class Files:
    """What was uploaded."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._kept: dict[tuple[str, str], Upload] = {}
        self.opened: list[str] = []
        self.sent = 0

    def add(self, team: Team, name: str, data: bytes, kind: str, host: str) -> Upload:
        """Upload one."""
        made = Upload(self._world.id("F"), team, name, kind, data, host)
        self._kept[team.id, made.id] = made
        return made

    def info(self, grant: Grant, args: Json) -> Json:
        """files.info"""
        found = self._kept.get((grant.team.id, str(args.get("file"))))
        if found is None or found.deleted:
            raise Refused("file_not_found")
        return {"file": found.json}

    async def download(self, request: web.Request) -> web.StreamResponse:
        """The bytes, for a token of the workspace that may read files."""
        team, _, name = request.match_info["file"].partition("-")
        found, token = self._kept.get((team, name)), token_of(request, {})
        grant = self._world.grants.get(token or "")
        may = grant and not grant.revoked and "files:read" in grant.scopes and grant.team.id == team
        if found is None or found.deleted or not may:
            return web.Response(text=SIGN_IN, content_type="text/html")
        self.opened.append(name)
        if found.has_length:
            return web.Response(body=found.data, content_type=found.kind)
        response = web.StreamResponse(headers={"Content-Type": found.kind})
        response.enable_chunked_encoding()
        await response.prepare(request)
        for start in range(0, len(found.data), 65_536):
            self.sent += len(found.data[start : start + 65_536])
            await response.write(found.data[start : start + 65_536])
        return response
