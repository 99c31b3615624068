"""Unexpected errors become cards with a short code; the log has the code, never the text."""

import secrets

import structlog
from sqlalchemy.exc import DBAPIError

from bot.cards import Card, Note
from bot.i18n import Translator
from bot.logs import trace_of

log = structlog.get_logger()


def is_database_busy(error: DBAPIError) -> bool:
    """Return whether the database cannot be written just now: locked, full or read-only."""
    said = str(error.orig).casefold()
    return error.connection_invalidated or any(
        why in said for why in ("locked", "full", "readonly", "read-only")
    )


def busy_text(t: Translator) -> str:
    """Return the sentence for people when the database cannot be written."""
    return t("I can't save anything right now. Nothing was changed; please try again in a minute.")


def log_fault(error: BaseException) -> str:
    """Log an error's type and place under a new short reference code; return the code."""
    code = secrets.token_hex(3).upper()
    # The type and the place are enough; the text of an error may quote what people wrote.
    where = "".join(trace_of(error)[-1:])
    log.error("fault", reference=code, error=type(error).__name__, where=where)
    return code


def fault_card(error: Exception, text: str | None, t: Translator) -> Card:
    """Log an error and return the card that replaces the reply; `text` replaces its sentence."""
    code = log_fault(error)
    said = text or t("Something went wrong on our side; nothing was changed.")
    return Card(
        title=t("Sorry"),
        parts=(
            Note(said, "bad"),
            Note(t("If it happens again, give the staff this code: {code}", code=code)),
        ),
        tone="bad",
    )
