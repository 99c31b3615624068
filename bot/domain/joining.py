"""The rules of joining: codes, failed tries, e-mail domains as proof, and the first week."""

import hmac
import re
import secrets
import unicodedata
from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from hashlib import sha256
from zoneinfo import ZoneInfo

from bot.domain.typography import DASHES

# --- codes ------------------------------------------------------------------------------------

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""The letters of a code, without I, L, O and U, which are easily misread or misheard."""
CODE_LENGTH, GROUP_LENGTH = 12, 4
CODE_BITS = 5 * CODE_LENGTH
"""Sixty random bits: one guess in a million million million is right."""

_MISREAD = str.maketrans("ILO", "110")
_GROUP = rf"[{ALPHABET}ILO]{{{GROUP_LENGTH}}}"
_CODE = re.compile(
    rf"(?:^|\s)`*({_GROUP}([\s.·_-]*){_GROUP}([\s.·_-]*){_GROUP})[`.]*$", re.IGNORECASE
)


def format_code(number: int) -> str:
    """Format a random number of `CODE_BITS` bits as a code: `7K3M-9QXW-2TBC`."""
    letters = "".join(ALPHABET[number >> 5 * place & 31] for place in range(CODE_LENGTH))
    return "-".join(letters[at : at + GROUP_LENGTH] for at in range(0, CODE_LENGTH, GROUP_LENGTH))


def generate_code() -> str:
    """Return a new random code."""
    return format_code(secrets.randbits(CODE_BITS))


def fingerprint(code: str) -> str:
    """Return the SHA-256 of a code, which is stored in its place, as 64 hexadecimal digits.

    Case, separators and misread letters (I, L, O) make no difference. A plain hash is enough:
    unlike a password a code has sixty random bits, so a stolen hash cannot be reversed by trying.
    """
    plain = unicodedata.normalize("NFKC", code).upper().translate(_MISREAD)
    letters = "".join(c for c in plain if c.isalnum())
    return sha256(letters.encode()).hexdigest()


def split_code(text: str) -> tuple[str, str]:
    """Split off the code with which a text ends; return the words before it, and the code.

    Any dashes, dots, spaces or ticks may separate its groups, or nothing. No name of a city is
    taken for a code: without its dashes a code has a digit at least.
    """
    found = _CODE.search(text.translate(DASHES).strip())
    if found is None:
        return text, ""
    is_dashed = found[2].strip() == found[3].strip() == "-"
    if not (is_dashed or any(c.isdigit() for c in found[1])):
        return text, ""
    return text.translate(DASHES).strip()[: found.start()].strip(" ,:"), found[1]


# --- accounts ---------------------------------------------------------------------------------


def fingerprint_account(
    keys: Sequence[str], platform: str, workspace: str, user: str
) -> tuple[str, ...]:
    """Return what stands for a forgotten account under each secret key, the newest key's first.

    Without the key nobody can tell whose it is, nor try all accounts of a workspace.
    """
    named = f"account {platform}:{workspace}:{user}".encode()
    return tuple(hmac.new(key.encode(), named, sha256).hexdigest() for key in keys)


# --- tries ------------------------------------------------------------------------------------

MAX_TRIES_PER_ACCOUNT, MAX_TRIES_PER_WORKSPACE = 5, 50
"""Wrong codes allowed while they count: for one account, and for a whole workspace."""


def can_try(account_tries: int, workspace_tries: int) -> bool:
    """Return whether another code may be tried after this many wrong ones that still count."""
    return account_tries < MAX_TRIES_PER_ACCOUNT and workspace_tries < MAX_TRIES_PER_WORKSPACE


# --- addresses --------------------------------------------------------------------------------

PUBLIC_PROVIDERS = frozenset({
    "aol", "comcast", "fastmail", "gmail", "gmx", "googlemail", "hotmail", "icloud", "msn",
    "outlook", "proton", "protonmail", "rocketmail", "sbcglobal", "terra", "tutanota", "uol",
    "verizon", "videotron", "yahoo", "yandex", "ymail", "zoho",
    "att.net", "bol.com.br", "free.fr", "ig.com.br", "live.ca", "live.com", "live.com.mx",
    "mac.com", "mail.com", "mail.ru", "me.com", "orange.fr", "pm.me", "qq.com",
})  # fmt: skip
"""Mail providers open to everybody: their addresses never prove where a person works."""

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})+")
_MAILBOX = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._'-]{0,62}[A-Za-z0-9])?")


def normalize_domain(text: str) -> str:
    """Return a domain in lower case that a city may allow; empty if the text is not one.

    `Boston.GOV`, `@boston.gov` and `boston.gov.` give the same domain. Public providers are
    refused; so are letters of other scripts, also in their ASCII form (`xn--`): `bоston.gov` with
    a Cyrillic «о» is another domain.
    """
    domain = text.strip().removeprefix("@").removesuffix(".").lower()
    fits = domain.isascii() and len(domain) <= 253 and _DOMAIN.fullmatch(domain)
    if not fits or "xn--" in domain or domain.rpartition(".")[2].isdigit():
        return ""
    return "" if PUBLIC_PROVIDERS & {domain, domain.partition(".")[0]} else domain


def extract_domain(email: str) -> str:
    """Return the domain that an e-mail address proves something about; empty if it proves nothing.

    Only plain mailboxes count: with `+`, quotes, `%` or a second `@` an address may be read in
    two ways, or one person may have many.
    """
    mailbox, _, domain = email.partition("@")
    if not _MAILBOX.fullmatch(mailbox) or domain != domain.strip() or domain.startswith("@"):
        return ""
    return normalize_domain(domain)


# --- the first week ---------------------------------------------------------------------------

FIRST_WEEK_STEPS = ("person", "topic", "profile")
"""The steps a new member is shown, one on each of the first working days."""
_MORNING = time(9, 30)


def schedule_first_week(
    now: datetime, zone: str, steps: Sequence[str] = FIRST_WEEK_STEPS
) -> list[tuple[str, datetime]]:
    """Return each step with the moment (UTC) at which it is sent.

    These are the mornings of the next working days after today, in the person's zone.
    """
    there = ZoneInfo(zone)
    day = now.astimezone(there).date()
    found: list[tuple[str, datetime]] = []
    for step in steps:
        day += timedelta(days=1)
        while day.weekday() >= 5:
            day += timedelta(days=1)
        found.append((step, datetime.combine(day, _MORNING, there).astimezone(UTC)))
    return found
