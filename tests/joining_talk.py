"""A long talk in which everything about joining, linking and leaving is said once."""

import re
from collections.abc import Sequence

from sqlalchemy import func, select

from bot.cards import Reply, plain
from bot.deliveries import load_card
from bot.hub import Hub
from bot.request import Request
from db.base import transaction
from db.invitations import Invitation
from db.joining import JoinRequest
from db.linking import Link
from db.outbox import Delivery
from tests.cast import sender
from tests.owed import mark_delivered

CODE = re.compile(r"[0-9A-Z]{4}(?:-[0-9A-Z]{4}){2}")
NUMBER = re.compile(r"\b([RIL])(\d)\b")
"""The second request, invitation or link of this talk, however many there were before it."""
WRONG_CODE = "0000-0000-0000"

TALK: Sequence[tuple[str, str]] = (
    *((who, "settings language:{language}") for who in ("maya", "ben", "uma", "noor", "luis")),
    # asking
    ("pia", "help"),
    ("pia", "join"),
    ("pia", "verify"),
    ("pia", "join boston"),
    ("pia", "join rochester"),
    ("pia", "join zzzzzz"),
    ("pia", "join zzzzzz ask:yes"),
    ("pia", "verify"),
    ("noor", "admit"),
    ("noor", "home"),
    ("pia", "join boston ask:yes"),
    ("pia", "verify"),
    ("noor", "admin members"),
    ("noor", "admit R1 no"),
    ("noor", "admit R2"),
    ("maya", "admit R2 no"),
    ("pia", "join bogota ask:yes"),
    ("pia", "join recife ask:yes"),
    ("noor", "admit R2 no"),
    ("noor", "admit R3 no"),
    ("noor", "admit R3 no"),
    ("noor", "admit"),
    ("paz", "help"),
    ("paz", "join zzzz ask:yes"),
    ("noor", "admit R4 yes"),
    ("noor", "admit R4 no"),
    ("paz", "join boston ask:yes"),
    ("noor", "admit R5 yes"),
    ("noor", "admit R5 yes"),
    ("paz", "join"),
    ("paz", "verify"),
    ("sam", "join"),
    ("maya", "admit"),
    ("maya", "verify"),
    *(("maya", f"help {verb}") for verb in ("invite", "leave", "join", "unlink", "admit")),
    *(("noor", f"help admin {what}") for what in ("workspaces", "domains", "members")),
    # codes and invitations
    ("maya", "invite"),
    ("maya", "invite code"),
    ("noor", "invite code"),
    ("noor", "invite x"),
    ("noor", "admin members lead 1"),
    ("noor", "admin members lead 10"),
    ("noor", "admin members unlead 2"),
    ("noor", "admin members lead 2"),
    ("noor", "admin members unlead 2"),
    ("noor", "admin members lead 11"),
    ("noor", "admin members lead 9"),
    ("noor", "admin members restore 2"),
    ("maya", "invite"),
    ("maya", "invite code"),
    ("rob", "help"),
    ("rob", f"join code:{WRONG_CODE}"),
    ("rob", "join code:{code}"),
    ("rob", "welcome"),
    ("rob", "welcome person"),
    ("rob", "verify"),
    ("rob", "profile listed:yes"),
    ("rob", "home"),
    ("maya", "invite code"),
    ("maya", "invite rotate"),
    ("maya", "invite <@ben>"),
    ("maya", "invite zoe"),
    ("zac", "help"),
    ("maya", "invite <@zac>"),
    ("zac", "join invitation:999"),
    ("zac", "join invitation:I2 ask:no"),
    ("yan", "help"),
    ("maya", "invite <@yan>"),
    ("yan", "join invitation:I3"),
    ("yan", "verify"),
    ("maya", "verify"),
    ("xia", "help"),
    ("noor", "admin workspaces"),
    ("noor", "admin workspaces city 1"),
    ("noor", "admin workspaces city 99 boston"),
    ("noor", "admin workspaces city 1 boston"),
    ("noor", "admin workspaces vouch 1"),
    ("xia", "join"),
    ("xia", "join boston"),
    ("xia", "verify"),
    ("noor", "admin workspaces mend 1"),
    ("noor", "admin domains"),
    ("noor", "admin workspaces vouch"),
    ("noor", "admin domains boston add:gmail.com"),
    ("noor", "admin domains boston add:boston.gov"),
    ("noor", "admin domains bogota add:boston.gov"),
    ("noor", "admin domains boston remove:boston.gov"),
    # linking
    ("ben", "link list"),
    ("ben", "unlink 2"),
    ("ben", "unlink 1"),
    ("ben", "link confirm:L1"),
    ("ben", "link"),
    ("bea", "help"),
    ("bea", "link"),
    ("bea", "link {code}"),
    ("ben", "link"),
    ("ben", "link refuse:L1"),
    ("ben", "link"),
    ("bea", "link {code}"),
    ("ben", "link confirm:L2"),
    ("bea", "link list"),
    ("bea", f"link {WRONG_CODE}"),
    ("bea", "unlink 2"),
    ("sam", f"link {WRONG_CODE}"),
    ("uma", "link"),
    ("vic", "help"),
    ("vic", "link {code}"),
    ("maya", "invite vic"),
    ("vic", "join code:{code}"),
    ("uma", "link confirm:L3"),
    # leaving
    ("luis", "leave"),
    ("maya", "leave"),
    ("maya", "leave to:3"),
    ("maya", "leave to:1"),
    ("noor", "admin members lead 3"),
    ("luis", "leave sure:yes"),
    ("maya", "intro slot 1"),
    ("noor", "admin members restore 3"),
    ("luis", "join bogota ask:yes"),
    ("noor", "admit R6 yes"),
    ("uma", "link"),
    ("una", "help"),
    ("una", "link {code}"),
    ("uma", "link confirm:L4"),
    ("noor", "admin members lead 8"),
    ("ben", "profile listed:yes"),
    ("uma", "leave to:1"),
    ("uma", "leave to:1 sure:yes"),
    ("ada", "leave"),
    *(("maya", "invite somebody") for _ in range(20)),
    ("maya", "leave to:rob"),
    ("maya", "leave to:rob sure:yes"),
)


async def run_joining_talk(hub: Hub, language: str) -> list[Reply]:
    """Every answer, and every card that was owed to somebody who reads this language."""
    replies: list[Reply] = []
    code = ""
    async with transaction(hub.engine) as session:
        before = {
            name: await session.scalar(select(func.max(kind.id))) or 0
            for name, kind in (("R", JoinRequest), ("I", Invitation), ("L", Link))
        }
    for who, words in TALK:
        if who in ("sam", "ada") and language != "en":
            continue  # they read English, whatever their chat speaks
        said = NUMBER.sub(lambda m: str(before[m[1]] + int(m[2])), words)
        said = said.format(language=language, code=code)
        reply = await hub(Request(sender(who, language), said))
        if found := CODE.findall(plain(reply)):
            code = found[-1]
        replies.append(reply)
        await mark_delivered(hub.engine)
    replies += [
        await hub(Request(sender("xxx", language, is_outsider=True), words))
        for words in ("join", "link")
    ]
    async with transaction(hub.engine) as session:
        owed = select(Delivery.body).where(Delivery.language == language, Delivery.body != "")
        replies += [load_card(body) for body in await session.scalars(owed)]
    return replies
