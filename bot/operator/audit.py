"""`wwc audit verify`: checks the seals of the audit log."""

import sys

from bot.settings import Settings
from bot.storage import database, key_file, translate_database_errors
from db import audit
from db.base import transaction


async def verify(settings: Settings, noted: str) -> int:
    """Print whether the chain of seals holds, and its head; return 1 if it does not.

    `noted` is a head as it was printed before, or empty; 2 is returned if it is something else.
    """
    head = audit.parse_head(noted)
    if noted and head is None:
        print("A head looks like 17:k:3f9a…, as `wwc audit verify` prints it.", file=sys.stderr)
        return 2
    if not settings.wwc_secret_key and not key_file(settings).exists():
        # a key made now would fit no row
        print(f"The key is missing: put {key_file(settings)} back.", file=sys.stderr)
        return 2
    async with database(settings) as engine:
        with translate_database_errors():
            async with transaction(engine) as session:
                found = await audit.verify(session, head)
    if found.broken_at:
        _print_fault(found, head)
        return 1
    print(
        f"{found.rows} rows, each as it was written. Head: {found.head if found.rows else 'none'}"
    )
    if found.keyless:
        print(f"Rows up to {found.keyless} are from before seals had a key.")
    print("Keep the head elsewhere; with `--head` it shows whether newer rows were taken away.")
    return 0


def _print_fault(found: audit.Verdict, head: audit.Head | None) -> None:
    if head and found.broken_at > found.rows:
        said = f"The log ends before row {head.number} of the head: rows are gone, or it is a copy."
    else:
        said = (
            f"The log was tampered with: row {found.broken_at} does not fit. "
            "Or the key it was sealed with is missing from WWC_SECRET_KEY."
        )
    print(said, file=sys.stderr)
