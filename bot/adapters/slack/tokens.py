"""Which token speaks in which workspace: the one of the operator, or those of installations."""

from datetime import datetime
from typing import Protocol

import structlog

from bot.adapters.slack.client import FAILURES, Clients, reason

log = structlog.get_logger()


class StoredInstallation(Protocol):
    """One installation, as the store gives it back; no team: of a whole organisation."""

    @property
    def enterprise_id(self) -> str: ...

    @property
    def team_id(self) -> str: ...

    @property
    def token(self) -> str: ...

    @property
    def installed_at(self) -> datetime: ...


class TokenStore(Protocol):
    """Keeps tokens, encrypted, each readable only as that of its own workspace.

    An empty `team_id` means an installation for the whole organisation.
    """

    async def save(
        self, enterprise_id: str, team_id: str, token: str, installed_at: datetime
    ) -> None:
        """Keep a token in the place of an older one."""

    async def find(self, enterprise_id: str, team_id: str) -> StoredInstallation | None:
        """The workspace's own, else its organisation's; ValueError when no key opens it."""

    async def delete(self, enterprise_id: str, team_id: str) -> None:
        """Forget one; of an organisation, those of all its workspaces."""


class Tokens:
    """Finds the token of a workspace, and forgets it when Slack says so."""

    def __init__(self, clients: Clients, bot_token: str, store: TokenStore | None) -> None:
        self._clients = clients
        self._operator_token = bot_token
        self._operator_team = ""
        self._store = store

    async def token_for(self, enterprise: str, team: str) -> str | None:
        """The token to speak with there; None where the hub is not installed."""
        if self._store is None:
            return self._operator_token or None
        try:
            found = await self._store.find(enterprise, team)
        except ValueError:
            log.error("token unreadable", team=team)
            return None
        if found is None:
            return (
                self._operator_token
                if self._operator_token and team == await self._load_operator_team()
                else None
            )
        if team and not found.team_id:
            # a worker that knows only the workspace finds the organisation's token there
            await self._store.save(enterprise, team, found.token, found.installed_at)
        return found.token

    async def forget(self, enterprise: str, team: str, at: int) -> bool:
        """The hub was removed at that second: forget the token, unless it was installed since."""
        if self._store is None:
            return True
        try:
            found = await self._store.find(enterprise, team)
        except ValueError:
            found = None  # what cannot be read is not kept either
        else:
            if found is None or await self._is_newer(found, at):
                return False
        await self._store.delete(enterprise, found.team_id if found else team)
        return True

    async def _load_operator_team(self) -> str:
        """The one workspace that the operator's own token is for."""
        if not self._operator_team:
            try:
                answer = await self._clients.client_for(self._operator_token).auth_test()
            except FAILURES as error:
                log.warning("token of unknown workspace", reason=reason(error))
            else:
                self._operator_team = str(answer.get("team_id"))
        return self._operator_team

    async def _is_newer(self, found: StoredInstallation, at: int) -> bool:
        """Slack tells of a removal late and in any order; within one second only a call knows."""
        installed = int(found.installed_at.timestamp())
        if at != installed:
            return at < installed
        try:
            await self._clients.client_for(found.token).auth_test()
        except FAILURES:
            return False
        return True
