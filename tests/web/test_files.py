"""A file of one workspace, opened by the other side of a conversation over real sockets."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from sqlalchemy.ext.asyncio import AsyncEngine
from yarl import URL

from bot.adapters.slack.client import Clients
from bot.adapters.slack.files import Files
from bot.adapters.slack.listen import SlackAdapter
from bot.adapters.slack.tokens import Tokens
from bot.community import blocking
from bot.community.relay.cards import MAX_FILE_SIZE
from bot.hub import Hub
from bot.links import Links, SharedFile
from bot.request import File, IncomingMessage, Sender
from bot.web import files
from db import members
from db.base import transaction
from tests.conftest import Clock
from tests.owed import load_member, update_member
from tests.platforms.slack import LoopbackSlack
from tests.platforms.slack_files import Upload
from tests.platforms.slack_world import User
from tests.talking import ConversationDriver

DATA = bytes(range(256)) * 1000
DATA_SIZE = len(DATA)


@dataclass
class Desk:
    """Maya writes on Slack, Luis reads on Discord; the hub stands between them."""

    talk: ConversationDriver
    number: int
    slack: LoopbackSlack
    maya: User
    client: "TestClient[web.Request, web.Application]"

    def upload(self, name: str = "plan ñ.pdf", data: bytes = DATA, kind: str = "") -> Upload:
        return self.slack.upload(self.maya, name, data, kind)

    async def send(self, given: Upload, size: int | None = None) -> str:
        """Send it in the conversation; what Luis sees of it."""
        sender = Sender("slack", self.slack.team.id, "maya", "maya", label="Slack")
        under = await self.talk.load_root_id("maya", self.number)
        size = len(given.data) if size is None else size
        await self.talk.hub.handle_message(
            IncomingMessage(
                sender, "written", f"w{given.id}", "D-maya", "see", parent=under, has_threads=True,
                files=(File(given.name, size, given.kind, id=given.id),), keys=(given.id,),
            )
        )  # fmt: skip
        await self.talk.deliver_due()
        return self.talk.list_screen("luis")[-1]

    async def open(self, seen: str) -> tuple[int, bytes, str]:
        """What the address in it answers: status, content, how it is to be treated."""
        address = re.search(r"/relay/file/[-\w=]+", seen)
        assert address, seen
        async with self.client.get(address[0]) as answer:
            told = answer.headers.get("Content-Disposition", "")
            return answer.status, await answer.read(), told


@pytest.fixture
async def desk(hub: Hub, engine: AsyncEngine, clock: Clock) -> AsyncIterator[Desk]:
    async with LoopbackSlack() as slack:
        talk = ConversationDriver(hub, engine, clock)
        await talk.create_accounts("maya", "luis")
        async with transaction(engine, writes=True) as session:
            maya = await talk.load_member(session, "maya")
            account = await members.get_or_create_account(
                session, "slack", slack.team.id, "maya", clock()
            )
            account.member = maya
        adapter = SlackAdapter(
            hub, signing_secret="s" * 32, bot_token=slack.bot_token, api_url=slack.api_url
        )
        site = web.Application()
        files.add_routes(site, engine, hub.links, [adapter], clock)
        async with TestClient(TestServer(site)) as client:
            number = await talk.open_conversation("maya", "luis")
            yield Desk(talk, number, slack, slack.add_user(slack.team, "Maya"), client)
        await adapter.close()


async def test_the_other_side_opens_what_was_sent(desk: Desk) -> None:
    """As a download under its own name; the hub keeps nothing of it."""
    status, data, told = await desk.open(await desk.send(desk.upload()))
    assert (status, data) == (200, DATA)
    assert told == "attachment; filename*=UTF-8''plan%20%C3%B1.pdf"


async def test_a_page_is_a_download_and_never_runs(desk: Desk) -> None:
    """Whatever its workspace calls it."""
    seen = await desk.send(desk.upload("x.html", b"<script>alert(1)</script>", "text/html"))
    address = re.search(r"/relay/file/[-\w=]+", seen)
    assert address
    async with desk.client.get(address[0]) as answer:
        assert answer.headers["Content-Type"] == "application/octet-stream"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Content-Security-Policy"].startswith("sandbox")


async def test_only_up_to_the_smaller_limit(desk: Desk) -> None:
    """A larger one has no address, and one that says it is smaller than it is has no content."""
    large = desk.upload(data=bytes(MAX_FILE_SIZE + 1))
    assert "/relay/file/" not in await desk.send(large)
    sly = desk.upload(data=bytes(MAX_FILE_SIZE + 1))
    assert (await desk.open(await desk.send(sly, size=5)))[0] == 404


@pytest.mark.parametrize("stated", [0, -1, -DATA_SIZE, True, "256000", 2**70])
async def test_a_file_of_no_size_has_no_address(desk: Desk, stated: object) -> None:
    """Nor does it open where the size was a good one when it was sent; its name is told."""
    given = desk.upload()
    seen = await desk.send(given)
    given.stated = stated
    assert (await desk.open(seen))[0] == 404
    if isinstance(stated, int) and stated < 1:
        seen = await desk.send(desk.upload("empty.txt", b""), size=int(stated))
        assert "empty.txt" in seen
        assert "/relay/file/" not in seen


@pytest.mark.parametrize("has_length", [True, False])
@pytest.mark.parametrize("stated", [DATA_SIZE - 1, DATA_SIZE + 1, 1, 2 * DATA_SIZE])
async def test_a_file_of_another_size_is_never_taken_for_the_whole(
    desk: Desk, stated: int, has_length: bool
) -> None:
    """Refused at the length that it begins with, else cut off before its last part."""
    given = desk.upload()
    given.stated, given.has_length = stated, has_length
    seen = await desk.send(given, size=stated)
    if has_length:
        assert (await desk.open(seen))[0] == 404
        return
    with pytest.raises((aiohttp.ClientPayloadError, aiohttp.ServerDisconnectedError)):
        await desk.open(seen)


async def test_no_more_is_read_of_a_file_that_is_too_long(desk: Desk) -> None:
    """The connection to where it comes from is closed, too."""
    given = desk.upload(data=bytes(MAX_FILE_SIZE))
    given.stated, given.has_length = 70_000, False
    with pytest.raises((aiohttp.ClientPayloadError, aiohttp.ServerDisconnectedError)):
        await desk.open(await desk.send(given, size=70_000))
    assert desk.slack.web.files.sent < MAX_FILE_SIZE


async def test_what_was_taken_back_opens_no_more(desk: Desk) -> None:
    """Nor what its workspace does not keep."""
    given = desk.upload()
    seen = await desk.send(given)
    gone = desk.talk.build_message("maya", "deleted", message=f"w{given.id}")
    await desk.talk.hub.handle_message(gone)
    assert (await desk.open(seen))[0] == 404
    other = desk.upload()
    seen = await desk.send(other)
    other.deleted = True
    assert (await desk.open(seen))[0] == 404


async def test_who_blocked_left_or_waited_too_long_opens_nothing(
    desk: Desk, engine: AsyncEngine, clock: Clock
) -> None:
    """The address alone is not enough."""
    seen = await desk.send(desk.upload())
    await update_member(engine, "maya", status="suspended")
    assert (await desk.open(seen))[0] == 404
    await update_member(engine, "maya", status="verified")
    assert (await desk.open(seen))[0] == 200
    clock.now += files.LINK_LIFETIME + timedelta(seconds=1)
    assert (await desk.open(seen))[0] == 404
    clock.now -= files.LINK_LIFETIME
    maya, luis = await load_member(engine, "maya"), await load_member(engine, "luis")
    async with transaction(engine, writes=True) as session:
        await blocking.block_member(session, clock(), luis, maya)
    assert (await desk.open(seen))[0] == 404


async def test_an_address_that_was_changed_is_none(desk: Desk) -> None:
    """Whatever its letters are."""
    seen = await desk.send(desk.upload())
    for bad in (seen.replace("/relay/file/g", "/relay/file/h"), "/relay/file/x", "/relay/file/é"):
        found = re.search(r"/relay/file/[^\s]+", bad)
        assert found
        async with desk.client.get(found[0]) as answer:
            assert answer.status == 404
    assert desk.slack.web.files.opened == []


async def test_without_the_right_to_read_files_it_says_so(desk: Desk) -> None:
    """An installation from before the hub asked for it; what Slack shows instead is no file."""
    seen = await desk.send(desk.upload())
    grant = desk.slack.grants[desk.slack.bot_token]
    grant.scopes = frozenset(grant.scopes - {"files:read"})
    status, said, _ = await desk.open(seen)
    assert (status, said.decode()) == (404, files.NOT_FOUND_TEXT)


def test_the_token_goes_to_slack_alone() -> None:
    """Wherever a file says that it is."""
    clients = Clients("https://slack.com/api/")
    known = Files(clients, Tokens(clients, "", None), "https://slack.com/api/")
    assert known._is_slack(URL("https://files.slack.com/files-pri/T1-F1/download/plan.pdf"))
    for bad in (
        "http://files.slack.com/x", "https://files.slack.com.evil.example/x", "", "/files/x",
        "https://evil.example/files.slack.com", "https://files.slack.com@evil.example/x",
        "https://evil.slack.com/x", "file:///etc/passwd", "https://127.0.0.1/x",
    ):  # fmt: skip
        assert not known._is_slack(URL(bad)), bad


def test_addresses_fit_a_button() -> None:
    """With the longest names of Slack's, and the clock of any key."""
    shared = SharedFile("slack:D012345678901:1700000000.123456", "slack", "T01234567890123",
                          "F01234567890123")  # fmt: skip
    address = Links(lambda: "https://hub.example.org").file_url(shared, Clock()())
    assert len(address) < 400
