"""Identify who acts on Discord, and in which server they are at home."""

from dataclasses import dataclass, field

import discord

from bot.adapters.discord.drafts import RecentCache
from bot.adapters.discord.text import one_line
from bot.request import Sender

PLATFORM, LABEL = "discord", "Discord"


@dataclass
class People:
    """Builds the sender of each event; remembers the server each account was last in."""

    homes: RecentCache[str, tuple[str, str]] = field(default_factory=RecentCache)
    """The server and locale each account used last, by user id: direct messages carry neither."""

    def sender(self, interaction: discord.Interaction) -> Sender:
        """Return the acting account and its server; in direct messages, the one it was last in."""
        user, locale = interaction.user, str(interaction.locale)
        workspace = str(interaction.guild_id or "") or self._last_location(user.id)[0]
        self.homes.add(str(user.id), (workspace, locale))
        return self._build_sender(user, workspace, locale)

    def author(self, user: discord.User | discord.Member) -> Sender:
        """Return the account that wrote a direct message, in the server it was last in."""
        return self._build_sender(user, *self._last_location(user.id))

    def author_in_server(self, message: discord.Message) -> Sender:
        """Return the account that wrote a message in a server."""
        user, locale = message.author, self._last_location(message.author.id)[1]
        workspace = str(message.guild.id) if message.guild else ""
        self.homes.add(str(user.id), (workspace, locale))
        return self._build_sender(user, workspace, locale)

    def sender_by_id(self, user: int) -> Sender:
        """Return an account of which only the id is known, in the server it was last in."""
        workspace, locale = self._last_location(user)
        return Sender(PLATFORM, workspace, str(user), locale=locale, label=LABEL)

    def _build_sender(
        self, user: discord.User | discord.Member, workspace: str, locale: str
    ) -> Sender:
        name = one_line(user.display_name)
        return Sender(
            PLATFORM, workspace, str(user.id), name, locale, is_outsider=user.bot, label=LABEL
        )

    def _last_location(self, user: int) -> tuple[str, str]:
        return self.homes.get(str(user)) or ("", "")
