"""Requests that are not Slack's, or not of this moment, or not of a shape it sends."""

import asyncio
import gzip
import io
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import aiohttp
import pytest

from bot.adapters.slack import guard
from bot.adapters.slack.guard import Guard
from tests.adapters.slack.conftest import Clock, ToldHub, adapter_of
from tests.platforms.slack import LoopbackSlack, sign

JSON, FORM = "application/json", "application/x-www-form-urlencoded"


@dataclass
class Door:
    """The bot's address, and somebody who knocks at it."""

    url: str
    secret: str
    clock: Clock
    session: aiohttp.ClientSession = field(repr=False)

    async def knock(
        self, body: Any, kind: str = JSON, headers: dict[str, str] | None = None, **how: Any
    ) -> int:
        """The status of one request; `headers` replace those of a true signature."""
        signed = sign(body, how.pop("at", time.time()), self.secret) if headers is None else headers
        async with self.session.post(
            self.url, data=body, headers={"Content-Type": kind, **signed, **how}
        ) as answer:
            return answer.status


@pytest.fixture
async def door(slack: LoopbackSlack, hub: ToldHub) -> AsyncIterator[Door]:
    clock = Clock()
    async with (
        adapter_of(slack, hub, clock=clock, patience=0.3),
        aiohttp.ClientSession() as session,
    ):
        yield Door(slack.bot_url + "/slack/events", slack.signing_secret, clock, session)


BODY = json.dumps({"type": "event_callback"}).encode()
NOW = str(int(time.time()))


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Slack-Request-Timestamp": NOW},
        {"X-Slack-Signature": "v0=00"},
        *(
            {"X-Slack-Request-Timestamp": said, "X-Slack-Signature": "v0=" + "0" * 64}
            for said in ("abc", "", "1.0", "-1", "1" + "0" * 30, "٣٣٣", NOW)
        ),
        {"X-Slack-Request-Timestamp": NOW, "X-Slack-Signature": "v0=é"},
        {"X-Slack-Request-Timestamp": NOW, "X-Slack-Signature": ""},
        sign(BODY, time.time() - 301, "loopback-signing-secret"),
        sign(BODY, time.time() + 86400, "loopback-signing-secret"),
        sign(BODY, time.time(), "another-signing-secret"),
        sign(BODY + b" ", time.time(), "loopback-signing-secret"),
        sign(BODY, "0", "loopback-signing-secret"),
    ],
)
async def test_what_slack_did_not_sign_just_now_is_unauthorised(
    door: Door, hub: ToldHub, headers: dict[str, str]
) -> None:
    """Missing, odd, stale, foreign or broken signatures: 401, and nobody hears of it."""
    assert await door.knock(BODY, headers=headers) == 401
    assert hub.asked == []


DEEP = b"[" * 100_000


@pytest.mark.parametrize(
    ("body", "content"),
    [
        *((body, JSON) for body in (b"{", b"[]", b"null", b'"x"', b"", b"\xff\xfe{", b"5")),
        (DEEP, JSON),
        (b'{"a":' * 65 + b"1" + b"}" * 65, JSON),
        (b'{"type": "a", "type": "b"}', JSON),
        (b'{"type": NaN}', JSON),
        (b'{"n": ' + b"1" * 5000 + b"}", JSON),
        (b"payload=%7B", FORM),
        (b"payload=[]", FORM),
        (b"payload=%FF", FORM),
        (b"payload=" + DEEP, FORM),
        (b"payload={}&payload={}", FORM),
        (b"command=/wwc&command=/wwc", FORM),
        (b"a=1&" * 200 + b"a=1", FORM),
        (b"nothing", FORM),
        (b"", FORM),
        (b'{"type": "event_callback"}', FORM),
        (b'{"type": "block_actions", "team": 5}', JSON),
        (b'{"type": "event_callback", "authorizations": [5]}', JSON),
    ],
)
@pytest.mark.timeout(10)  # parsing must not grow with the depth; 120 seconds would hide it
async def test_what_slack_never_sends_is_a_bad_request(
    door: Door, hub: ToldHub, body: bytes, content: str
) -> None:
    """Signed, but no JSON object, too deep, said twice: 400."""
    assert await door.knock(body, content) == 400
    assert hub.asked == []


def event(**more: Any) -> bytes:
    """An event as Slack wraps it, with something odd."""
    return json.dumps(
        {"type": "event_callback", "event_id": "Ev1", "team_id": "T1", **more}
    ).encode()


def interaction(**more: Any) -> bytes:
    """An interaction as Slack sends it, with something odd."""
    return urlencode({"payload": json.dumps({"team": {"id": "T1"}, **more})}).encode()


