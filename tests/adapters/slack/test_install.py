"""Adding the bot to workspaces, and what becomes of it when it is taken out again."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import permutations
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncEngine
from yarl import URL

from bot.adapters.base import DeliveryError, Destination
from bot.adapters.slack.listen import SlackAdapter
from bot.adapters.slack.manifest import SCOPES
from bot.adapters.slack.tokens import TokenStore
from bot.cards import Card
from db.base import transaction
from db.installations import DecryptedInstallation, Installation, Installations, UnreadableError
from tests.adapters.slack.conftest import Clock, ToldHub, adapter_of
from tests.platforms.slack import LoopbackSlack, User

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HELLO = Card("Hello")


@pytest.fixture
def store(engine: AsyncEngine) -> Installations:
    return Installations(engine, ["first key"])


@asynccontextmanager
async def many(
    slack: LoopbackSlack, hub: ToldHub, store: TokenStore, **how: Any
) -> AsyncIterator[SlackAdapter]:
    """The adapter as one that serves many workspaces."""
    keys = {"client_id": slack.client_id, "client_secret": slack.client_secret, "store": store}
    settings = {"bot_token": "", "public_url": "https://hub.example", **keys}
    async with adapter_of(slack, hub, **{**settings, **how}) as adapter:
        yield adapter


def all_bytes(folder: Path) -> bytes:
    """Everything a thief of the disk would read."""
    return b"".join(file.read_bytes() for file in folder.iterdir())


async def start(slack: LoopbackSlack) -> str:
    """Where the install page is."""
    return slack.bot_url + "/slack/install"


class TestInstalling:
    """From the page to the token."""

    async def test_a_workspace_adds_the_bot_and_is_answered(
        self, slack: LoopbackSlack, hub: ToldHub, store: Installations
    ) -> None:
        """One click, Slack's page, and the bot speaks there."""
        team = slack.add_team("Recife", installed=False)
        bia = slack.add_user(team, "bia")
        async with many(slack, hub, store):
            done = await slack.install(team, await start(slack), user=bia)
            await slack.dm(bia, "help")

        assert (done.status, "Recife" in done.body) == (200, True)
        assert done.asked["scope"].split(",") == list(SCOPES)
        assert done.asked["redirect_uri"] == "https://hub.example/slack/oauth_redirect"
        assert hub.asked[0].sender.workspace == team.id
        assert slack.posts[-1].user == team.bot_user
        assert slack.violations == []

    async def test_the_page_speaks_the_readers_language(
        self, slack: LoopbackSlack, hub: ToldHub, store: Installations
    ) -> None:
        """And tells a browser to keep nothing, run nothing and say nothing to others."""
        async with (
            many(slack, hub, store),
            aiohttp.ClientSession() as browser,
            browser.get(
                slack.bot_url + "/slack/oauth_redirect", headers={"Accept-Language": "es-MX"}
            ) as page,
        ):
            assert 'lang="es"' in await page.text()
            assert page.headers["Cache-Control"] == "no-store"
            assert page.headers["Content-Security-Policy"].startswith("default-src 'none'")

    async def test_a_whole_organisation_adds_the_bot(
        self, slack: LoopbackSlack, hub: ToldHub, store: Installations
    ) -> None:
        """One token for all its workspaces; a worker finds it by the workspace alone."""
        team = slack.add_team("Dept", enterprise="E1", installed=False)
        ana = slack.add_user(team, "ana")
        async with many(slack, hub, store) as adapter:
            await slack.install(team, await start(slack), user=ana, org=True)
            with pytest.raises(DeliveryError):
                await adapter.post(Destination("slack", team.id, user=ana.id), HELLO, "en", "")
            await slack.dm(ana, "help")
            await adapter.post(Destination("slack", team.id, user=ana.id), HELLO, "en", "")

        assert "Hello" in slack.posts[-1].readable

    @pytest.mark.parametrize(
        "choices",
        [
            {"cookies": False},
            {"state": "forged"},
            {"state": "a.b.c"},
            {"state": "é.1.x"},
            {"state": ""},
        ],
    )
    async def test_a_state_that_is_not_this_browsers_is_refused(
        self, slack: LoopbackSlack, hub: ToldHub, store: Installations, choices: dict[str, Any]
    ) -> None:
        """No cookie, or another state: nothing is exchanged."""
        async with many(slack, hub, store):
            done = await slack.install(slack.team, await start(slack), **choices)

        assert done.status == 400
        assert "/slack/install" in done.body
        assert slack.called("oauth.v2.access") == []

    async def test_declining_is_no_error(
        self, slack: LoopbackSlack, hub: ToldHub, store: Installations
    ) -> None:
        """Somebody thought better of it."""
        async with many(slack, hub, store):
            done = await slack.install(slack.team, await start(slack), denied=True)

        assert (done.status, "not added" in done.body) == (400, True)

    async def test_a_state_is_good_once_and_for_ten_minutes(
        self, slack: LoopbackSlack, hub: ToldHub, store: Installations
    ) -> None:
        """The way back cannot be walked twice, nor a quarter of an hour later."""
        clock = Clock()
        jar = aiohttp.CookieJar(unsafe=True, treat_as_secure_origin=None)
        async with (
            many(slack, hub, store, clock=clock, public_url="http://hub.example"),
            aiohttp.ClientSession(cookie_jar=jar) as browser,
        ):
            statuses = []
            for skipped, times in ((0, 2), (601, 1)):
                clock.skipped = 0
                async with browser.get(await start(slack), allow_redirects=False) as away:
                    state = URL(away.headers["Location"]).query["state"]
                    cookie = {"slack_install": state}
                clock.skipped = skipped
                back = URL(slack.bot_url + "/slack/oauth_redirect")
                for _ in range(times):
                    query = {"state": state, "code": "x"}
                    async with browser.get(back.with_query(query), cookies=cookie) as page:
                        statuses.append(page.status)

        assert statuses == [502, 400, 400]

    @pytest.mark.parametrize("query", ["code=a&code=b", f"code={'x' * 501}", "code="])
    async def test_odd_codes_are_not_exchanged(
        self, slack: LoopbackSlack, hub: ToldHub, store: Installations, query: str
    ) -> None:
        """Two codes, an endless one, none."""
        async with (
            many(slack, hub, store, public_url="http://hub.example"),
            aiohttp.ClientSession() as browser,
        ):
            async with browser.get(await start(slack), allow_redirects=False) as away:
                state = URL(away.headers["Location"]).query["state"]
            back = f"{slack.bot_url}/slack/oauth_redirect?state={state}&{query}"
            headers = {"Cookie": f"slack_install={state}"}
            async with browser.get(back, headers=headers) as page:
                assert page.status == 400

        assert slack.called("oauth.v2.access") == []

    @pytest.mark.parametrize(
        "answer",
        [
            {"error": "invalid_code"},
            {"ok": True, "error": ""},
            {"ok": True, "access_token": "xoxp-1", "token_type": "user", "team": {"id": "T1"}},
            {"ok": True, "access_token": "xoxb-1", "token_type": "bot", "team": None},
        ],
    )
    async def test_an_exchange_that_gives_no_bot_is_no_installation(
        self, slack: LoopbackSlack, hub: ToldHub, store: Installations, answer: dict[str, Any]
    ) -> None:
        """Slack refuses, or grants something else than a bot in a workspace."""
        slack.fault("oauth.v2.access", kind="error", **answer)
        async with many(slack, hub, store):
            done = await slack.install(slack.team, await start(slack))

        assert done.status == 502
        assert await store.find("", slack.team.id) is None


