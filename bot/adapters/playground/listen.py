"""The playground: a page with two workspaces that asks the hub like any platform."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from aiohttp import web

from bot.adapters.playground.contexts import People, PlaygroundContexts
from bot.adapters.playground.guard import BadCallError, Handler, body_of, guard_handler
from bot.adapters.playground.reading import (
    CallContext,
    channel_of,
    default_person,
    describe_person,
    last_seen_number,
    number_of,
    person_of,
    sender_of,
    text_of,
    values_of,
)
from bot.adapters.playground.render import (
    View,
    form_html,
    message_html,
    page_html,
    pane_html,
)
from bot.adapters.playground.responses import html_response, items_response, serve_file
from bot.adapters.playground.suggest import CompletionContext, Item, completions
from bot.adapters.playground.world import (
    BOT,
    GENERAL,
    MAX_TEXT,
    Message,
    Persona,
    PlaygroundHub,
    Renderer,
    Workspace,
    quote_line,
    tidy,
)
from bot.cards import SLASH, Card, Form, Reply, data, plain
from bot.i18n import LANGUAGES, Translator, language_of, translator
from bot.parsing import fold_text
from bot.request import Request
from bot.verbs import strip_address

DEMO = (
    Workspace("T-DEMO", "slack", "City of Boston"),
    Workspace("G-DEMO", "discord", "Ciudades LATAM"),
)
MAX_PEOPLE = 50
MAX_VIEWERS = 8


class PlaygroundAdapter(PlaygroundContexts):
    """Serves the page and its calls; deliveries come by `PlaygroundDeliveryAdapter`."""

    platform = "playground"

    def __init__(
        self,
        hub: PlaygroundHub,
        *,
        renderers: Mapping[str, Renderer],
        people: People,
        workspaces: Sequence[Workspace] = DEMO,
        public: bool = False,
        host: str = "127.0.0.1",
    ) -> None:
        self._hub = hub
        super().__init__(renderers, {workspace.key: workspace for workspace in workspaces})
        self._people = people
        self._public, self._host = public, host
        self._forms = 0

    def add_routes(self, app: web.Application) -> None:
        """Register the page, its two files, and the calls they make."""
        get: dict[str, Handler] = {
            "/": self._page,
            "/playground/page.js": serve_file("page.js", "text/javascript"),
            "/playground/page.css": serve_file("page.css", "text/css"),
            "/playground/pane": self._pane,
            "/playground/people": self._persons,
            "/playground/suggest": self._suggest,
            "/playground/stream": self._stream,
        }
        post: dict[str, Handler] = {
            "/playground/say": self._say,
            "/playground/dismiss": self._dismiss,
            "/playground/edit": self._edit,
            "/playground/remove": self._remove,
        }
        for path, handler in get.items():
            app.router.add_get(path, self._guard(handler), allow_head=False)
        for path, handler in post.items():
            app.router.add_post(path, self._guard(handler))
        app.on_shutdown.append(self._on_shutdown)

    def _guard(self, handler: Handler) -> Handler:
        return guard_handler(handler, public=self._public, host=self._host)

    # --- what every adapter does ---

    def is_ready(self) -> bool:
        """Return True: the page needs only this process."""
        return True

    async def listen(self) -> None:
        """Wait until cancelled, then end the streams; requests come through the HTTP server."""
        try:
            await asyncio.Event().wait()
        finally:
            self._live.end()

    # --- pages ---

    async def _page(self, request: web.Request) -> web.Response:
        people = await self._load_people()
        language = request.query.get("lang") or language_of(
            request.headers.get("Accept-Language", "")[:20].split(",")[0]
        )
        if language not in LANGUAGES:
            language = "en"
        panes = []
        for workspace in self._workspaces.values():
            chosen = request.query.get(workspace.key)
            person = default_person(people, workspace, chosen)
            here = CallContext(person, workspace, GENERAL, people)
            panes.append((workspace, await self._render_pane(here)))
        theme = request.cookies.get("wwc_theme", "")
        html = page_html(language, theme if theme in ("light", "dark") else "", panes)
        return html_response(html)

    async def _pane(self, request: web.Request) -> web.Response:
        return html_response(await self._render_pane(await self._load_context(dict(request.query))))

    async def _render_pane(self, here: CallContext) -> str:
        view = await self._load_view(here.person, here.workspace, here.people)
        channels = self._channels(here.person, here.workspace, here.people)
        current = next(c for c in channels if c.key == here.key)
        messages = self._conversations.list_messages(
            here.workspace.key, here.channel, here.person.key
        )
        return pane_html(view, channels, current, messages)

    # --- calls ---

    async def _persons(self, request: web.Request) -> web.Response:
        wanted = fold_text(request.query.get("q", "")[:100]).split()
        items = [
            Item(f"{p.name} · {p.city}" if p.city else p.name, p.key, describe_person(p))
            for p in await self._load_people()
            if all(
                word in fold_text(f"{p.name} {p.city} {p.key} {describe_person(p)}")
                for word in wanted
            )
        ]
        return items_response(items[:MAX_PEOPLE])

    async def _suggest(self, request: web.Request) -> web.Response:
        query = request.query
        person, workspace = self._find_speaker(dict(query), await self._load_people())
        text = tidy(query.get("text", ""))
        direct = query.get("channel") == BOT
        sender = sender_of(person, workspace)
        asked = Request(sender, direct=direct)
        if "field" in query:
            verb, field = query.get("verb", ""), query["field"]
            options = await self._hub.suggest(asked, verb, field, text[:200])
            return items_response([Item(o.label, o.value, o.hint) for o in options])
        t = translator(await self._hub.language(sender))
        names = self._renderers[workspace.platform]
        found = await completions(
            CompletionContext(self._hub, asked, t, person.staff), names.read_command(text)
        )
        return items_response([replace(one, value=names.name_commands(one.value)) for one in found])

    async def _say(self, request: web.Request) -> web.Response:
        body = await body_of(request)
        here = await self._load_context(body)
        text = tidy(text_of(body, "text", required=True))
        if body.get("chat") is True and here.key != BOT:
            return await self._post_to_people(here, text)
        under = number_of(body, "reply") if "reply" in body else 0
        return await self._ask_hub(
            here,
            text,
            under,
            Request(
                sender=sender_of(here.person, here.workspace),
                words=strip_address(self._renderers[here.workspace.platform].read_command(text)),
                values=values_of(body),
                from_form=body.get("submitted") is True,
                channel="" if here.key == BOT else here.channel,
                direct=here.key == BOT,
            ),
        )

    async def _post_to_people(self, here: CallContext, text: str) -> web.Response:
        """Post a message between people; the hub does not handle it."""
        said = self._publish(here.workspace, here.channel, here.person.key, text[:MAX_TEXT])
        view = await self._load_view(here.person, here.workspace, here.people)
        html = message_html(said, view)
        return web.json_response({"plain": text, "private": False, "html": html})

    async def _ask_hub(
        self, here: CallContext, text: str, under: int, asked: Request
    ) -> web.Response:
        html = ""
        view = await self._load_view(here.person, here.workspace, here.people)
        spoken = asked.direct and not text.startswith("/") and not asked.from_form
        if spoken:
            root = self._find_message(here.workspace, str(under))
            words = self._publish(
                here.workspace,
                here.channel,
                here.person.key,
                text[:MAX_TEXT],
                under=quote_line(root) if root else "",
            )
            html = message_html(words, view)
            taken = await self._relay_message(here, words, str(under or ""))
            if taken and taken.receipt:
                words = self._change(words, receipt=plain(taken.receipt).strip())
                html = message_html(words, view)
            if taken:
                return self._relay_response(here, view, html, taken.reply)
        reply = await self._hub(asked)
        if isinstance(reply, Form):
            html += self._render_form(reply, view, asked.words)
        else:
            typed = view.name_commands(f"{SLASH} {asked.words}")
            said = "" if spoken else typed[:200].rstrip()
            html += message_html(self._post_answer(here, reply, view.t, said), view)
        private = isinstance(reply, Form) or reply.private
        text = view.name_commands(plain(reply))
        answer = {"plain": text, reply.kind: data(reply), "private": private, "html": html}
        return web.json_response(answer)

    def _relay_response(
        self, here: CallContext, view: View, html: str, say: Reply | None
    ) -> web.Response:
        """Respond to a relayed message; the hub adds a card only where something prevents it."""
        if isinstance(say, Card):
            html += message_html(self._post_answer(here, say, view.t, ""), view)
        said = view.name_commands(plain(say)) if say else ""
        return web.json_response({"plain": said, "private": True, "html": html})

    def _post_answer(self, here: CallContext, card: Card, t: Translator, said: str) -> Message:
        only = here.person.key if card.private and here.key != BOT else ""
        return self._post_card(
            here.workspace,
            here.channel,
            card,
            t,
            visible_to=only,
            command_text=said,
            command_author=here.person.key,
        )

    def _render_form(self, form: Form, view: View, words: str) -> str:
        """Render the modal; words that belong to its command are repeated when it is sent."""
        self._forms += 1
        said = words if f"{words} ".startswith(f"{form.command} ") else form.command
        renderer = self._renderers[view.workspace.platform]
        return form_html(form, lambda part: renderer.form(part, view.t), view, said, self._forms)

    async def _dismiss(self, request: web.Request) -> web.Response:
        body = await body_of(request)
        here, number = await self._load_context(body), number_of(body, "number")
        self._conversations.dismiss(here.workspace.key, here.channel, here.person.key, number)
        return web.json_response({"dismissed": number})

    async def _edit(self, request: web.Request) -> web.Response:
        body = await body_of(request)
        here, number = await self._load_context(body), number_of(body, "number")
        text = tidy(text_of(body, "text", required=True)).strip()
        if not text:
            raise BadCallError("«text» must not be empty; «remove» takes a message back.")
        changed = await self._edit_own_message(here, number, text)
        view = await self._load_view(here.person, here.workspace, here.people)
        return web.json_response({"number": number, "html": message_html(changed, view)})

    async def _remove(self, request: web.Request) -> web.Response:
        body = await body_of(request)
        here, number = await self._load_context(body), number_of(body, "number")
        await self._remove_own_message(here, number)
        return web.json_response({"number": number, "html": ""})

    # --- live updates ---

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        people = await self._load_people()
        keys = request.query.getall("as", [people[0].key])[:MAX_VIEWERS]
        viewers = [person_of(key, people) for key in keys]
        missed = self._conversations.list_since(last_seen_number(request), keys)

        async def draw(message: Message, viewer: Persona) -> dict[str, Any]:
            view = await self._load_view(viewer, self._workspaces[message.workspace], people)
            return {
                "as": viewer.key,
                "workspace": message.workspace,
                "channel": channel_of(message.channel, viewer),
                "number": message.number,
                "changed": message.is_changed,
                "html": "" if message.is_removed else message_html(message, view),
            }

        return await self._live.serve(request, viewers, missed, draw)

    async def _on_shutdown(self, _: web.Application) -> None:
        self._live.end()
