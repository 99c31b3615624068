"""The Web API methods of the loopback Slack: messages, conversations, people, installation."""

import base64
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web

from tests.platforms.slack_blocks import Json
from tests.platforms.slack_files import Files
from tests.platforms.slack_limits import error_in, problems_of_message
from tests.platforms.slack_shapes import APP_ID, KIND_NAMES, channel_json, message_of, user_json
from tests.platforms.slack_views import Views
from tests.platforms.slack_wire import flag
from tests.platforms.slack_world import Channel, Grant, Post, Refused, Team, User, World

CODE_AGE = 600
HISTORY_OF = {
    "channel": "channels:history",
    "private": "groups:history",
    "im": "im:history",
    "mpim": "mpim:history",
}
READ = {"channels:read", "groups:read", "im:read", "mpim:read"}
HISTORY = set(HISTORY_OF.values())
# any one of these scopes will do; methods that are not here need none
SCOPES_OF: dict[str, set[str]] = {
    "chat.postMessage": {"chat:write"},
    "chat.postEphemeral": {"chat:write"},
    "chat.update": {"chat:write"},
    "chat.delete": {"chat:write"},
    "conversations.open": {"im:write", "mpim:write", "channels:manage", "groups:write"},
    "conversations.info": READ,
    "conversations.members": READ,
    "conversations.history": HISTORY,
    "conversations.replies": HISTORY,
    "users.conversations": READ,
    "files.info": {"files:read"},
    "users.info": {"users:read"},
    "bots.info": {"users:read"},
    "users.lookupByEmail": {"users:read.email"},
    "team.info": {"team:read"},
    "reactions.add": {"reactions:write"},
}
CONTENT = ("text", "blocks", "attachments", "metadata", "thread_ts", "markdown_text", "mrkdwn")
SETTINGS = ("parse", "link_names", "unfurl_links", "unfurl_media", "reply_broadcast")
Method = Callable[[Grant, Json], Json]


@dataclass
class Code:
    """A code of the authorize page, to be exchanged once."""

    value: str
    user: User
    scopes: frozenset[str]
    redirect_uri: str | None
    at: float
    org: bool = False
    used: bool = False


