"""Find the token for a workspace: the operator's own, or that of an installation."""

from datetime import datetime
from typing import Protocol

import structlog

from bot.adapters.slack.client import FAILURES, Clients, reason

log = structlog.get_logger()


class StoredInstallation(Protocol):
    """An installation in the store; an empty `team_id` means a whole organisation."""

    @property
    def enterprise_id(self) -> str: ...

    @property
    def team_id(self) -> str: ...

    @property
    def token(self) -> str: ...

    @property
    def installed_at(self) -> datetime: ...


class TokenStore(Protocol):
    """Stores tokens encrypted; each can be decrypted only for its own workspace.

    An empty `team_id` means an installation for the whole organisation.
    """

    async def save(
        self, enterprise_id: str, team_id: str, token: str, installed_at: datetime
    ) -> None:
        """Save a token; it replaces an older one of the same workspace."""

    async def find(self, enterprise_id: str, team_id: str) -> StoredInstallation | None:
        """Return the workspace's own installation, else its organisation's, else None.

        Raises ValueError if no key decrypts the token.
        """

    async def delete(self, enterprise_id: str, team_id: str) -> None:
        """Delete an installation; for an organisation, those of all its workspaces."""


class Tokens:
    """Finds the token of a workspace, and deletes it when the hub was removed there."""

    def __init__(self, clients: Clients, bot_token: str, store: TokenStore | None) -> None:
        self._clients = clients
        self._operator_token = bot_token
        self._operator_team = ""
        self._store = store

    async def token_for(self, enterprise: str, team: str) -> str | None:
        """Return the token of a workspace; None if the hub has none there or cannot decrypt it."""
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
            # deliveries know only the workspace: a copy under it lets them find the token
            await self._store.save(enterprise, team, found.token, found.installed_at)
        return found.token

    async def forget(self, enterprise: str, team: str, at: int) -> bool:
        """Delete the token of a workspace from which the hub was removed.

        `at`: when, in Unix seconds. Returns False, and deletes nothing, if no token is stored or
        the hub was installed again since.
        """
        if self._store is None:
            return True
        try:
            found = await self._store.find(enterprise, team)
        except ValueError:
            found = None  # an unreadable token is deleted too
        else:
            if found is None or await self._is_newer(found, at):
                return False
        await self._store.delete(enterprise, found.team_id if found else team)
        return True

    async def _load_operator_team(self) -> str:
        """Return the id of the operator token's workspace from Slack, cached; empty if unknown."""
        if not self._operator_team:
            try:
                answer = await self._clients.client_for(self._operator_token).auth_test()
            except FAILURES as error:
                log.warning("token of unknown workspace", reason=reason(error))
            else:
                self._operator_team = str(answer.get("team_id"))
        return self._operator_team

    async def _is_newer(self, found: StoredInstallation, at: int) -> bool:
        """Return whether the installation is newer than a removal at that second.

        Slack reports removals late and in any order. If both were in the same second, only a call
        with the token can tell.
        """
        installed = int(found.installed_at.timestamp())
        if at != installed:
            return at < installed
        try:
            await self._clients.client_for(found.token).auth_test()
        except FAILURES:
            return False
        return True
