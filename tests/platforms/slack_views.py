"""Modals and home tabs of the loopback Slack, and the triggers that open them."""

from typing import Any

from tests.platforms.slack_blocks import Json, elements_of
from tests.platforms.slack_choices import resting
from tests.platforms.slack_limits import error_in, problems_of_view
from tests.platforms.slack_world import Grant, Refused, Ticket, User, View, World

TRIGGER_AGE = 3.0
STACK = 3


class Views:
    """views.open, push, update, publish, and what the answer to a submission does."""

    def __init__(self, world: World, app_id: str) -> None:
        self.world = world
        self.app_id = app_id

    def open(self, grant: Grant, args: Json) -> Json:
        sent = self._checked("views.open", args)
        ticket = self._trigger(grant, args)
        return self._answer(self.place(ticket.user, sent, ticket.id))

    def push(self, grant: Grant, args: Json) -> Json:
        sent = self._checked("views.push", args)
        ticket = self._trigger(grant, args)
        below = ticket.view
        if below is None or below.closed:
            raise Refused("invalid_trigger_id")
        if self.depth(below) >= STACK:
            raise Refused("push_limit_reached")
        return self._answer(self.place(ticket.user, sent, ticket.id, below=below))

    def update(self, grant: Grant, args: Json) -> Json:
        sent = self._checked("views.update", args)
        view = self._found(grant, args)
        if args.get("hash") and args["hash"] != view.hash:
            raise Refused("hash_conflict")
        view.show(sent)
        return self._answer(view)

    def publish(self, grant: Grant, args: Json) -> Json:
        sent = self._checked("views.publish", args)
        user = self.world.users.get((grant.team.id, str(args.get("user_id"))))
        if user is None:
            raise Refused("invalid_arguments")
        view = self.world.homes.get(user)
        if view and args.get("hash") and args["hash"] != view.hash:
            raise Refused("hash_conflict")
        if view is None:
            name = self.world.id("V")
            view = View(name, user.team, user.id, sent, None, root=name)
            self.world.homes[user] = view
        view.show(sent)
        return self._answer(view)

    def place(self, user: User, sent: Json, trigger: str | None, below: View | None = None) -> View:
        """Puts a new view on the screen of a person, on top of another or alone."""
        name = self.world.id("V")
        view = View(
            name, user.team, user.id, sent, trigger,
            root=below.root if below else name, previous=below.id if below else None,
        )  # fmt: skip
        self.world.views[name] = view
        return view

    def depth(self, view: View) -> int:
        below = self.world.views.get(view.previous or "")
        return 1 + (self.depth(below) if below else 0)

    def close(self, view: View, *, whole: bool = False) -> None:
        """Takes a view away, or the whole stack it stands in."""
        for other in self.world.views.values():
            if other is view or (whole and other.root == view.root):
                other.closed = True

    def problems(self, source: str, sent: Any) -> str | None:
        """Counts the faults of a view; the error Slack would answer."""
        problems = problems_of_view(sent)
        self.world.violations += [f"{source}: {problem}" for problem in problems]
        return error_in(problems)

    def json(self, view: View) -> Json:
        """A view as Slack shows it in answers and payloads."""
        sent = view.sent
        shown = {
            "id": view.id,
            "team_id": view.team.id,
            "type": sent.get("type", "modal"),
            "callback_id": sent.get("callback_id", ""),
            "private_metadata": sent.get("private_metadata", ""),
            "external_id": sent.get("external_id", ""),
            "blocks": view.blocks,
            "state": {"values": state_of(view.blocks, view.filled)},
            "hash": view.hash,
            "clear_on_close": sent.get("clear_on_close", False),
            "notify_on_close": sent.get("notify_on_close", False),
            "root_view_id": view.root,
            "previous_view_id": view.previous,
            "app_id": self.app_id,
            "app_installed_team_id": view.team.id,
            "bot_id": view.team.bot_id,
        }
        return shown | {name: sent.get(name) for name in ("title", "submit", "close")}

    def _answer(self, view: View) -> Json:
        return {"view": self.json(view)}

    def _checked(self, method: str, args: Json) -> Json:
        sent = args.get("view")
        error = self.problems(method, sent)
        if error or not isinstance(sent, dict):
            raise Refused(error or "invalid_arguments")
        wanted = "home" if method == "views.publish" else "modal"
        if method != "views.update" and sent.get("type") != wanted:
            raise Refused("invalid_arguments")
        return sent

    def _trigger(self, grant: Grant, args: Json) -> Ticket:
        """A trigger opens one view, within three seconds of the act that made it."""
        ticket = self.world.triggers.get(str(args.get("trigger_id") or ""))
        if ticket is None or ticket.user.team is not grant.team:
            raise Refused("invalid_trigger_id")
        if self.world.now() - ticket.at > TRIGGER_AGE:
            raise Refused("expired_trigger_id")
        if ticket.uses:
            raise Refused("exchanged_trigger_id")
        ticket.uses += 1
        return ticket

    def _found(self, grant: Grant, args: Json) -> View:
        wanted = args.get("view_id"), args.get("external_id")
        for view in [*self.world.views.values(), *self.world.homes.values()]:
            name = wanted[0] == view.id if wanted[0] else wanted[1] == view.sent.get("external_id")
            if name and any(wanted) and view.team is grant.team and not view.closed:
                return view
        raise Refused("not_found")


def state_of(blocks: list[Json], filled: dict[tuple[str, str], Json]) -> Json:
    """state.values: what stands in each field, filled by the person or from the start."""
    values: Json = {}
    for block in blocks:
        for element in elements_of(block):
            rest = resting(element)
            if rest is not None:
                key = block["block_id"], element["action_id"]
                values.setdefault(key[0], {})[key[1]] = filled.get(key, rest)
    return values
