"""Load names, languages and home workspaces of people from Slack; cache them for an hour."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import structlog

from bot.adapters.slack.client import FAILURES, Clients, reason
from bot.adapters.slack.payloads import Body, Visitor, get_object, get_text
from bot.adapters.slack.tokens import Tokens
from bot.hub import Hub
from bot.i18n import Translator, language_of, translator
from bot.request import Sender

log = structlog.get_logger()

PLATFORM, LABEL = "slack", "Slack"
FACTS_SECONDS, FACTS_SECONDS_AFTER_FAILURE, LANGUAGE_SECONDS = 3600.0, 60.0, 30.0
"""How long facts, facts after a failed call, and the language of a person are cached."""
MAX_ENTRIES = 5000
MAX_MENTIONS = 10
"""People mentioned in one message whose names are looked up."""
Value = TypeVar("Value")


class ExpiringCache(Generic[Value]):
    """A cache of at most `most` values that expire; the least recently used is dropped first."""

    def __init__(self, clock: Callable[[], float], most: int = MAX_ENTRIES) -> None:
        self._clock = clock
        self._most = most
        self._values: OrderedDict[tuple[str, str], tuple[Value, float]] = OrderedDict()

    def get(self, key: tuple[str, str], *, stale: bool = False) -> Value | None:
        """Return the value if it has not expired, or with `stale` even then; else None."""
        value, until = self._values.get(key, (None, 0.0))
        if value is None or not (stale or self._clock() < until):
            return None
        self._values.move_to_end(key)
        return value

    def add(self, key: tuple[str, str], value: Value, seconds: float) -> None:
        """Store a value for this many seconds."""
        self._values[key] = (value, self._clock() + seconds)
        self._values.move_to_end(key)
        if len(self._values) > self._most:
            self._values.popitem(last=False)


@dataclass(frozen=True)
class UserFacts:
    """What Slack says of a user.

    `home` and `enterprise`: ids of the user's workspace and organisation. `is_outsider`: a guest,
    somebody of another company, a bot or a deleted account. `email`: only if Slack has it as
    confirmed.
    """

    name: str = ""
    locale: str = ""
    zone: str = ""
    home: str = ""
    enterprise: str = ""
    is_outsider: bool = False
    email: str = ""


class People:
    """Looks up visitors: as senders for the hub, and the language they read.

    `lookup_timeout`: seconds an answer may be delayed by asking Slack about its reader.
    """

    def __init__(
        self,
        hub: Hub,
        clients: Clients,
        tokens: Tokens,
        clock: Callable[[], float],
        *,
        lookup_timeout: float,
    ) -> None:
        self._hub = hub
        self._clients = clients
        self._tokens = tokens
        self._facts: ExpiringCache[UserFacts] = ExpiringCache(clock)
        self._languages: ExpiringCache[str] = ExpiringCache(clock)
        self._lookup_timeout = lookup_timeout
        self._running_lookups: set[asyncio.Task[UserFacts]] = set()

    async def load_sender(self, visitor: Visitor) -> Sender:
        """Return the visitor as a sender; facts that Slack does not give in time are left out."""
        facts = await self._load_facts(visitor)
        home = visitor.home or facts.home
        elsewhere = bool(home) and home != visitor.team
        # workspaces of one organisation share their people
        related = bool(visitor.enterprise) and facts.enterprise == visitor.enterprise
        stranger = visitor.is_bot or facts.is_outsider or (elsewhere and not related)
        return Sender(
            platform=PLATFORM,
            workspace=home if elsewhere and not related else visitor.team,
            user=visitor.user,
            name=facts.name or visitor.name,
            locale=facts.locale,
            zone=facts.zone,
            is_outsider=stranger,
            is_unverified=facts == UserFacts(),
            can_open_group_chat=True,
            email=facts.email,
            label=LABEL,
        )

    async def load_names(self, visitor: Visitor, users: AbstractSet[str]) -> dict[str, str]:
        """Return the names of people in the visitor's workspace, of up to `MAX_MENTIONS` of them.

        Those that Slack does not give in time are left out.
        """
        some = sorted(users)[:MAX_MENTIONS]
        people = [Visitor(visitor.team, user, visitor.enterprise) for user in some]
        found = await asyncio.gather(*map(self._load_facts, people))
        return {user: facts.name for user, facts in zip(some, found, strict=True) if facts.name}

    async def load_translator(self, sender: Sender) -> Translator:
        """Return the translator of the language the person reads.

        If the hub cannot tell it, the language is that of the person's Slack.
        """
        key = sender.workspace, sender.user
        language = self._languages.get(key)
        if language is None:
            try:
                language = await self._hub.language(sender)
            except Exception as error:  # a broken database must not cost the answer
                log.error("language unknown", error=type(error).__name__)
                language = language_of(sender.locale)
            self._languages.add(key, language, LANGUAGE_SECONDS)
        return translator(language)

    def guess_translator(self, visitor: Visitor) -> Translator:
        """Return the visitor's translator from the caches alone, for «One moment…»."""
        key = visitor.team, visitor.user
        facts = self._facts.get(key, stale=True) or UserFacts()
        return translator(self._languages.get(key, stale=True) or language_of(facts.locale))

    async def close(self) -> None:
        """Cancel the lookups that are still running."""
        for task in tuple(self._running_lookups):
            task.cancel()
        await asyncio.gather(*self._running_lookups, return_exceptions=True)

    async def _load_facts(self, visitor: Visitor) -> UserFacts:
        key = visitor.team, visitor.user
        facts = self._facts.get(key)
        if facts is not None:
            return facts
        task = asyncio.ensure_future(self._fetch_facts(visitor, key))
        self._running_lookups.add(task)
        task.add_done_callback(self._running_lookups.discard)
        done, _ = await asyncio.wait({task}, timeout=self._lookup_timeout)
        return task.result() if done else self._facts.get(key, stale=True) or UserFacts()

    async def _fetch_facts(self, visitor: Visitor, key: tuple[str, str]) -> UserFacts:
        """Fetch facts from Slack and cache them; after a failure keep the old ones for a minute."""
        try:
            token = await self._tokens.token_for(visitor.enterprise, visitor.team)
            if token is None:
                return UserFacts()
            client = self._clients.client_for(token)
            answer = await client.users_info(user=visitor.user, include_locale=True)
            facts, seconds = parse_facts(answer.get("user")), FACTS_SECONDS
        except FAILURES as error:
            log.info("person unknown", reason=reason(error))
            facts, seconds = (
                self._facts.get(key, stale=True) or UserFacts(),
                FACTS_SECONDS_AFTER_FAILURE,
            )
        self._facts.add(key, facts, seconds)
        return facts


def parse_facts(user: Any) -> UserFacts:
    """Parse the user object of Slack's users.info."""
    user = user if isinstance(user, dict) else {}
    profile, company = get_object(user, "profile"), get_object(user, "enterprise_user")
    guest = ("is_restricted", "is_ultra_restricted", "is_stranger", "is_bot", "deleted")
    return UserFacts(
        name=_full_name(user, profile),
        locale=get_text(user.get("locale")),
        zone=get_text(user.get("tz")),
        home=get_text(user.get("team_id")),
        enterprise=get_text(company.get("enterprise_id")),
        is_outsider=any(user.get(mark) is True for mark in guest),
        email=get_text(profile.get("email")) if user.get("is_email_confirmed") is True else "",
    )


def _full_name(user: Body, profile: Body) -> str:
    """Return the real name, which colleagues know; the display name only where there is none."""
    real = get_text(profile.get("real_name")) or get_text(user.get("real_name"))
    return real.strip() or get_text(profile.get("display_name"))