class TestRemoval:
    """Slack tells of a removal by two events, in any order, sometimes late."""

    @pytest.mark.parametrize(
        "order", [("app_uninstalled", "tokens_revoked"), ("tokens_revoked", "app_uninstalled")]
    )
    async def test_the_token_is_forgotten(
        self, slack: LoopbackSlack, hub: ToldHub, store: Installations, order: tuple[str, ...]
    ) -> None:
        """No further call is made with it, and the hub knows, once."""
        async with many(slack, hub, store) as adapter:
            await store.save("", slack.team.id, slack.bot_token, NOW)
            await slack.uninstall(slack.team, order=order)
            with pytest.raises(DeliveryError):
                await adapter.post(Destination("slack", slack.team.id, user="U1"), HELLO, "en", "")

        assert slack.calls == []
        assert hub.gone == [("slack", slack.team.id)]

    @pytest.mark.parametrize(
        "order", list(permutations(["app_uninstalled", "tokens_revoked", "back"]))
    )
    async def test_a_late_event_does_not_undo_a_new_installation(
        self, slack: LoopbackSlack, hub: ToldHub, store: Installations, order: tuple[str, ...]
    ) -> None:
        """Removed and back within one second: whatever the order, the new token stays."""
        at = datetime.now(UTC)
        async with many(slack, hub, store):
            slack.revoke(slack.team)
            for name in order:
                if name == "back":
                    await store.save("", slack.team.id, slack.grant(
                        slack.team, frozenset({"chat:write"})).token, at)  # fmt: skip
                else:
                    tokens = {"tokens": {"bot": [slack.team.bot_user]}}
                    await slack.event(slack.team, {"type": name, **tokens}, at=at.timestamp())

        found = await store.find("", slack.team.id)
        assert found
        assert found.token == slack.team.bot_token

    async def test_within_one_second_a_call_tells(
        self, slack: LoopbackSlack, hub: ToldHub, store: Installations
    ) -> None:
        """Installed and removed at once: the token does not work any more, so it goes."""
        at = datetime.now(UTC)
        async with many(slack, hub, store):
            await store.save("", slack.team.id, slack.bot_token, at)
            slack.revoke(slack.team)
            await slack.event(slack.team, {"type": "app_uninstalled"}, at=at.timestamp())

        assert await store.find("", slack.team.id) is None
        assert hub.gone == [("slack", slack.team.id)]

    async def test_an_older_event_is_ignored_without_a_call(
        self, slack: LoopbackSlack, hub: ToldHub, store: Installations
    ) -> None:
        """The clock alone says that it speaks of the installation before."""
        async with many(slack, hub, store):
            await store.save("", slack.team.id, slack.bot_token, NOW)
            before = (NOW - timedelta(seconds=5)).timestamp()
            await slack.event(slack.team, {"type": "app_uninstalled"}, at=before)

        assert (hub.gone, slack.calls) == ([], [])

    async def test_a_persons_own_token_is_none_of_ours(
        self, slack: LoopbackSlack, hub: ToldHub, store: Installations
    ) -> None:
        """Only the bot's token being revoked means removal."""
        async with many(slack, hub, store):
            await store.save("", slack.team.id, slack.bot_token, NOW)
            revoked = {"type": "tokens_revoked", "tokens": {"oauth": ["U1"], "bot": []}}
            await slack.event(slack.team, revoked)

        assert await store.find("", slack.team.id)

    async def test_a_token_nobody_can_read_is_not_used_and_can_be_removed(
        self, slack: LoopbackSlack, hub: ToldHub, engine: AsyncEngine, ana: User
    ) -> None:
        """The key was lost: events are ignored, a removal still removes."""
        await Installations(engine, ["lost"]).save("", slack.team.id, slack.bot_token, NOW)
        store = Installations(engine, ["another"])
        async with many(slack, hub, store):
            act = await slack.dm(ana, "help")
            await slack.event(slack.team, {"type": "app_uninstalled"})

        assert act.status == 200
        assert hub.asked == []
        assert await store.find("", slack.team.id) is None

    async def test_the_operators_own_workspace_needs_no_installation(
        self, slack: LoopbackSlack, hub: ToldHub, store: Installations, ana: User
    ) -> None:
        """With a token and an install page both, the token speaks in its own workspace alone."""
        other = slack.add_team("Recife", installed=False)
        bia = slack.add_user(other, "bia")
        async with many(slack, hub, store, bot_token=slack.bot_token):
            slack.fault("auth.test", kind="error")
            await slack.dm(bia, "help")
            await slack.dm(ana, "help")
            await slack.dm(bia, "help")

        assert [r.sender.user for r in hub.asked] == [ana.id]


