"""Staff hear of what the hub could not deliver, within a tick, and once an hour at most."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from bot.cards import Button, Buttons, Card, Note
from bot.deliveries import owe
from bot.i18n import translator
from db import members
from db.outbox import UNSOLVED, Delivery

ALARM = "alarm"


async def tell_admins(session: AsyncSession, now: datetime, ended: Iterable[Delivery]) -> None:
    """Owe each admin one message if any of these needs a decision.

    What failed of the alarms themselves raises none.
    """
    if not any(r.state in UNSOLVED and not r.key.startswith(f"{ALARM}:") for r in ended):
        return
    for admin in await members.with_role(session, "admin"):
        key = f"{ALARM}:{admin.id}:{now:%Y-%m-%dT%H}"
        await owe(session, now, admin, "duty", _card(admin.language), key=key)


def _card(language: str) -> Card:
    t = translator(language)
    return Card(
        title=t("A message did not arrive"),
        parts=(
            Note(
                t("Something the hub owed somebody could not be delivered. See what it was and "
                  "why, and decide whether it is sent again."),
                "warning",
            ),
            Buttons(
                (
                    Button(t("See the list"), "admin dead list", "primary"),
                    Button(t("How sending goes"), "admin health"),
                )
            ),
        ),
        tone="warning",
    )  # fmt: skip
