"""Joining, thought through: codes, addresses that prove something, tries, and a first week."""

import re
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from hashlib import sha256
from zoneinfo import ZoneInfo

# --- codes ------------------------------------------------------------------------------------

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""No I, L, O or U: nobody reads a code aloud and gets another one."""
CODE_LENGTH, GROUP_LENGTH = 12, 4
CODE_BITS = 5 * CODE_LENGTH
"""Sixty random bits: one guess in a million million million is right."""

_MISREAD = str.maketrans("ILO", "110")
_CODE = re.compile(
    rf"[{ALPHABET}ILO]{{{GROUP_LENGTH}}}(-[{ALPHABET}ILO]{{{GROUP_LENGTH}}}){{2}}", re.IGNORECASE
)


def format_code(number: int) -> str:
    """The code that a random number of `CODE_BITS` bits stands for: `7K3M-9QXW-2TBC`."""
    letters = "".join(ALPHABET[number >> 5 * place & 31] for place in range(CODE_LENGTH))
    return "-".join(letters[at : at + GROUP_LENGTH] for at in range(0, CODE_LENGTH, GROUP_LENGTH))


def generate_code() -> str:
    """A code that nobody has seen yet."""
    return format_code(secrets.randbits(CODE_BITS))


def fingerprint(code: str) -> str:
    """What is kept of a code, however it was typed.

    A plain hash is enough here: unlike a password a code has sixty random bits, so that nobody
    finds it by trying, whatever they stole.
    """
    letters = "".join(c for c in code.upper().translate(_MISREAD) if c.isalnum())
    return sha256(letters.encode()).hexdigest()


def looks_like_code(text: str) -> bool:
    """Was this meant as a code? Only the written form counts: no city has that name."""
    return _CODE.fullmatch(text.strip()) is not None


# --- tries ------------------------------------------------------------------------------------

TRY_WINDOW = timedelta(minutes=15)
MAX_TRIES_PER_ACCOUNT, MAX_TRIES_PER_WORKSPACE = 5, 50
"""Wrong codes within that time: of one account, and of a whole workspace."""


def can_try(account_tries: int, workspace_tries: int) -> bool:
    """Is a code looked at, after so many wrong ones?"""
    return account_tries < MAX_TRIES_PER_ACCOUNT and workspace_tries < MAX_TRIES_PER_WORKSPACE


# --- addresses --------------------------------------------------------------------------------

PUBLIC_PROVIDERS = frozenset({
    "aol", "comcast", "fastmail", "gmail", "gmx", "googlemail", "hotmail", "icloud", "msn",
    "outlook", "proton", "protonmail", "rocketmail", "sbcglobal", "terra", "tutanota", "uol",
    "verizon", "videotron", "yahoo", "yandex", "ymail", "zoho",
    "att.net", "bol.com.br", "free.fr", "ig.com.br", "live.ca", "live.com", "live.com.mx",
    "mac.com", "mail.com", "mail.ru", "me.com", "orange.fr", "pm.me", "qq.com",
})  # fmt: skip
"""Where anybody gets an address: these never prove where somebody works."""

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})+")
_MAILBOX = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._'-]{0,62}[A-Za-z0-9])?")


def normalize_domain(text: str) -> str:
    """A domain that a city may allow, in small letters; empty if this is none.

    `Boston.GOV`, `@boston.gov` and `boston.gov.` are one and the same. Letters of other scripts
    are refused, also in their ASCII disguise: `bоston.gov` with a Cyrillic «о» is another domain.
    """
    domain = text.strip().removeprefix("@").removesuffix(".").lower()
    fits = domain.isascii() and len(domain) <= 253 and _DOMAIN.fullmatch(domain)
    if not fits or "xn--" in domain or domain.rpartition(".")[2].isdigit():
        return ""
    return "" if PUBLIC_PROVIDERS & {domain, domain.partition(".")[0]} else domain


def extract_domain(email: str) -> str:
    """The domain that an address proves something about; empty if it proves nothing.

    Only plain mailboxes: with `+`, quotes, `%` or a second `@` an address may be read in two ways,
    or one person may have many.
    """
    mailbox, _, domain = email.partition("@")
    if not _MAILBOX.fullmatch(mailbox) or domain != domain.strip() or domain.startswith("@"):
        return ""
    return normalize_domain(domain)


# --- the first week ---------------------------------------------------------------------------

FIRST_WEEK_STEPS = ("person", "topic", "profile")
"""What a new member is shown, one thing on each of the first working days."""
_MORNING = time(9, 30)


def schedule_first_week(
    now: datetime, zone: str, steps: Sequence[str] = FIRST_WEEK_STEPS
) -> list[tuple[str, datetime]]:
    """Each step with the morning it comes on: the working days after today where the person is."""
    there = ZoneInfo(zone)
    day = now.astimezone(there).date()
    found: list[tuple[str, datetime]] = []
    for step in steps:
        day += timedelta(days=1)
        while day.weekday() >= 5:
            day += timedelta(days=1)
        found.append((step, datetime.combine(day, _MORNING, there).astimezone(UTC)))
    return found
