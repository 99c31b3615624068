"""The gateway half of the loopback Discord: sessions, heartbeats, resumes and cuts."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

from tests.platforms.discord_json import guild_create_json, member_json, user_json
from tests.platforms.discord_limits import Json
from tests.platforms.discord_world import Guild, World

DISPATCH, HEARTBEAT, IDENTIFY, PRESENCE, RESUME = 0, 1, 2, 3, 6
RECONNECT, REQUEST_MEMBERS, INVALID_SESSION, HELLO, ACK = 7, 8, 9, 10, 11
GUILDS, MEMBERS, PRESENCES = 1 << 0, 1 << 1, 1 << 8
GUILD_MESSAGES, DM_MESSAGES, DM_REACTIONS, MESSAGE_CONTENT = 1 << 9, 1 << 12, 1 << 13, 1 << 15
PRIVILEGED = MEMBERS | PRESENCES | MESSAGE_CONTENT
# After these the session is over and a RESUME is answered with «invalid session».
ENDS_SESSION = frozenset({1000, 1001, 4004, 4007, 4009, 4010, 4011, 4012, 4013, 4014})


@dataclass(eq=False)
class Session:
    """What Discord remembers of one connected shard, also while nobody is connected."""

    id: str
    shard: int
    count: int
    intents: int
    log: list[Json] = field(default_factory=list)
    socket: web.WebSocketResponse | None = None

    def serves(self, guild_id: int | None) -> bool:
        """Direct messages belong to shard 0."""
        return self.shard == (0 if guild_id is None else (guild_id >> 22) % self.count)


class Gateway:
    """All sessions of all processes that use the token."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.url = ""
        self.shards = 1
        self.heartbeat_interval = 41.25
        self.acknowledges = True
        self.approved_intents = PRIVILEGED
        self.sessions: dict[str, Session] = {}
        self.identifies: list[Json] = []
        self.resumes: list[Json] = []
        self.presences: list[Json] = []
        self.heartbeats = 0
        self.welcomes = 0
        self._sockets: dict[web.WebSocketResponse, web.Request] = {}

    # --- what the platform says

    async def emit(
        self, event: str, build: Callable[[Session], Json | None], guild_id: int | None
    ) -> None:
        """Tell every session concerned; those without a socket get it when they resume."""
        for session in list(self.sessions.values()):
            data = build(session) if session.serves(guild_id) else None
            if data is not None:
                await self._dispatch(session, event, data)

    async def _dispatch(self, session: Session, event: str, data: Json) -> None:
        frame = {"op": DISPATCH, "t": event, "s": len(session.log) + 1, "d": data}
        session.log.append(frame)
        if session.socket is not None:
            await _send(session.socket, frame)

    async def introduce(self, guild: Guild) -> None:
        """GUILD_CREATE to those who asked for servers."""
        known = guild_create_json(guild, self.world.me)
        await self.emit("GUILD_CREATE", lambda s: known if s.intents & GUILDS else None, guild.id)

    async def cut(self, kind: str, shard: int | None = None, code: int = 4000) -> int:
        """Break the connections in one of Discord's ways; returns how many there were."""
        alive = [s for s in self.sessions.values() if s.socket and shard in (None, s.shard)]
        for session in alive:
            socket, session.socket = session.socket, None
            assert socket is not None
            if kind == "op9_new" or (kind == "close" and code in ENDS_SESSION):
                del self.sessions[session.id]
            await self._break(socket, kind, code)
        return len(alive)

    async def _break(self, socket: web.WebSocketResponse, kind: str, code: int) -> None:
        match kind:
            case "op7":
                await _send(socket, {"op": RECONNECT, "d": None})
            case "op9" | "op9_new":
                await _send(socket, {"op": INVALID_SESSION, "d": kind == "op9"})
            case "close":
                await socket.close(code=code)
            case "drop":
                transport = self._sockets[socket].transport
                assert transport is not None
                transport.abort()
            case _:
                raise ValueError(kind)

    async def close(self) -> None:
        for socket in list(self._sockets):
            await socket.close(code=1001)

    # --- what the app says

    async def handle(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(max_msg_size=1 << 20)
        await socket.prepare(request)
        self._sockets[socket] = request
        try:
            await self._converse(socket)
        finally:
            self._sockets.pop(socket)
            self._forget(socket)
        return socket

    async def _converse(self, socket: web.WebSocketResponse) -> None:
        interval = int(self.heartbeat_interval * 1000)
        await _send(socket, {"op": HELLO, "d": {"heartbeat_interval": interval}})
        async for frame in socket:
            if frame.type is not WSMsgType.TEXT:
                continue
            if len(frame.data.encode()) > 4096:
                await socket.close(code=4002)
                return
            await self._hear(socket, json.loads(frame.data))

    def _forget(self, socket: web.WebSocketResponse) -> None:
        for session in list(self.sessions.values()):
            if session.socket is socket:
                session.socket = None
                if socket.close_code in ENDS_SESSION:
                    del self.sessions[session.id]
        self.world.changed()

    async def _hear(self, socket: web.WebSocketResponse, frame: Json) -> None:
        hear = {
            HEARTBEAT: self._heartbeat,
            IDENTIFY: self._identify,
            RESUME: self._resume,
            PRESENCE: self._presence,
            REQUEST_MEMBERS: self._members,
        }.get(frame.get("op", -1))
        if hear is None:
            await socket.close(code=4001)
        else:
            await hear(socket, frame.get("d"))

    async def _heartbeat(self, socket: web.WebSocketResponse, _: Any) -> None:
        self.heartbeats += 1
        if self.acknowledges:
            await _send(socket, {"op": ACK})

    async def _presence(self, socket: web.WebSocketResponse, data: Any) -> None:
        self.presences.append(data)

    async def _identify(self, socket: web.WebSocketResponse, data: Any) -> None:
        self.identifies.append(data)
        refusal = self._refusal(data)
        if refusal:
            await socket.close(code=refusal)
            return
        shard, count = data.get("shard") or (0, 1)
        session = Session(f"session-{len(self.identifies)}", shard, count, data["intents"])
        session.socket = socket
        self.sessions[session.id] = session
        await self._dispatch(session, "READY", self._ready(session))
        for guild in self._guilds(session):
            if session.intents & GUILDS:
                await self._dispatch(
                    session, "GUILD_CREATE", guild_create_json(guild, self.world.me)
                )
        self._welcomed()

    def _refusal(self, data: Json) -> int | None:
        shard, count = data.get("shard") or (0, 1)
        if data.get("token") != self.world.token:
            return 4004
        if not 0 <= shard < count:
            return 4010
        if data.get("intents", 0) & PRIVILEGED & ~self.approved_intents:
            return 4014
        return None

    def _guilds(self, session: Session) -> list[Guild]:
        return [g for g in self.world.guilds.values() if g.installed and session.serves(g.id)]

    def _ready(self, session: Session) -> Json:
        return {
            "v": 10,
            "user": user_json(self.world.me) | {"verified": True, "email": None},
            "guilds": [{"id": str(g.id), "unavailable": True} for g in self._guilds(session)],
            "session_id": session.id,
            "resume_gateway_url": f"{self.url}resume/",
            "shard": [session.shard, session.count],
            "application": {"id": str(self.world.application_id), "flags": 0},
        }

    async def _resume(self, socket: web.WebSocketResponse, data: Any) -> None:
        self.resumes.append(data)
        session = self.sessions.get(str(data.get("session_id")))
        if data.get("token") != self.world.token:
            await socket.close(code=4004)
            return
        if session is None or not 0 <= (data.get("seq") or 0) <= len(session.log):
            await _send(socket, {"op": INVALID_SESSION, "d": False})
            return
        await self._replay(socket, session, data.get("seq") or 0)

    async def _replay(self, socket: web.WebSocketResponse, session: Session, seen: int) -> None:
        """Also what comes in during the replay is sent before RESUMED."""
        while seen < len(session.log):
            await _send(socket, session.log[seen])
            seen += 1
        session.socket = socket
        await self._dispatch(session, "RESUMED", {})
        self._welcomed()

    def _welcomed(self) -> None:
        self.welcomes += 1
        self.world.changed()

    async def _members(self, socket: web.WebSocketResponse, data: Any) -> None:
        guild = self.world.guilds[int(data["guild_id"])]
        wanted = {int(one) for one in data.get("user_ids") or guild.members}
        members = [member_json(m) for m in guild.members.values() if m.user.id in wanted]
        chunk: dict[str, Any] = {"guild_id": str(guild.id), "members": members, "not_found": []}
        chunk |= {"chunk_index": 0, "chunk_count": 1, "nonce": data.get("nonce")}
        for session in self.sessions.values():
            if session.socket is socket:
                await self._dispatch(session, "GUILD_MEMBERS_CHUNK", chunk)


async def _send(socket: web.WebSocketResponse, frame: Json) -> None:
    if not socket.closed:
        # A peer that vanished meanwhile hears of it when it resumes.
        with contextlib.suppress(ConnectionError):
            await socket.send_str(json.dumps(frame, separators=(",", ":")))
