"""Alerts the admins about messages that could not be delivered, once an hour at most."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from bot.cards import Button, Buttons, Card, Note
from bot.community.staff import notify_admins
from bot.i18n import Translator
from db.members import Member
from db.outbox import UNSOLVED, Delivery

ALERT_KEY = "alarm"


async def notify_of_failures(
    session: AsyncSession, now: datetime, ended: Iterable[Delivery]
) -> None:
    """Enqueue one alert to each admin if any of these deliveries needs a decision.

    The key of the alert holds the hour, so that a further one in the same hour is dropped. Alerts
    that fail themselves raise none.
    """
    if not any(r.state in UNSOLVED and not r.key.startswith(f"{ALERT_KEY}:") for r in ended):
        return
    await notify_admins(session, now, _render_card, key=f"{ALERT_KEY}:{now:%Y-%m-%dT%H}")


def _render_card(t: Translator, _: Member) -> Card:
    return Card(
        title=t("A message didn't arrive"),
        parts=(
            Note(
                t(
                    "Something the hub should have sent couldn't be delivered. See what it was "
                    "and why, and decide whether to send it again."
                ),
                "warning",
            ),
            Buttons(
                (
                    Button(t("See the list"), "admin dead list", "primary"),
                    Button(t("How delivery is going"), "admin health"),
                )
            ),
        ),
        tone="warning",
    )
