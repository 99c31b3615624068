"""Who is asking: names, languages and homes of people, asked of Slack and kept for an hour."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import structlog

from bot.adapters.slack.client import FAILURES, Clients, reason
from bot.adapters.slack.payloads import Visitor, part, text
from bot.adapters.slack.tokens import Tokens
from bot.hub import Hub
from bot.i18n import Translator, language_of, translator
from bot.request import Sender

log = structlog.get_logger()

PLATFORM, LABEL = "slack", "Slack"
KEPT, KEPT_AFTER_FAILURE, LANGUAGE_KEPT = 3600.0, 60.0, 30.0
MOST = 5000
Value = TypeVar("Value")


class Kept(Generic[Value]):
    """Values that stay for a while, the longest unused going first when there are too many."""

    def __init__(self, clock: Callable[[], float], most: int = MOST) -> None:
        self._clock = clock
        self._most = most
        self._values: OrderedDict[tuple[str, str], tuple[Value, float]] = OrderedDict()

    def get(self, key: tuple[str, str], *, stale: bool = False) -> Value | None:
        """What is kept under the key, if its time is not over."""
        value, until = self._values.get(key, (None, 0.0))
        if value is None or not (stale or self._clock() < until):
            return None
        self._values.move_to_end(key)
        return value

    def put(self, key: tuple[str, str], value: Value, seconds: float) -> None:
        """Keep it."""
        self._values[key] = (value, self._clock() + seconds)
        self._values.move_to_end(key)
        if len(self._values) > self._most:
            self._values.popitem(last=False)


@dataclass(frozen=True)
class Facts:
    """What Slack says of a user. `foreign`: a guest, somebody of another company, or a bot.

    `email`: only an address that Slack itself saw confirmed.
    """

    name: str = ""
    locale: str = ""
    zone: str = ""
    home: str = ""
    enterprise: str = ""
    foreign: bool = False
    email: str = ""


class People:
    """Makes senders of visitors, and knows which language they read."""

    def __init__(
        self,
        hub: Hub,
        clients: Clients,
        tokens: Tokens,
        clock: Callable[[], float],
        *,
        within: float,
    ) -> None:
        self._hub = hub
        self._clients = clients
        self._tokens = tokens
        self._facts: Kept[Facts] = Kept(clock)
        self._languages: Kept[str] = Kept(clock)
        self._within = within  # a question about somebody may delay the answer to them so long
        self._asking: set[asyncio.Task[Facts]] = set()

    async def sender(self, visitor: Visitor) -> Sender:
        """The account as the hub wants it; unknown facts are left out, never waited for."""
        facts = await self._known(visitor)
        home = visitor.home or facts.home
        elsewhere = bool(home) and home != visitor.team
        # workspaces of one organisation share their people
        related = bool(visitor.enterprise) and facts.enterprise == visitor.enterprise
        stranger = visitor.bot or facts.foreign or (elsewhere and not related)
        return Sender(
            platform=PLATFORM,
            workspace=home if elsewhere and not related else visitor.team,
            user=visitor.user,
            name=facts.name or visitor.name,
            locale=facts.locale,
            zone=facts.zone,
            is_outsider=stranger,
            is_unverified=facts == Facts(),
            can_open_group_chat=True,
            email=facts.email,
            label=LABEL,
        )

    async def translator(self, sender: Sender) -> Translator:
        """What says the adapter's own sentences in the language the person reads."""
        key = sender.workspace, sender.user
        language = self._languages.get(key)
        if language is None:
            try:
                language = await self._hub.language(sender)
            except Exception as error:  # a broken database must not cost the answer
                log.error("language unknown", error=type(error).__name__)
                language = language_of(sender.locale)
            self._languages.put(key, language, LANGUAGE_KEPT)
        return translator(language)

    def guess(self, visitor: Visitor) -> Translator:
        """The same from memory alone, for «one moment»."""
        key = visitor.team, visitor.user
        facts = self._facts.get(key, stale=True) or Facts()
        return translator(self._languages.get(key, stale=True) or language_of(facts.locale))

    async def close(self) -> None:
        """Let no question run on."""
        for task in tuple(self._asking):
            task.cancel()
        await asyncio.gather(*self._asking, return_exceptions=True)

    async def _known(self, visitor: Visitor) -> Facts:
        key = visitor.team, visitor.user
        facts = self._facts.get(key)
        if facts is not None:
            return facts
        task = asyncio.ensure_future(self._asked(visitor, key))
        self._asking.add(task)
        task.add_done_callback(self._asking.discard)
        done, _ = await asyncio.wait({task}, timeout=self._within)
        return task.result() if done else self._facts.get(key, stale=True) or Facts()

    async def _asked(self, visitor: Visitor, key: tuple[str, str]) -> Facts:
        """Ask Slack; what fails leaves the last known facts in place for a minute."""
        try:
            token = await self._tokens.of(visitor.enterprise, visitor.team)
            if token is None:
                return Facts()
            client = self._clients.of(token)
            answer = await client.users_info(user=visitor.user, include_locale=True)
            facts, seconds = facts_of(answer.get("user")), KEPT
        except FAILURES as error:
            log.info("person unknown", reason=reason(error))
            facts, seconds = self._facts.get(key, stale=True) or Facts(), KEPT_AFTER_FAILURE
        self._facts.put(key, facts, seconds)
        return facts


def facts_of(user: Any) -> Facts:
    """The answer of users.info."""
    user = user if isinstance(user, dict) else {}
    profile, company = part(user, "profile"), part(user, "enterprise_user")
    guest = ("is_restricted", "is_ultra_restricted", "is_stranger", "is_bot", "deleted")
    return Facts(
        name=text(profile.get("display_name")) or text(user.get("real_name")),
        locale=text(user.get("locale")),
        zone=text(user.get("tz")),
        home=text(user.get("team_id")),
        enterprise=text(company.get("enterprise_id")),
        foreign=any(user.get(mark) is True for mark in guest),
        email=text(profile.get("email")) if user.get("is_email_confirmed") is True else "",
    )