@pytest.mark.parametrize(
    ("body", "content"),
    [
        *(
            (body, JSON)
            for body in (
                event(event=None),
                event(event={}),
                event(event=[]),
                event(event={"type": 5}),
                event(event={"type": "unheard_of"}),
                event(event={"type": "message", "channel_type": "im"}, team_id=None),
                event(event={"type": "app_mention", "user": {"id": 5}, "text": 5}),
                event(event={"type": "message", "channel_type": "im", "user": "U1"}, event_id=5),
                event(event={"type": "tokens_revoked", "tokens": 5}),
                b'{"type": "unheard_of", "more": [1, 2]}',
                b"{}",
            )
        ),
        *(
            (body, FORM)
            for body in (
                b"command=/wwc",
                b"ssl_check=1&token=x",
                interaction(type="unheard_of"),
                interaction(type="block_actions", user={"id": "U1"}, actions=[]),
                interaction(type="block_actions", user={"id": "U1"}, actions=[{"action_id": "x"}]),
                interaction(type="block_actions", user=None, actions=[{"action_id": "say:1"}]),
                interaction(
                    type="block_actions",
                    actions=[{"action_id": "say:1", "type": "button", "block_id": "b"}],
                ),
                interaction(type="view_submission", view={"callback_id": "form", "state": None}),
                interaction(type="view_submission", view={"callback_id": "other"}),
                interaction(type="block_suggestion", action_id="answer", value=5),
                interaction(type="view_closed", view={}),
                interaction(type="shortcut", callback_id="x"),
            )
        ),
    ],
)
async def test_what_is_odd_but_signed_is_ignored(
    door: Door, hub: ToldHub, body: bytes, content: str
) -> None:
    """Slack grows: what is not known is taken and left, so that it does not switch us off."""
    assert await door.knock(body, content) == 200
    assert hub.asked == []


async def test_slack_may_check_the_address(door: Door) -> None:
    """The challenge comes back."""
    body = json.dumps({"type": "url_verification", "challenge": "c0ffee"}).encode()
    headers = {"Content-Type": JSON, **sign(body, time.time(), door.secret)}
    async with door.session.post(door.url, data=body, headers=headers) as answer:
        assert (answer.status, await answer.json()) == (200, {"challenge": "c0ffee"})


async def test_a_body_too_large_is_not_read(door: Door) -> None:
    """Ten megabytes, said beforehand, found on the way, or packed small."""

    async def parts() -> AsyncIterator[bytes]:
        for _ in range(30):
            yield b"x" * 65_536

    packed = gzip.compress(b"x" * (10 * 1024 * 1024))

    assert await door.knock(io.BytesIO(b"x" * (10 * 1024 * 1024)), headers={}) == 413
    assert await door.knock(parts(), headers={}) == 413
    assert await door.knock(packed, headers={"Content-Encoding": "gzip"}) == 413


async def test_a_body_that_never_ends_is_not_waited_for(door: Door) -> None:
    """A slow drip ends after a while."""

    async def drip() -> AsyncIterator[bytes]:
        yield b"x"
        await asyncio.sleep(1)
        yield b"x"

    assert await door.knock(drip(), headers={}) == 408


async def test_a_body_that_is_not_what_it_says_is_refused(door: Door) -> None:
    """Said to be packed, and is not."""
    assert await door.knock(b"not packed", headers={"Content-Encoding": "gzip"}) == 400


async def test_a_request_heard_by_others_cannot_be_sent_again(
    door: Door, hub: ToldHub, slack: LoopbackSlack
) -> None:
    """A command with its signature is good once."""
    body = urlencode({"command": "/wwc", "text": "help", "team_id": "T1", "user_id": "U1"}).encode()
    signed = sign(body, time.time(), door.secret)

    assert await door.knock(body, FORM, headers=signed) == 200
    assert await door.knock(body, FORM, headers=signed) == 401
    assert len(hub.asked) == 1


async def test_only_what_could_come_again_is_remembered(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The memory of signatures is bounded in time and number."""
    monkeypatch.setattr(guard, "MAX_SIGNATURES", 2)
    for number in range(5):
        assert await door.knock(f"n={number}".encode(), FORM) == 200
    door.clock.skipped = 700
    assert await door.knock(b"n=9", FORM, at=time.time() + 700) == 200


async def test_nothing_else_is_served(door: Door, slack: LoopbackSlack) -> None:
    """No other method, no install pages where nothing can be installed."""
    async with door.session.get(door.url) as answer:
        assert answer.status == 405
    async with door.session.get(slack.bot_url + "/slack/install") as answer:
        assert answer.status == 404


async def test_without_a_secret_there_is_no_door(slack: LoopbackSlack, hub: ToldHub) -> None:
    """Fail closed: an empty secret serves nothing and cannot make a guard."""
    with pytest.raises(ValueError, match="secret"):
        Guard("", time.time)
    async with (
        adapter_of(slack, hub, signing_secret="") as adapter,
        aiohttp.ClientSession() as session,
        session.post(slack.bot_url + "/slack/events", data=b"") as answer,
    ):
        assert answer.status == 404
        assert not adapter.is_ready()
