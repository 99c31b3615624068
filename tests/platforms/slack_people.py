"""What a person does in Slack: type, press, choose, submit; and what they see of the answer."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.platforms import PATIENCE
from tests.platforms.slack_api import WebApi
from tests.platforms.slack_blocks import Json, elements_of
from tests.platforms.slack_choices import CannotDoError, chosen, empty, resting
from tests.platforms.slack_delivery import Delivery, Reply
from tests.platforms.slack_files import Upload
from tests.platforms.slack_limits import error_in, problems_of_message
from tests.platforms.slack_payloads import (
    action_of,
    command_body,
    event_body,
    interaction,
    message_event,
    reaction_event,
    shared,
    tombstone,
    typed_blocks,
    where_body,
    written,
)
from tests.platforms.slack_world import Channel, Post, Team, Ticket, User, View, World


@dataclass
class Act:
    """One act of a person and all that comes of it, now and later."""

    replies: list[Reply]
    world: World
    trigger: Ticket | None = None
    response: Ticket | None = None
    card: Post | None = None  # the message in the answer itself
    action: str | None = None  # response_action of a submission
    errors: dict[str, str] = field(default_factory=dict)
    shown: View | None = None  # the view put up by the answer itself
    options: list[Json] = field(default_factory=list)
    wrote: Post | None = None  # what the person wrote, to be edited and deleted

    @property
    def status(self) -> int:
        return self.replies[-1].status

    @property
    def body(self) -> Any:
        return self.replies[-1].body

    @property
    def elapsed(self) -> float:
        return self.replies[-1].elapsed

    @property
    def attempts(self) -> int:
        return len(self.replies)

    @property
    def ok(self) -> bool:
        return self.replies[-1].ok

    @property
    def posts(self) -> list[Post]:
        """What came through the response URL, and the card of the answer."""
        via = self.response.id if self.response else None
        return [p for p in self.world.posts if via and p.via == via and not p.deleted]

    @property
    def view(self) -> View | None:
        """The view this act opened, by its answer or by its trigger."""
        via = self.trigger.id if self.trigger else None
        opened = [v for v in self.world.views.values() if via and v.trigger == via]
        return self.shown or (opened[-1] if opened else None)

    @property
    def seen(self) -> str:
        """Everything readable that came of it."""
        parts = [post.readable for post in self.posts]
        return "\n".join([*parts, self.view.text] if self.view else parts)


Place = Post | View | Act


class People:
    """The hands of the people; mixed into the server, which knows where the bot is."""

    world: World
    web: WebApi
    delivery: Delivery
    api_url: str

    async def command(
        self, user: User, command: str, text: str = "", channel: Channel | None = None
    ) -> Act:
        """Types a slash command, in the direct channel of the bot unless told otherwise."""
        place = channel or self.world.dm_of(user)
        trigger, response = self.world.trigger(user), self.world.response(user, place.id)
        url = self._response_url(response)
        body = command_body(user, command, text, place, trigger, url)
        reply = await self.delivery.send("command", body)
        act = Act([reply], self.world, trigger, response)
        if reply.ok and reply.body:
            act.card = self._answer_card(command, reply.body, response)
        return act

    async def press(self, user: User, place: Place, what: str) -> Act:
        """Presses a button, found by its action_id, its text or its value."""
        where = self._reachable(user, place)
        block, element = _found(where, what, {"button", "workflow_button"})
        return await self._act(user, where, block, element, None)

    async def select(self, user: User, place: Place, what: str, value: Any) -> Act:
        """Chooses in a menu, a date picker, radio buttons…; found by action_id or block_id."""
        where = self._reachable(user, place)
        block, element = _found(where, what, set())
        state = chosen(element, value)
        if resting(element) is not None:
            where.filled[block["block_id"], element["action_id"]] = state
        if block["type"] == "input" and not block.get("dispatch_action"):
            return Act([Reply(200)], self.world)
        return await self._act(user, where, block, element, state)

    async def submit(self, user: User, view: View | Act, values: Json | None = None) -> Act:
        """Fills in a modal, by block_id or action_id, and sends it."""
        where = self._reachable(user, view)
        if not isinstance(where, View) or not where.sent.get("submit"):
            raise CannotDoError("there is nothing to submit")
        for what, value in (values or {}).items():
            block, element = _found(where, what, set())
            where.filled[block["block_id"], element["action_id"]] = chosen(element, value)
        _complete(where)
        trigger = self.world.trigger(user, where)
        body = interaction("view_submission", user, trigger)
        body |= {"view": self.web.views.json(where), "response_urls": []}
        act = Act([await self.delivery.send("interaction", body)], self.world, trigger)
        if act.ok:
            self._submitted(act, where)
        return act

    async def dismiss(self, user: User, view: View | Act) -> Act:
        """Closes a modal by its cross; the bot hears of it only when it asked to."""
        where = self._reachable(user, view)
        if not isinstance(where, View):
            raise CannotDoError("only a modal can be closed")
        self.web.views.close(where, whole=bool(where.sent.get("clear_on_close")))
        if not where.sent.get("notify_on_close"):
            return Act([Reply(200)], self.world)
        shown = {"view": self.web.views.json(where), "is_cleared": False}
        body = interaction("view_closed", user) | shown
        return Act([await self.delivery.send("interaction", body)], self.world)

    async def suggest(self, user: User, place: Place, what: str, typed: str) -> Act:
        """Types into a menu whose options the bot supplies; they are in `options`."""
        where = self._reachable(user, place)
        block, element = _found(where, what, {"external_select", "multi_external_select"})
        if len(typed) < element.get("min_query_length", 3):
            raise CannotDoError("Slack asks for options only after min_query_length characters")
        body = interaction("block_suggestion", user) | self._where(where)
        names = {"action_id": element["action_id"], "block_id": block["block_id"]}
        reply = await self.delivery.send("interaction", body | names | {"value": typed})
        act = Act([reply], self.world)
        act.options = self._offered(reply.body) if reply.ok else []
        return act

    async def open_home(self, user: User, tab: str = "home") -> Act:
        """Opens the App Home; what the bot publishes is in `homes[user]`."""
        view = self.world.homes.get(user)
        dm, ts = self.world.dm_of(user), self.world.ts()
        event: Json = {"type": "app_home_opened", "user": user.id, "channel": dm.id, "tab": tab,
                       "event_ts": ts}  # fmt: skip
        event |= {"view": self.web.views.json(view)} if view else {}
        return await self.event(user.team, event)

    async def dm(self, user: User, text: str, *, thread: Post | None = None, **how: Any) -> Act:
        """Writes to the bot; `how` goes to `event`."""
        return await self._say("message", user, self.world.dm_of(user), text, thread, how)

    def upload(self, user: User, name: str, data: bytes, kind: str = "") -> Upload:
        """Puts a file into one's workspace, to be sent as one of the `files` of a message."""
        host = self.api_url.removesuffix("/api/")
        return self.web.files.add(user.team, name, data, kind or "application/octet-stream", host)

    async def rewrite(self, user: User, post: Post, text: str, **how: Any) -> Act:
        """Edits a message of one's own; `how` goes to `event`."""
        before = written(post)
        post.edits.append(post.payload)
        post.show({"text": text, "blocks": typed_blocks(text)})
        now = self.world.ts()
        after = written(post) | {"edited": {"user": user.id, "ts": now}}
        return await self._changed(user, post, "message_changed", now, how, message=after,
                                   previous_message=before)  # fmt: skip

    async def take_back(self, user: User, post: Post, **how: Any) -> Act:
        """Deletes a message of one's own; one that has answers stays as a mark."""
        post.deleted, now = True, self.world.ts()
        if any(p.thread_ts == post.ts and p is not post for p in self.world.posts):
            return await self._changed(user, post, "message_changed", now, how,
                                       message=tombstone(post),
                                       previous_message=written(post))  # fmt: skip
        return await self._changed(user, post, "message_deleted", now, how, deleted_ts=post.ts,
                                   previous_message=written(post))  # fmt: skip

    async def react(self, user: User, to: Post, name: str, take: bool = False, **how: Any) -> Act:
        """Puts an emoji to a message, or takes it away; told to a bot with the scope for it."""
        if error := self.world.mark(user, to, name, take=take):
            raise CannotDoError(error)
        grant = self.world.grants.get(user.team.bot_token or "")
        if grant is None or "reactions:read" not in grant.scopes:
            return Act([Reply(200)], self.world)
        event = reaction_event(user, to, name, self.world.ts(), take=take)
        return await self.event(user.team, event, **how)

    async def _changed(
        self, user: User, post: Post, kind: str, now: str, how: Json, **more: Any
    ) -> Act:
        if post.user != user.id:
            raise CannotDoError(f"{user.name} did not write this")
        where = self.world.channels[post.team.id, post.channel]
        event = {"type": "message", "subtype": kind, "hidden": True, "channel": post.channel,
                 "channel_type": where.kind, "ts": now, "event_ts": now, **more}  # fmt: skip
        return await self.event(user.team, event, **how)

    async def mention(
        self, user: User, channel: Channel, text: str, *, thread: Post | None = None, **how: Any
    ) -> Act:
        """Writes a message that names the bot."""
        name = f"<@{user.team.bot_user}>"
        said = text if name in text else f"{name} {text}"
        return await self._say("app_mention", user, channel, said, thread, how)

    async def uninstall(self, team: Team, *, order: tuple[str, ...] = ()) -> list[Act]:
        """Takes the bot out of a workspace; the two events come in any order."""
        self.world.revoke(team, "account_inactive")
        team.bot_token = None
        tokens = {"oauth": [], "bot": [team.bot_user]}
        events: dict[str, Json] = {
            "app_uninstalled": {"type": "app_uninstalled"},
            "tokens_revoked": {"type": "tokens_revoked", "tokens": tokens},
        }
        return [await self.event(team, events[name]) for name in order or tuple(events)]

    async def event(
        self,
        team: Team,
        event: Json,
        *,
        redeliver: int = 0,
        together: bool = False,
        event_id: str | None = None,
        at: float | None = None,
    ) -> Act:
        """Any event with Slack's retries, and `redeliver` duplicates, one by one or at once."""
        body = event_body(team, event, self.world.base() if at is None else at, event_id)
        retries = range(1, redeliver + 1)
        again = [self.delivery.send("event", body, n, "http_timeout") for n in retries]
        if together:
            first = asyncio.ensure_future(self.delivery.send_event(body))
            doubles = await asyncio.gather(*again)
            return Act([*doubles, *await first], self.world)
        replies = await self.delivery.send_event(body)
        return Act(replies + [await one for one in again], self.world)

    async def until(self, true: Callable[[], Any]) -> Any:
        """Waits for what the bot does after its answer; TimeoutError when it does not."""
        async with asyncio.timeout(PATIENCE):
            while not (found := true()):  # noqa: ASYNC110 - anything may make it true
                await asyncio.sleep(0.002)
        return found

    def _response_url(self, ticket: Ticket) -> str:
        return f"{self.api_url.removesuffix('api/')}respond/{ticket.id}"

    async def _say(
        self, kind: str, user: User, channel: Channel, text: str, thread: Post | None, how: Json
    ) -> Act:
        if user.id not in channel.members:
            raise CannotDoError(f"{user.name} is not in #{channel.name}")
        top = {"thread_ts": thread.thread_ts or thread.ts} if thread else {}
        content = {"text": text, "blocks": typed_blocks(text)} | top
        post = self.world.post(channel, user.id, content)
        event = message_event(kind, post, user, channel)
        if shares := how.pop("shares", ()):
            event["attachments"] = [
                shared(one, self.world.users[user.team.id, one.user].name) for one in shares
            ]
        if files := how.pop("files", ()):
            event |= {"subtype": "file_share", "files": list(files)}
        act = await self.event(user.team, event, **how)
        act.wrote = post
        return act

    async def _act(
        self, user: User, where: Post | View, block: Json, element: Json, state: Json | None
    ) -> Act:
        trigger = self.world.trigger(user, where if isinstance(where, View) else None)
        body = interaction("block_actions", user, trigger) | self._where(where)
        response = None
        if isinstance(where, Post):
            response = self.world.response(user, where.channel, where)
            body["response_url"] = self._response_url(response)
        body["actions"] = [action_of(element, block, state, self.world.ts())]
        reply = await self.delivery.send("interaction", body)
        if reply.ok and reply.body:
            # Slack shows nothing of it: the words in such an answer are lost
            self.world.violations.append("block_actions: the answer has a body, which is ignored")
        return Act([reply], self.world, trigger, response)

    def _where(self, where: Post | View) -> Json:
        channel = None
        if isinstance(where, Post):
            channel = self.world.channels.get((where.team.id, where.channel))
        return where_body(where, channel, self.web.views)

    def _reachable(self, user: User, place: Place) -> Post | View:
        """What the person has before them; nobody presses what they do not see."""
        found = place
        if isinstance(place, Act):
            found = place.view or next(reversed(place.posts), None) or place
        if isinstance(found, Act):
            raise CannotDoError("nothing is shown that could be used")
        gone = found.closed if isinstance(found, View) else found.deleted
        owner = found.user if isinstance(found, View) else found.ephemeral_to or user.id
        if gone or owner != user.id or found.team is not user.team:
            raise CannotDoError(f"{user.name} does not see this")
        return found

    def _answer_card(self, command: str, body: Any, response: Ticket) -> Post | None:
        payload = body if isinstance(body, dict) else {"text": str(body)}
        return self.show(f"answer to {command}", payload, response)

    def show(self, source: str, payload: Json, response: Ticket) -> Post | None:
        """A message through an answer or a response URL; none when Slack refuses it."""
        problems = problems_of_message(payload)
        self.world.violations += [f"{source}: {problem}" for problem in problems]
        if error_in(problems):
            return None
        channel = self.world.channels[response.user.team.id, response.channel]
        public = payload.get("response_type") == "in_channel"
        post = self.world.post(
            channel, channel.team.bot_user, payload, via=response.id,
            ephemeral_to=None if public else response.user.id,
        )  # fmt: skip
        response.post = response.post or post
        return post

    def _submitted(self, act: Act, view: View) -> None:
        body = act.body if isinstance(act.body, dict) else {}
        act.action = body.get("response_action")
        match act.action:
            case None:
                self.web.views.close(view)
            case "clear":
                self.web.views.close(view, whole=True)
            case "errors":
                act.errors = self._errors(body.get("errors") or {}, view)
            case "update" | "push":
                act.shown = self._shown(act, view, body.get("view"))
            case other:
                self.world.violations.append(f"view_submission: unknown answer {other!r}")

    def _errors(self, errors: dict[str, str], view: View) -> dict[str, str]:
        inputs = {block["block_id"] for block in view.blocks if block["type"] == "input"}
        if not errors or errors.keys() - inputs:
            self.world.violations.append(f"view_submission: no inputs for {sorted(errors)}")
        return errors

    def _shown(self, act: Act, view: View, sent: Any) -> View | None:
        if self.web.views.problems("view_submission", sent):
            return None
        if act.action == "update":
            view.show(sent)
            return view
        if self.web.views.depth(view) >= 3:
            self.world.violations.append("view_submission: push_limit_reached")
            return None
        user = self.world.users[view.team.id, view.user]
        return self.web.views.place(user, sent, None, below=view)

    def _offered(self, body: Any) -> list[Json]:
        """The options of an answer, as strict as those of a static menu."""
        answer = body if isinstance(body, dict) else {}
        groups = answer.get("option_groups") or []
        options = [*(answer.get("options") or []), *(o for g in groups for o in g["options"])]
        long = [o for o in options if len(o["text"]["text"]) > 75 or len(o["value"]) > 150]
        if long or len(options) > 100 or not ("options" in answer or groups):
            self.world.violations.append("block_suggestion: options that Slack does not take")
        return options


def _found(where: Post | View, what: str, kinds: set[str]) -> tuple[Json, Json]:
    """The element a person means by its id, its block, its text or its value."""
    here = [(block, element) for block in where.blocks for element in elements_of(block)]
    fitting = [pair for pair in here if not kinds or pair[1]["type"] in kinds]
    for block, element in fitting:
        label = (element.get("text") or block.get("label") or {}).get("text")
        if what in (element["action_id"], block["block_id"], label, element.get("value")):
            return block, element
    offered = [(element["action_id"], element.get("text")) for _, element in fitting]
    raise CannotDoError(f"there is no {what!r}, only {offered}")


def _complete(view: View) -> None:
    """Slack's own client does not send a form with an empty required field."""
    for block in view.blocks:
        if block["type"] != "input" or block.get("optional"):
            continue
        element = block["element"]
        state = view.filled.get((block["block_id"], element["action_id"])) or resting(element)
        if state is None or empty(state):
            raise CannotDoError(f"{block['block_id']!r} is required and empty")
