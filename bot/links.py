"""Signed addresses of the hub that open without signing in: who has the address may read."""

import base64
import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

_PROCESS_KEYS = (secrets.token_urlsafe(32),)
_TOKEN = re.compile(r"(\d+~[a-z2-7]+)-(\d+~[a-z2-7]+)-([\w-]{32})", re.ASCII)


class SharedFile(NamedTuple):
    """A file of a conversation. `file`: the platform's id of it.

    `source`: the message it came with, as `IncomingMessage.source` names it.
    """

    source: str
    platform: str
    workspace: str
    file: str


@dataclass(frozen=True, slots=True)
class Links:
    """Makes signed addresses and reads their tokens.

    `base_url` returns where people reach this process, `keys` the keys for signing, newest first;
    both are called only when needed, since a port may be chosen late. By default a random key of
    the process signs, so that an address is valid as long as it runs.
    """

    base_url: Callable[[], str] = lambda: "http://127.0.0.1:8080"
    keys: Callable[[], Sequence[str]] = lambda: _PROCESS_KEYS

    def meeting_url(self, talk: str, member: str) -> str:
        """Return the address of a talk's calendar file, in the zone of one of the two members.

        Both are named by their tags, so that the address never means anybody else's talk.
        """
        token = f"{talk}-{member}-{_signature(self.keys()[0], talk, member)}"
        return f"{self.base_url()}/calendar/meeting/{token}.ics"

    def parse_meeting_token(self, token: str) -> tuple[str, str] | None:
        """Return the tags of the talk and the member of a token; None if we did not sign it."""
        match = _TOKEN.fullmatch(token)
        if match is None:
            return None
        talk, member, signed = match.groups()
        fits = [hmac.compare_digest(signed, _signature(key, talk, member)) for key in self.keys()]
        return (talk, member) if any(fits) else None

    def my_data_url(self, member: str, now: datetime) -> str:
        """Return the address where a member can fetch all the hub holds about them, for a while.

        The member is named by the tag, so that the address never means somebody else.
        """
        sealed = self._fernet("my data").encrypt_at_time(member.encode(), int(now.timestamp()))
        return f"{self.base_url()}/my-data/{sealed.decode()}.json"

    def parse_my_data_token(self, token: str, now: datetime, within: timedelta) -> str | None:
        """Return the member's tag of a token; None if it is not ours or older than `within`."""
        seconds, moment = int(within.total_seconds()), int(now.timestamp())
        try:
            sealed = self._fernet("my data").decrypt_at_time(token.encode(), seconds, moment)
        except (InvalidToken, ValueError):
            return None
        return sealed.decode()

    def file_url(self, shared: "SharedFile", now: datetime) -> str:
        """Return the address where the other side of a conversation can fetch a file."""
        sealed = self._fernet("file").encrypt_at_time(
            json.dumps(shared).encode(), int(now.timestamp())
        )
        return f"{self.base_url()}/relay/file/{sealed.decode()}"

    def parse_file_token(self, token: str, now: datetime, within: timedelta) -> "SharedFile | None":
        """Return the file of a token; None if it is not ours or older than `within`."""
        seconds, moment = int(within.total_seconds()), int(now.timestamp())
        try:
            sealed = self._fernet("file").decrypt_at_time(token.encode(), seconds, moment)
        except InvalidToken:
            return None
        return SharedFile(*json.loads(sealed))

    def _fernet(self, purpose: str) -> MultiFernet:
        made = (hashlib.sha256(f"{purpose} {key}".encode()).digest() for key in self.keys())
        return MultiFernet([Fernet(base64.urlsafe_b64encode(key)) for key in made])


def _signature(key: str, talk: str, member: str) -> str:
    made = hmac.new(key.encode(), f"calendar meeting {talk} {member}".encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(made.digest()[:24]).decode()