@pytest.mark.both
class TestStore:
    """Tokens at rest."""

    async def test_tokens_lie_sealed_and_are_found_by_workspace(
        self, store: Installations, engine: AsyncEngine, tmp_path: Path
    ) -> None:
        """Nothing readable in the files, nor in what a log might show."""
        await store.save("E1", "T1", "xoxb-secret-token", NOW)
        found = await store.find("", "T1")

        assert found == DecryptedInstallation("E1", "T1", "xoxb-secret-token", NOW)
        assert "xoxb" not in repr(found)
        assert b"xoxb" not in all_bytes(tmp_path)

    async def test_a_workspace_has_one_token(self, store: Installations) -> None:
        """The newest, whatever organisation it joined meanwhile."""
        await store.save("", "T1", "xoxb-old", NOW)
        await store.save("E1", "T1", "xoxb-new", NOW)

        found = await store.find("E1", "T1")
        assert found
        assert found.token == "xoxb-new"

    async def test_an_organisations_token_serves_its_workspaces(self, store: Installations) -> None:
        """Unless a workspace has its own; removed, all of them go."""
        await store.save("E1", "", "xoxb-all", NOW)
        await store.save("E1", "T1", "xoxb-own", NOW)
        tokens = [f and f.token for f in [await store.find("E1", t) for t in ("T1", "T2")]]
        await store.delete("E1", "")

        assert tokens == ["xoxb-own", "xoxb-all"]
        assert await store.find("E1", "T1") is None
        assert await store.find("E2", "T2") is None

    async def test_a_row_moved_to_another_workspace_does_not_open(
        self, store: Installations, engine: AsyncEngine
    ) -> None:
        """Who can write into the database cannot make one city speak as another."""
        await store.save("", "T1", "xoxb-one", NOW)
        await store.save("", "T2", "xoxb-two", NOW)
        async with transaction(engine, writes=True) as session:
            sealed = select(Installation.sealed).where(Installation.team_id == "T1")
            stolen = await session.scalar(sealed)
            await session.execute(
                update(Installation).where(Installation.team_id == "T2").values(sealed=stolen)
            )

        with pytest.raises(UnreadableError):
            await store.find("", "T2")

    async def test_keys_are_changed_without_losing_a_token(
        self, store: Installations, engine: AsyncEngine
    ) -> None:
        """A new key in front, everything sealed anew, then the old one may go."""
        await store.save("", "T1", "xoxb-one", NOW)
        await Installations(engine, ["unknown"]).save("", "T2", "xoxb-two", NOW)
        both = Installations(engine, ["second key", "first key"])
        assert await both.find("", "T1")
        lost = await both.rotate()

        assert lost == 1
        found = await Installations(engine, ["second key"]).find("", "T1")
        assert found
        assert found.token == "xoxb-one"

    def test_without_a_key_there_is_no_store(self, engine: AsyncEngine) -> None:
        """Fail closed."""
        with pytest.raises(ValueError, match="key"):
            Installations(engine, [])