class WebApi:
    """Answers `call`; refuses by raising, as a method of Slack refuses by its error."""

    def __init__(self, world: World, client_id: str, client_secret: str) -> None:
        self.world = world
        self.client = (client_id, client_secret)
        self.codes: dict[str, Code] = {}
        self.views = Views(world, APP_ID)
        self.files = Files(world)
        self.lag = 0.0
        self.commercial = False
        self.methods: dict[str, Method] = {
            "auth.test": self.auth_test,
            "auth.revoke": self.auth_revoke,
            "chat.postMessage": self.post_message,
            "chat.postEphemeral": self.post_ephemeral,
            "chat.update": self.update,
            "chat.delete": self.delete,
            "conversations.open": self.open,
            "conversations.info": self.info,
            "conversations.members": self.members,
            "conversations.history": self.history,
            "conversations.replies": self.replies,
            "files.info": self.files.info,
            "users.conversations": self.conversations,
            "users.info": self.user_info,
            "users.lookupByEmail": self.user_by_email,
            "bots.info": self.bot_info,
            "team.info": self.team_info,
            "reactions.add": self.react,
            "views.open": self.views.open,
            "views.push": self.views.push,
            "views.update": self.views.update,
            "views.publish": self.views.publish,
        }

    def call(self, method: str, token: str | None, args: Json) -> Json:
        """One authorised call."""
        grant = self._grant(token)
        run = self.methods.get(method)
        if run is None:
            self.world.violations.append(f"{method}: unknown_method")
            raise Refused("unknown_method")
        needed = SCOPES_OF.get(method, set())
        if needed:
            self._need(grant, needed)
        return {"ok": True} | run(self._seen_by(grant, args), args)

    def _grant(self, token: str | None) -> Grant:
        if not token:
            raise Refused("not_authed")
        grant = self.world.grants.get(token)
        if grant is None:
            raise Refused("invalid_auth")
        if grant.revoked:
            raise Refused(grant.revoked)
        if grant.is_app:
            raise Refused("not_allowed_token_type")
        return grant

    def _seen_by(self, grant: Grant, args: Json) -> Grant:
        """An org-wide token acts in the workspace that the arguments name."""
        if not grant.enterprise:
            return grant
        for team in self.world.teams.values():
            named = args.get("team_id") == team.id
            known = any((team.id, args.get(key)) in self._ids() for key in ("channel", "user"))
            if team.enterprise == grant.enterprise and (named or known):
                return Grant(grant.token, team, grant.scopes, grant.enterprise)
        return grant

    def _ids(self) -> set[tuple[str, str | None]]:
        return {*self.world.channels, *self.world.users}

    # authorisation

    def auth_test(self, grant: Grant, _: Json) -> Json:
        team = grant.team
        return {
            "url": f"https://{team.domain}.slack.com/",
            "team": team.name,
            "user": "wwc",
            "team_id": team.id,
            "user_id": team.bot_user,
            "bot_id": team.bot_id,
            "enterprise_id": team.enterprise,
            "is_enterprise_install": bool(grant.enterprise),
        }

    def auth_revoke(self, grant: Grant, args: Json) -> Json:
        if not flag(args.get("test")):
            self.world.grants[grant.token].revoked = "token_revoked"
        return {"revoked": not flag(args.get("test"))}

    def exchange(self, request: web.Request, args: Json) -> Json:
        """oauth.v2.access: a code becomes a bot token, once."""
        if _basic(request, args) != self.client:
            raise Refused("bad_client_secret")
        code = self.codes.get(str(args.get("code")))
        if code is None or self.world.now() - code.at > CODE_AGE:
            raise Refused("invalid_code")
        if code.used:
            raise Refused("code_already_used")
        if code.redirect_uri and args.get("redirect_uri") != code.redirect_uri:
            raise Refused("bad_redirect_uri")
        code.used = True
        return {"ok": True} | self._installed(code)

    def _installed(self, code: Code) -> Json:
        team = code.user.team
        grant = self.world.grant(team, code.scopes, org=code.org)
        enterprise = {"id": team.enterprise, "name": "Org"} if team.enterprise else None
        return {
            "access_token": grant.token,
            "token_type": "bot",
            "scope": ",".join(sorted(code.scopes)),
            "bot_user_id": team.bot_user,
            "app_id": APP_ID,
            "team": None if code.org else {"id": team.id, "name": team.name},
            "enterprise": enterprise,
            "is_enterprise_install": code.org,
            "authed_user": {"id": code.user.id},
        }

    # messages

    def post_message(self, grant: Grant, args: Json) -> Json:
        payload = self._checked("chat.postMessage", args)
        channel = self._writable(grant, args)
        post = self.world.post(channel, grant.team.bot_user, payload)
        return {"channel": channel.id, "ts": post.ts, "message": message_of(post)}

    def post_ephemeral(self, grant: Grant, args: Json) -> Json:
        payload = self._checked("chat.postEphemeral", args)
        channel, user = self._writable(grant, args), str(args.get("user"))
        if user not in channel.members:
            raise Refused("user_not_in_channel")
        post = self.world.post(channel, grant.team.bot_user, payload, ephemeral_to=user)
        return {"message_ts": post.ts}

    def update(self, grant: Grant, args: Json) -> Json:
        post = self._own(grant, args, "cant_update_message")
        # what an update leaves out stays as it was
        payload = {name: post.payload[name] for name in CONTENT if name in post.payload}
        payload |= self._content(args)
        self._refuse("chat.update", problems_of_message(payload))
        post.edits.append(post.payload)
        post.show(payload)
        post.metadata = payload.get("metadata")
        return {
            "channel": post.channel, "ts": post.ts, "text": post.text, "message": message_of(post),
        }  # fmt: skip

    def delete(self, grant: Grant, args: Json) -> Json:
        post = self._own(grant, args, "cant_delete_message")
        post.deleted = True
        return {"channel": post.channel, "ts": post.ts}

    def react(self, grant: Grant, args: Json) -> Json:
        """The bot puts an emoji to a message in a channel it is in."""
        where = args.get("channel"), args.get("timestamp")
        post = next((p for p in self.world.posts if (p.channel, p.ts) == where), None)
        bot = self.world.users[grant.team.id, grant.team.bot_user]
        if post is None or post.team is not grant.team:
            raise Refused("message_not_found")
        if error := self.world.mark(bot, post, str(args.get("name")), take=False):
            raise Refused(error)
        return {}

    def check_message(self, source: str, payload: Json) -> None:
        """Counts every fault of a message and refuses it when Slack would."""
        self._refuse(source, problems_of_message(payload))

    def _checked(self, method: str, args: Json) -> Json:
        payload = self._content(args)
        self._refuse(method, problems_of_message(payload))
        return payload

    def _refuse(self, source: str, problems: list[str]) -> None:
        self.world.violations += [f"{source}: {problem}" for problem in problems]
        error = error_in(problems)
        if error:
            raise Refused(error, response_metadata={"messages": [f"[ERROR] {problems[0]}"]})

    def _content(self, args: Json) -> Json:
        return {name: args[name] for name in CONTENT + SETTINGS if name in args}

    def _writable(self, grant: Grant, args: Json) -> Channel:
        channel = self._target(grant, str(args.get("channel") or ""))
        if channel.is_archived:
            raise Refused("is_archived")
        public = channel.kind == "channel" and "chat:write.public" in grant.scopes
        if grant.team.bot_user not in channel.members and not public:
            raise Refused("not_in_channel" if channel.kind == "channel" else "channel_not_found")
        return channel

    def _target(self, grant: Grant, name: str) -> Channel:
        """A channel, or the direct channel of the person whose id was given instead."""
        user = self.world.users.get((grant.team.id, name))
        return self.world.dm_of(user) if user else self._channel(grant, name)

    def _channel(self, grant: Grant, name: object) -> Channel:
        channel = self.world.channels.get((grant.team.id, str(name)))
        if channel is None:
            raise Refused("channel_not_found")
        return channel

    def _own(self, grant: Grant, args: Json, error: str) -> Post:
        channel = self._channel(grant, args.get("channel"))
        post = self.world.find_post(grant.team, channel.id, str(args.get("ts")))
        if post is None or post.ephemeral_to:
            raise Refused("message_not_found")
        if post.user != grant.team.bot_user:
            raise Refused(error)
        return post

    # conversations

    def open(self, grant: Grant, args: Json) -> Json:
        if args.get("channel"):
            return {"channel": {"id": self._channel(grant, args["channel"]).id}}
        said = args.get("users") or ""
        users = set(said if isinstance(said, list) else said.split(",")) - {""}
        if not 1 <= len(users) <= 8:
            raise Refused("users_list_not_supplied" if not users else "too_many_users")
        self._need(grant, {"im:write", "mpim:write"} if len(users) == 1 else {"mpim:write"})
        for user in users:
            self._reachable(self._user(grant, user))
        channel = self.world.direct(grant.team, users)
        return {"channel": {"id": channel.id}}

    def _need(self, grant: Grant, scopes: set[str]) -> None:
        if not scopes & grant.scopes:
            raise Refused("missing_scope", needed=",".join(scopes), provided=",".join(grant.scopes))

    def _reachable(self, user: User) -> None:
        if user.is_bot:
            raise Refused("cannot_dm_bot")
        if user.deleted:
            raise Refused("user_disabled")

    def info(self, grant: Grant, args: Json) -> Json:
        channel = self._channel(grant, args.get("channel"))
        bot_is_in = grant.team.bot_user in channel.members
        if channel.kind != "channel" and not bot_is_in:
            raise Refused("channel_not_found")
        return {"channel": channel_json(channel, bot_is_in)}

    def members(self, grant: Grant, args: Json) -> Json:
        channel = self._channel(grant, args.get("channel"))
        return {"members": sorted(channel.members), "response_metadata": {"next_cursor": ""}}

    def history(self, grant: Grant, args: Json) -> Json:
        """The newest first."""
        found = self._listed(grant, args, lambda post: post.thread_ts in (None, post.ts))
        return self._page(args, found[::-1])

    def replies(self, grant: Grant, args: Json) -> Json:
        """The oldest first, which is the one that opened the thread."""
        top = str(args.get("ts"))
        found = self._listed(grant, args, lambda post: top in (post.ts, post.thread_ts))
        if self.world.find_post(grant.team, str(args.get("channel")), top) is None:
            raise Refused("thread_not_found")
        return self._page(args, found)

    def _listed(self, grant: Grant, args: Json, wanted: Callable[[Post], bool]) -> list[Post]:
        channel = self._channel(grant, args.get("channel"))
        if grant.team.bot_user not in channel.members:
            raise Refused("not_in_channel")
        self._need(grant, {HISTORY_OF[channel.kind]})
        return [p for p in self._indexed(channel, args) if wanted(p)]

    def _page(self, args: Json, found: list[Post]) -> Json:
        most = 15 if self.commercial else 999
        limit = min(int(args.get("limit") or 100), most)
        metadata = flag(args.get("include_all_metadata"))
        start = int(args.get("cursor") or 0)
        page = [message_of(post, metadata=metadata) for post in found[start : start + limit]]
        more = len(found) > start + limit
        cursor = {"next_cursor": str(start + limit) if more else ""}
        return {"messages": page, "has_more": more, "response_metadata": cursor}

    def _indexed(self, channel: Channel, args: Json) -> list[Post]:
        """History lags behind: a message shows up `lag` seconds after it was posted."""
        oldest, latest = float(args.get("oldest") or 0), float(args.get("latest") or 1e12)
        edge = flag(args.get("inclusive"))
        return [
            post
            for post in self.world.posts
            if (post.team, post.channel) == (channel.team, channel.id)
            and not (post.deleted or post.ephemeral_to)
            and post.at + self.lag <= self.world.now()
            and (oldest < float(post.ts) < latest or (edge and float(post.ts) in (oldest, latest)))
        ]

    def conversations(self, grant: Grant, args: Json) -> Json:
        member = str(args.get("user") or grant.team.bot_user)
        kinds = str(args.get("types") or "public_channel").split(",")
        found = [
            channel_json(channel, is_member=True)
            for channel in self.world.channels.values()
            if channel.team is grant.team and member in channel.members
            and KIND_NAMES[channel.kind] in kinds
        ]  # fmt: skip
        return {"channels": found, "response_metadata": {"next_cursor": ""}}

    # people

    def _user(self, grant: Grant, name: object) -> User:
        user = self.world.users.get((grant.team.id, str(name)))
        if user is None:
            raise Refused("user_not_found")
        return user

    def user_info(self, grant: Grant, args: Json) -> Json:
        user = self._user(grant, args.get("user"))
        found = user_json(user, email="users:read.email" in grant.scopes)
        if flag(args.get("include_locale")):
            found["locale"] = user.locale
        return {"user": found}

    def user_by_email(self, grant: Grant, args: Json) -> Json:
        for user in self.world.people(grant.team):
            if user.email == args.get("email"):
                return {"user": user_json(user, email=True)}
        raise Refused("users_not_found")

    def bot_info(self, grant: Grant, args: Json) -> Json:
        team = grant.team
        if args.get("bot") not in (None, team.bot_id):
            raise Refused("bot_not_found")
        return {
            "bot": {"id": team.bot_id, "app_id": APP_ID, "user_id": team.bot_user, "name": "wwc"}
        }

    def team_info(self, grant: Grant, args: Json) -> Json:
        team: Team | None = self.world.teams.get(str(args.get("team") or grant.team.id))
        if team is None or (team is not grant.team and not grant.enterprise):
            raise Refused("team_not_found")
        return {"team": {"id": team.id, "name": team.name, "domain": team.domain,
                         "enterprise_id": team.enterprise}}  # fmt: skip

    def issue_code(
        self, user: User, scopes: frozenset[str], redirect_uri: str | None, *, org: bool = False
    ) -> Code:
        """What the authorize page hands to the redirect."""
        code = Code(secrets.token_hex(10), user, scopes, redirect_uri, self.world.now(), org)
        self.codes[code.value] = code
        return code


def _basic(request: web.Request, args: Json) -> tuple[str, str]:
    header = request.headers.get("Authorization", "")
    if header.startswith("Basic "):
        name, _, secret = base64.b64decode(header[6:]).decode().partition(":")
        return name, secret
    return str(args.get("client_id")), str(args.get("client_secret"))
