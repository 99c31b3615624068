"""Find who a call speaks for, in which workspace and channel, and which channels they see."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from bot.adapters.playground.events import PlaygroundDirectMessages
from bot.adapters.playground.guard import BadCallError
from bot.adapters.playground.reading import CallContext, person_of, sender_of, text_of
from bot.adapters.playground.render import Channel, View
from bot.adapters.playground.world import BOT, GENERAL, Persona, Workspace, members_of

MAX_NEIGHBOURS = 6

People = Callable[[], Awaitable[Sequence[Persona]]]
"""Loads the demo people."""


class PlaygroundContexts(PlaygroundDirectMessages):
    """Loads the people, and what each of them sees where.

    Raises `BadCallError` for workspaces and channels that do not exist.
    """

    _people: People

    async def _load_people(self) -> Sequence[Persona]:
        people = await self._people()
        if not people:
            raise BadCallError(
                "There is nobody to act as: where no real people are, "
                "wwc seed --demo adds invented ones.",
                404,
            )
        return people

    def _find_speaker(
        self, given: Mapping[str, Any], people: Sequence[Persona]
    ) -> tuple[Persona, Workspace]:
        person = person_of(text_of(given, "as"), people)
        key = text_of(given, "workspace")
        if not key:
            home = person.workspace
            return person, self._workspaces.get(home) or next(iter(self._workspaces.values()))
        if key not in self._workspaces:
            known = ", ".join(self._workspaces)
            raise BadCallError(f"There is no workspace with this key; there are {known}.", 404)
        return person, self._workspaces[key]

    async def _load_context(self, given: Mapping[str, Any]) -> CallContext:
        people = await self._load_people()
        person, workspace = self._find_speaker(given, people)
        key = text_of(given, "channel") or GENERAL
        if key not in {c.key for c in self._channels(person, workspace, people)}:
            raise BadCallError(f"There is no such channel; try {GENERAL} or {BOT}.", 404)
        return CallContext(person, workspace, key, people)

    async def _load_view(
        self, person: Persona, workspace: Workspace, people: Sequence[Persona]
    ) -> View:
        language = await self._hub.language(sender_of(person, workspace))
        name_commands = self._renderers[workspace.platform].name_commands
        names = {p.key: p.name for p in people}
        return View(workspace, person, language, names, name_commands)

    def _channels(
        self, person: Persona, workspace: Workspace, people: Sequence[Persona]
    ) -> list[Channel]:
        talking = self._conversations.partners(workspace.key, person.key)
        talks = self._conversations.gatherings(workspace.key, person.key)
        others = [p for p in people if p.key != person.key]
        near = [p for p in others if p.workspace == workspace.key and p.key not in talking]
        near = [*(p for p in others if p.key in talking), *near[:MAX_NEIGHBOURS]]
        return [
            *(Channel(c, c, "channel") for c in self._conversations.channels(workspace.key)),
            Channel(BOT, "WWC Hub", "bot"),
            *(self._group_channel(c, person, people) for c in talks),
            *(Channel(p.key, p.name, "person", p.key) for p in near),
        ]

    def _group_channel(self, channel: str, person: Persona, people: Sequence[Persona]) -> Channel:
        """Return a group conversation, named after the others in it, the hub last."""
        names = {p.key: p.name for p in people}
        others = [names.get(k, k) for k in members_of(channel) if k not in (person.key, BOT)]
        return Channel(channel, ", ".join((*others, "WWC Hub")), "several")
