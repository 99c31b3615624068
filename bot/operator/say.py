"""`wwc say`: runs one command from the terminal, and prints what a platform would be sent."""

import importlib
import json
import sys
from datetime import UTC, datetime
from typing import Any

from rich.console import Console

from bot.adapters import terminal
from bot.app import App, open_app
from bot.cards import Form, Reply, data, plain
from bot.domain.ranking import base_points
from bot.i18n import translator
from bot.request import Request, Sender
from bot.settings import Settings
from db import member_lists, members, seed
from db.base import transaction


async def say(
    settings: Settings, console: Console, words: str, *, email: str, on: str, as_json: bool
) -> int:
    """Run one command as the member of this address and print the reply; return the exit code."""
    async with open_app(settings) as app:
        sender = await load_sender(app, email)
        if sender is None:
            said = f"Nobody has the e-mail {email}." if email else "Say who asks: --as E-MAIL."
            print(said, file=sys.stderr)
            return 2
        language = await app.hub.language(sender)
        reply = await app.hub(Request(sender, words, direct=True))
    if on != "plain":
        print(json.dumps(payload(on, reply, language), ensure_ascii=False, indent=2))
    elif as_json:
        print(json.dumps(data(reply), ensure_ascii=False, indent=2))
    elif console.is_terminal:
        console.print(terminal.render(reply))
    else:
        print(plain(reply), end="")
    return 0


async def load_sender(app: App, email: str) -> Sender | None:
    """Return the member of this e-mail as an account of the terminal; None if there is none.

    Without an e-mail it is a member of the demo, which is created only where no members are.
    """
    async with transaction(app.engine, writes=True) as session:
        if email:
            person = await members.find_by_email(session, email)
        else:
            if not await members.has_members(session):
                await seed.seed_demo(session, datetime.now(UTC), base_points)
            person = next(iter(await member_lists.list_synthetic(session, limit=1)), None)
        if person is None:
            return None
        user = f"member-{person.id}"
        account = await members.get_or_create_account(
            session, terminal.PLATFORM, "local", user, datetime.now(UTC)
        )
        account.member_id, account.name = person.id, person.name
        return Sender(terminal.PLATFORM, "local", user, name=person.name, zone=person.zone)


def payload(platform: str, reply: Reply, language: str) -> dict[str, Any]:
    """Return what would be sent to the platform: the body of a message, or a form as it opens."""
    renderer = importlib.import_module(f"bot.adapters.{platform}.render")
    t = translator(language)
    drawn = renderer.form(reply, t) if isinstance(reply, Form) else renderer.message(reply, t)
    return dict(drawn)
