"""Addresses that one person is given and nobody can guess, for one purpose and a while."""

import base64
from collections.abc import Sequence
from datetime import datetime, timedelta

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_PURPOSE = b"addresses given to people"


class Links:
    """Makes and reads them. `keys`: newest first; the newest seals, all of them open."""

    def __init__(self, public_url: str, keys: Sequence[str]) -> None:
        self._base = public_url.rstrip("/")
        self._box = MultiFernet([Fernet(_derived(key)) for key in keys])

    def to(self, purpose: str, subject: str, now: datetime, suffix: str = "") -> str:
        """The address of `/purpose/token`, where the token holds the subject and the time."""
        sealed = self._box.encrypt_at_time(
            f"{purpose}\n{subject}".encode(), int(now.timestamp())
        ).decode()
        return f"{self._base}/{purpose}/{sealed}{suffix}"

    def read(self, purpose: str, token: str, now: datetime, within: timedelta) -> str | None:
        """The subject of a token of ours, made for this and not longer ago than `within`."""
        seconds, moment = int(within.total_seconds()), int(now.timestamp())
        try:
            said = self._box.decrypt_at_time(token.encode(), seconds, moment).decode()
        except (InvalidToken, UnicodeError):
            return None
        about, _, subject = said.partition("\n")
        return subject if about == purpose else None


def _derived(key: str) -> bytes:
    made = HKDF(algorithm=SHA256(), length=32, salt=None, info=_PURPOSE).derive(key.encode())
    return base64.urlsafe_b64encode(made)
