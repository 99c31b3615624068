"""`wwc audit verify`: checks the seals of the audit log."""

import sys

from bot.settings import Settings
from bot.storage import database, translate_database_errors
from db import audit
from db.base import transaction


async def verify(settings: Settings) -> int:
    """Print whether the chain of seals holds; return 1 with the first row that does not fit."""
    async with database(settings) as engine:
        with translate_database_errors():
            async with transaction(engine) as session:
                found = await audit.verify(session)
    if found.broken_at:
        print(f"The log was tampered with: row {found.broken_at} does not fit.", file=sys.stderr)
        return 1
    print(f"{found.rows} rows, each as it was written. Newest seal: {found.head or 'none'}")
    return 0
