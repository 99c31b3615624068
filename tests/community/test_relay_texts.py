"""What people write to each other stays itself: both directions, and the page.

The snapshot holds every text of `tests/texts.py` as it was typed and as it arrives. It was read by
eye; read what changes in it too.
"""

from typing import Any

from syrupy.assertion import SnapshotAssertion

from bot.adapters.discord import hearing as on_discord
from bot.adapters.discord import render as to_discord
from bot.adapters.playground.markdown import markdown_spans
from bot.adapters.playground.mrkdwn import rich_spans
from bot.adapters.playground.spans import Reader, Span, message_spans
from bot.adapters.slack import hearing as on_slack
from bot.adapters.slack import render as to_slack
from bot.cards import Card
from bot.community.relay.copies import render_copy
from bot.community.relay.threads import ConversationView
from bot.i18n import translator
from bot.request import IncomingMessage, Sender
from db.members import Member
from tests.platforms import discord, slack_limits
from tests.platforms.slack_payloads import sent_text, typed_blocks
from tests.texts import ON_DISCORD, ON_SLACK, TYPED

T = translator("en")
MAYA = Member(name="Maya Chen", language="en", zone="America/New_York", city=None)
LUIS = Member(name="Luis Rojas", language="en", zone="America/Bogota", city=None)
NOTHING = "(nothing is passed on)"
READER = Reader("en", "America/New_York")


def copy_of(heard: IncomingMessage, writer: Member, reader: Member) -> Card | None:
    """The card that the other side gets."""
    view = ConversationView(None, None, None, writer, reader, T)  # type: ignore[arg-type] # only the two people matter
    return render_copy(view, heard).card


def from_slack(raw: str, blocks: list[dict[str, Any]]) -> Card | None:
    """The card for the reader on Discord."""
    event = {"type": "message", "channel_type": "im", "channel": "D1", "user": "U1", "ts": "1.0",
             "text": raw, "blocks": blocks}  # fmt: skip
    found = on_slack.parse_event({"event_id": "Ev1", "team_id": "T1", "event": event})
    assert found
    heard = found.to_incoming_message(Sender("slack", "T1", "U1", label="Slack"), {"U2": "Ben Ito"})
    return copy_of(heard, MAYA, LUIS)


def from_discord(raw: str) -> Card | None:
    """The card for the reader on Slack."""
    text = on_discord.readable_text(raw, {"234567890123456789": "Ana Díaz"})
    sender = Sender("discord", "G1", "1", label="Discord")
    return copy_of(IncomingMessage(sender, "written", "1", "2", text), LUIS, MAYA)


def on_the_page(spans: list[Span]) -> str:
    """What the page draws, with its tags."""
    return "".join(
        f"<{s.tag}{f' {s.href}' if s.href else ''}>{on_the_page(list(s.inside))}</{s.tag}>"
        if s.inside
        else "\n" if s.tag == "br" else s.text
        for s in spans
    )  # fmt: skip


def rich_words(block: dict[str, Any]) -> str:
    """A rich text as people see it: links in ⟦⟧, code in ‹›, blocks of code between lines."""
    return "".join(_rich_part(part) for part in block["elements"])


def _rich_part(part: dict[str, Any]) -> str:
    said = "".join(_rich_run(run) for run in part["elements"])
    return f"\n‹‹\n{said}\n››\n" if part["type"] == "rich_text_preformatted" else said


def _rich_run(run: dict[str, Any]) -> str:
    if run["type"] == "link":
        shown = f"{run['text']} → " if "text" in run else ""
        return f"⟦{shown}{run['url']}⟧"
    assert set(run) <= {"type", "text", "style"}, run
    return f"‹{run['text']}›" if run.get("style") else str(run["text"])


def told(purpose: str, typed: str, **seen: str) -> str:
    """One text of the snapshot."""
    shown = {"typed": typed, **seen}
    lines = [
        f"{name}: {text!r}" if "\t" in text else f"{name}: {text}" for name, text in shown.items()
    ]
    return "\n".join([f"--- {purpose}", *lines])


def test_there_are_enough_of_them() -> None:
    """Each is for something else."""
    purposes = [purpose for purpose, _ in (*TYPED, *ON_SLACK, *ON_DISCORD)]
    assert len(purposes) >= 150
    assert len({(purpose, text) for purpose, text in (*TYPED, *ON_SLACK, *ON_DISCORD)}) == len(
        purposes
    )


def test_from_slack_to_discord(snapshot: SnapshotAssertion) -> None:
    """As Discord gets it, and as the page draws that."""
    shown = []
    typed = [(p, text, sent_text(text), typed_blocks(text)) for p, text in TYPED]
    for purpose, text, raw, blocks in [*typed, *((p, raw, raw, []) for p, raw in ON_SLACK)]:
        card = from_slack(raw, blocks)
        if card is None:
            shown.append(told(purpose, text, discord=NOTHING))
            continue
        payload = to_discord.message(card, T)
        assert discord.problems_of_message(payload) == []
        assert (
            discord.mentions_of(
                {**payload, "allowed_mentions": {"parse": ["users", "roles", "everyone"]}}
            )
            == []
        )
        _, content = (part["content"] for part in payload["components"][0]["components"])
        page = on_the_page(markdown_spans(content, READER))
        shown.append(told(purpose, text, discord=content, page=page))
    assert "\n\n".join(shown) == snapshot


def test_from_discord_to_slack(snapshot: SnapshotAssertion) -> None:
    """As Slack gets it, and as the page draws that."""
    shown = []
    for purpose, text in (*TYPED, *ON_DISCORD):
        card = from_discord(text)
        if card is None:
            shown.append(told(purpose, text, slack=NOTHING))
            continue
        payload = to_slack.message(card, T)
        assert slack_limits.problems_of_message(payload) == []
        _, block = payload["blocks"]
        page = on_the_page(rich_spans(block["elements"], READER))
        shown.append(told(purpose, text, slack=rich_words(block), page=page))
    assert "\n\n".join(shown) == snapshot


def test_on_the_page(snapshot: SnapshotAssertion) -> None:
    """As its writer sees it there."""
    shown = [told(p, text, page=on_the_page(message_spans(text))) for p, text in TYPED]
    assert "\n\n".join(shown) == snapshot
