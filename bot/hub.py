"""The hub: every request becomes a command, a transaction and a reply, in this one place."""

from collections.abc import Callable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from bot import deliveries, reference
from bot.cards import Form, Option, Reply
from bot.commands import (
    COMPLETIONS,
    LISTENERS,
    CommandMatch,
    Context,
    MessageContext,
    load_commands,
)
from bot.dispatch import remember_event, reply_to
from bot.domain.phrases import is_greeting, list_tokens
from bot.errors import DuplicateEventError
from bot.faults import busy_text, fault_card, is_database_busy, log_fault
from bot.i18n import language_of, translator
from bot.links import Links
from bot.metrics import REQUEST_SECONDS, REQUESTS
from bot.parsing import clean_text, parse_words
from bot.reference import Reference
from bot.request import HandledMessage, IncomingMessage, Request, Sender
from bot.verbs import find_command, strip_address
from db import audit, inbound, members, outbox, workspaces
from db.base import transaction
from db.members import Account

MAX_TYPED = 200
"""Characters of a field that are completed; whoever typed more needs no completion."""


class Hub:
    """Answers requests from every platform. Errors become cards, but for two (`__call__`)."""

    def __init__(
        self,
        engine: AsyncEngine,
        *,
        admins: frozenset[str] = frozenset(),
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        links: Links = Links(),  # noqa: B008 - frozen, so it may be shared
    ) -> None:
        self.commands = load_commands()
        self.listeners = tuple(LISTENERS)
        self.links = links
        self.engine = engine
        self._admins = admins
        self._clock = clock
        self._reference_cache: Reference | None = None
        self.on_enqueued: Callable[[], None] = lambda: None
        """Called after a request that put something into the outbox was committed."""

    async def __call__(self, request: Request) -> Reply:
        """Return the reply to one request.

        Raises DuplicateEventError for an event that was answered already, and DBAPIError if a retry
        (`request.is_retry`) cannot be saved.
        """
        found = self._find_command(request.words)
        with REQUEST_SECONDS.labels(request.sender.platform).time():
            reply, outcome = await self._answer_safely(request, found)
        name = found[0].name if found else "unknown"
        REQUESTS.labels(request.sender.platform, name, outcome).inc()
        return reply

    async def _answer_safely(self, request: Request, found: CommandMatch) -> tuple[Reply, str]:
        t = translator(language_of(request.sender.locale))
        try:
            return await self._answer(request, found), "answered"
        except DuplicateEventError:
            raise
        except DBAPIError as error:
            if request.is_retry:
                raise
            return fault_card(error, busy_text(t) if is_database_busy(error) else None, t), "failed"
        except Exception as error:  # the one place where unexpected errors become cards
            return fault_card(error, None, t), "failed"

    async def form(self, request: Request) -> Form:
        """Return the form of a command as it would open now, filled with what the words say.

        Opening it changes nothing: words that would be enough to write are not run. Raises
        LookupError if no command matches.
        """
        found = self._find_command(request.words)
        if found is None:
            raise LookupError("no such command")
        asked, values = found[0], parse_words(found[1], found[0].arguments)
        if not (asked.writes and values):
            reply = await self(Request(request.sender, request.words, channel=request.channel))
            if isinstance(reply, Form):
                return reply
        known = await self._load_reference()
        async with transaction(self.engine) as session:
            ctx = await self._build_context(session, request, known)
            if asked.current_values and asked.allow.permits(ctx.viewer):
                values = {**await asked.current_values(ctx), **values}
            return asked.form(ctx.t, values)

    async def suggest(
        self, request: Request, verb: str, field: str, text: str
    ) -> tuple[Option, ...]:
        """Return up to 25 completions for a field, the typed text first unless it is one."""
        found = self.commands.get(verb)
        argument = next((a for a in found.arguments if a.name == field), None) if found else None
        if found is None or argument is None or argument.suggests not in COMPLETIONS:
            return ()
        text = text[:MAX_TYPED]
        try:
            known = await self._load_reference()
            async with transaction(self.engine) as session:
                ctx = await self._build_context(session, request, known)
                if not found.allow.permits(ctx.viewer):
                    return ()
                options = tuple(await COMPLETIONS[argument.suggests](ctx, clean_text(text)))
        except Exception as error:
            log_fault(error)
            return ()
        return _add_typed_option(options, clean_text(text)[:100])

    async def handle_message(self, message: IncomingMessage) -> HandledMessage | None:
        """Offer a direct message, or an edit or reaction there, to the declared listeners.

        Returns the result of the first listener that handles it; the others are not called. All
        that it saves, the keys of the event included, is one transaction. Returns None if no
        listener handled it; then it may be a command. Raises when nothing could be saved.
        """
        now, taken = self._clock(), None
        async with transaction(self.engine) as session:
            concerned = [x for x in self.listeners if await x.may_concern(session, message)]
        if not concerned:
            return None
        async with transaction(self.engine, writes=True) as session:
            ctx = MessageContext(session, now, self.commands, self.links)
            for listener in concerned:
                taken = await listener.handle(ctx, message)
                if taken is not None:
                    break
            enqueued = session.info.get("enqueued", False)
        if enqueued:
            self.on_enqueued()
        return taken

    async def language(self, sender: Sender) -> str:
        """Return the language a sender reads: the member's own choice, else the platform's."""
        try:
            async with transaction(self.engine) as session:
                account = await members.find_account(
                    session, sender.platform, sender.workspace, sender.user
                )
        except DBAPIError as error:
            log_fault(error)
            return language_of(sender.locale)
        return _reader_language(sender, account)

    async def record_event(self, key: str) -> bool:
        """Record an event by its key; return False if it was recorded before."""
        async with transaction(self.engine, writes=True) as session:
            return await inbound.remember_event(session, key, self._clock())

    async def on_workspace_removed(self, platform: str, workspace: str) -> None:
        """Mark a workspace that removed the hub, and cancel the deliveries to it."""
        async with transaction(self.engine, writes=True) as session:
            home = await workspaces.find_workspace(session, platform, workspace)
            if home:
                home.removed_at = self._clock()
                ended = await outbox.cancel_in_workspace(
                    session, platform, workspace, self._clock(), "workspace removed"
                )
                await session.flush()
                await deliveries.run_ended_hooks(session, self._clock(), ended)
                audit.record_act(
                    session, self._clock(), None, "workspace removed", f"workspace:{home.id}"
                )

    # --- steps of one request ---

    def _find_command(self, words: str) -> CommandMatch:
        """Return the command and the rest of the words; no words, or a greeting, mean `help`."""
        is_empty = is_greeting(list_tokens(strip_address(words)))
        return find_command(self.commands, "help" if is_empty else words)

    async def _answer(self, request: Request, found: CommandMatch) -> Reply:
        known = await self._load_reference()
        writes = bool(request.event) or (found is not None and found[0].writes)
        reply: Reply | None = None
        async with transaction(self.engine, writes=writes) as session:
            ctx = await self._build_context(session, request, known)
            if not self._is_first_contact(ctx):
                # in the transaction of its effect: both are saved, or neither is
                if not await remember_event(ctx):
                    raise DuplicateEventError(request.event)
                reply = await reply_to(ctx, found)
            enqueued = session.info.get("enqueued", False)
        if reply is None:
            await self._register_account(request)
            return await self._answer(request, found)
        if enqueued:
            self.on_enqueued()
        return reply

    def _is_first_contact(self, ctx: Context) -> bool:
        sender = ctx.request.sender
        if sender.is_outsider or not sender.workspace:
            return False
        if ctx.account is None or ctx.account.workspace.removed_at is not None:
            return True
        if ctx.request.direct and not ctx.account.reachable:
            return True  # they write to the hub directly, so it can write to them again
        return ctx.account.member is None and self._is_admin(sender)

    async def _register_account(self, request: Request) -> None:
        """Save the sender's account; one that the operator named becomes an admin."""
        now, sender = self._clock(), request.sender
        async with transaction(self.engine, writes=True) as session:
            account = await members.get_or_create_account(
                session, sender.platform, sender.workspace, sender.user, now
            )
            account.name, account.locale = clean_text(sender.name), clean_text(sender.locale)
            account.zone = _parse_zone(sender.zone)
            account.workspace.gathers = sender.can_open_group_chat
            account.reachable = account.reachable or request.direct
            if self._is_admin(sender) and account.member is None:
                await members.make_admin(session, account, now)
                audit.record_act(session, now, None, "admin by setting", f"account:{account.id}")

    def _is_admin(self, sender: Sender) -> bool:
        key = f"{sender.platform}:{sender.workspace}:{sender.user}"
        return key in self._admins and not sender.is_outsider

    async def _load_reference(self) -> Reference:
        """Return the reference data, from memory while it is fresh.

        It is read in a transaction of its own: a rollback would expire the objects.
        """
        now = self._clock()
        if self._reference_cache is None or not self._reference_cache.is_fresh(now):
            async with transaction(self.engine) as session:
                self._reference_cache = await reference.load_reference(session, now)
        return self._reference_cache

    async def _build_context(
        self, session: AsyncSession, request: Request, known: Reference
    ) -> Context:
        now, sender = self._clock(), request.sender
        account = await members.find_account(
            session, sender.platform, sender.workspace, sender.user
        )
        return Context(
            session=session,
            request=request,
            account=account,
            viewer=None if sender.is_outsider or account is None else account.member,
            now=now,
            t=translator(_reader_language(sender, account)),
            reference=known,
            commands=self.commands,
            links=self.links,
        )


def _parse_zone(text: str) -> str:
    """Return the platform's time zone if this machine knows it, else an empty string."""
    try:
        return ZoneInfo(text).key
    except (ValueError, KeyError, OSError):
        return ""


def _reader_language(sender: Sender, account: Account | None) -> str:
    if account and account.member:
        return account.member.language
    return language_of(sender.locale or (account.locale if account else ""))


def _add_typed_option(options: tuple[Option, ...], text: str) -> tuple[Option, ...]:
    known = any(text.casefold() in (o.value.casefold(), o.label.casefold()) for o in options)
    if not text or known:
        return options[:25]
    return (Option(f"«{text}»", text), *options)[:25]
