"""Alerts the admins about what the hub cannot repair by itself, once an hour at most."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from bot.cards import Button, Buttons, Card, Note, Text
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


async def notify_of_clock(session: AsyncSession, now: datetime, step: timedelta) -> None:
    """Enqueue one alert to each admin that the clock of the machine went back by `step`."""
    minutes = max(1, round(step.total_seconds() / 60))

    def render(t: Translator, _: Member) -> Card:
        said = t.many(
            "The clock of the machine the hub runs on went back by one minute.",
            "The clock of the machine the hub runs on went back by {number} minutes.",
            minutes,
        )
        fix = t(
            "Messages are still going out. Please check that the clock is right: while it is "
            "wrong, platforms may turn the hub away and times on cards are off."
        )
        health = Buttons((Button(t("How delivery is going"), "admin health", "primary"),))
        return Card(
            t("The clock went back"), (Note(said, "warning"), Text(fix), health), tone="warning"
        )

    await notify_admins(session, now, render, key=f"clock:{now:%Y-%m-%dT%H}")


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
