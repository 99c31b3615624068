"""Adding the bot to a workspace of the loopback Slack, from the install page to the token."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from slack_bolt.async_app import AsyncApp
from slack_bolt.oauth.async_oauth_settings import AsyncOAuthSettings
from slack_sdk.oauth.installation_store.async_installation_store import AsyncInstallationStore
from slack_sdk.oauth.installation_store.models.installation import Installation
from slack_sdk.oauth.state_store.async_state_store import AsyncOAuthStateStore
from slack_sdk.web.async_client import AsyncWebClient

from tests.platforms.slack import LoopbackSlack, User
from tests.platforms.slack_bot import refused, serving


@pytest.fixture
async def slack() -> AsyncIterator[LoopbackSlack]:
    async with LoopbackSlack() as loopback:
        yield loopback


@pytest.fixture
def ana(slack: LoopbackSlack) -> User:
    return slack.add_user(slack.team, "ana", tz="America/Bogota", locale="es-LA")


@pytest.fixture
def client(slack: LoopbackSlack) -> AsyncWebClient:
    return AsyncWebClient(slack.bot_token, base_url=slack.api_url, retry_handlers=[])


class Memory(AsyncInstallationStore, AsyncOAuthStateStore):
    """Installations and states in two lists."""

    def __init__(self) -> None:
        self.kept: list[Installation] = []
        self.states: list[str] = []

    async def async_save(self, installation: Installation) -> None:
        self.kept.append(installation)

    async def async_issue(self, *_: Any, **__: Any) -> str:
        self.states.append(f"state-{len(self.states)}")
        return self.states[-1]

    async def async_consume(self, state: str) -> bool:
        known = state in self.states
        self.states = [kept for kept in self.states if kept != state]
        return known


@pytest.fixture
async def installable(slack: LoopbackSlack) -> AsyncIterator[Memory]:
    """A Bolt app with an install page, served on loopback."""
    memory = Memory()
    settings = AsyncOAuthSettings(
        client_id=slack.client_id,
        client_secret=slack.client_secret,
        scopes=["chat:write", "commands"],
        authorization_url=slack.authorize_url,
        installation_store=memory,
        state_store=memory,
    )
    app = AsyncApp(
        client=AsyncWebClient(base_url=slack.api_url, retry_handlers=[]),
        signing_secret=slack.signing_secret,
        oauth_settings=settings,
    )
    async with serving(slack, app.web_app("/slack/events")):
        yield memory


@pytest.mark.filterwarnings("ignore:BasicAuth is deprecated")  # slack_sdk's own use of it
class TestInstall:
    """From the install page to a token of the right workspace."""

    async def test_a_workspace_adds_the_bot(
        self, slack: LoopbackSlack, installable: Memory
    ) -> None:
        """The token belongs to that workspace and has the scopes that were asked for."""
        boston = slack.add_team("Boston", installed=False)
        done = await slack.install(boston, f"{slack.bot_url}/slack/install")
        assert (done.status, done.asked["scope"]) == (200, "chat:write,commands")
        [kept] = installable.kept
        assert (kept.team_id, kept.bot_token) == (boston.id, boston.bot_token)
        assert slack.grants[boston.bot_token or ""].scopes == {"chat:write", "commands"}

    async def test_a_whole_organisation_adds_the_bot(
        self, slack: LoopbackSlack, installable: Memory
    ) -> None:
        """An org-wide install has no team; its one token acts in the team that is named."""
        state = slack.add_team("State", enterprise="E1", installed=False)
        city = slack.add_team("City", enterprise="E1", installed=False)
        square = slack.add_channel(city, "square")
        await slack.install(state, f"{slack.bot_url}/slack/install", org=True)
        [kept] = installable.kept
        assert (kept.is_enterprise_install, kept.enterprise_id, kept.team_id) == (True, "E1", None)
        client = AsyncWebClient(kept.bot_token, base_url=slack.api_url, retry_handlers=[])
        await client.chat_postMessage(channel=square.id, text="x")
        assert slack.posts[0].team is city

    async def test_a_forged_state_a_lost_cookie_and_a_refusal_install_nothing(
        self, slack: LoopbackSlack, installable: Memory
    ) -> None:
        """The bot's own checks decide; the loopback only walks the way."""
        boston, page = slack.add_team("Boston", installed=False), f"{slack.bot_url}/slack/install"
        assert (await slack.install(boston, page, state="forged")).status == 400
        assert (await slack.install(boston, page, cookies=False)).status == 400
        await slack.install(boston, page, denied=True)
        assert (installable.kept, boston.bot_token) == ([], None)

    async def test_a_code_is_good_once(
        self, slack: LoopbackSlack, client: AsyncWebClient, ana: User
    ) -> None:
        """Replayed, unknown and wrongly signed exchanges fail."""
        code = slack.web.issue_code(ana, frozenset({"chat:write"}), None).value

        async def exchange(secret: str, value: str) -> Any:
            return await client.oauth_v2_access(
                client_id=slack.client_id, client_secret=secret, code=value
            )

        assert await refused(exchange("wrong", code)) == "bad_client_secret"
        assert (await exchange(slack.client_secret, code))["team"]["id"] == slack.team.id
        assert await refused(exchange(slack.client_secret, code)) == "code_already_used"
        assert await refused(exchange(slack.client_secret, "other")) == "invalid_code"
