"""What goes wrong inside becomes a card with a short code; the log has the code, never a text."""

import secrets

import structlog
from sqlalchemy.exc import DBAPIError

from bot.cards import Card, Note
from bot.i18n import Translator

log = structlog.get_logger()


def is_database_busy(error: DBAPIError) -> bool:
    """Can the database not be written just now?"""
    said = str(error.orig).casefold()
    return error.connection_invalidated or any(
        why in said for why in ("locked", "full", "readonly", "read-only")
    )


def busy_text(t: Translator) -> str:
    """What a person is told then."""
    return t("I cannot save anything just now. Nothing was changed; please try again in a minute.")


def log_fault(error: BaseException) -> str:
    """A short code that is in the log beside the kind and the place of the fault."""
    code = secrets.token_hex(3).upper()
    # The type and the place say enough; the text of an error may hold what people wrote.
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    where = f"{trace.tb_frame.f_code.co_qualname}:{trace.tb_lineno}" if trace else ""
    log.error("fault", reference=code, error=type(error).__name__, where=where)
    return code


def fault_card(error: Exception, text: str | None, t: Translator) -> Card:
    """The card that takes the place of an answer."""
    code = log_fault(error)
    said = text or t("Something went wrong on our side; nothing was changed.")
    return Card(
        title=t("Sorry"),
        parts=(
            Note(said, "bad"),
            Note(t("If it happens again, tell the staff this code: {code}", code=code)),
        ),
        tone="bad",
    )
