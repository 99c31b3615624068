"""The hub: every request becomes a command, a transaction and a reply, in this one place."""

from collections.abc import Callable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from bot import deliveries, reference
from bot.cards import Form, Option, Reply
from bot.commands import COMPLETIONS, LISTENERS, Context, MessageContext, load
from bot.dispatch import Found, find_command, remember_event, reply_to
from bot.errors import Repeated
from bot.faults import busy, failed, is_busy, reference_code
from bot.i18n import language_of, translator
from bot.links import Links
from bot.metrics import REQUESTS, SECONDS
from bot.parsing import clean, words_to_values
from bot.reference import Reference
from bot.request import Heard, Request, Sender, Taken
from db import audit, inbound, members, outbox
from db.base import unit
from db.members import Account


class Hub:
    """Answers requests from every platform. What goes wrong becomes a card, never an exception."""

    def __init__(
        self,
        engine: AsyncEngine,
        *,
        admins: frozenset[str] = frozenset(),
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        links: Links = Links(),  # noqa: B008 - frozen
    ) -> None:
        self.commands = load()
        self.listeners = tuple(LISTENERS)
        self.links = links
        self.engine = engine
        self._admins = admins
        self._clock = clock
        self._known: Reference | None = None
        self.owed: Callable[[], None] = lambda: None
        """Called when a request put something into the outbox and is saved."""

    async def __call__(self, request: Request) -> Reply:
        """The reply to one request; raises `Repeated` for an event that was answered already."""
        found = find_command(self.commands, request.words)
        with SECONDS.labels(request.sender.platform).time():
            reply, outcome = await self._guarded(request, found)
        name = found[0].name if found else "unknown"
        REQUESTS.labels(request.sender.platform, name, outcome).inc()
        return reply

    async def _guarded(self, request: Request, found: Found) -> tuple[Reply, str]:
        t = translator(language_of(request.sender.locale))
        try:
            return await self._answer(request, found), "answered"
        except Repeated:
            raise
        except DBAPIError as error:
            if request.retold:
                raise
            return failed(error, busy(t) if is_busy(error) else None, t), "failed"
        except Exception as error:  # the one place where faults become cards
            return failed(error, None, t), "failed"

    async def form(self, request: Request) -> Form:
        """The form of a command as it would open now, filled with what the words say.

        Opening it does nothing: words that would be enough to write are not run.
        """
        found = find_command(self.commands, request.words)
        if found is None:
            raise LookupError("no such command")
        asked, values = found[0], words_to_values(found[1], found[0].arguments)
        if not (asked.writes and values):
            reply = await self(Request(request.sender, request.words, channel=request.channel))
            if isinstance(reply, Form):
                return reply
        known = await self._reference()
        async with unit(self.engine) as session:
            ctx = await self._context(session, request, known)
            if asked.as_is and asked.allow.permits(ctx.viewer):
                values = {**await asked.as_is(ctx), **values}
            return asked.form(ctx.t, values)

    async def suggest(
        self, request: Request, verb: str, field: str, typed: str
    ) -> tuple[Option, ...]:
        """Up to 25 completions for one field; what was typed stands first unless it is one."""
        found = self.commands.get(verb)
        argument = next((a for a in found.arguments if a.name == field), None) if found else None
        if found is None or argument is None or argument.suggests not in COMPLETIONS:
            return ()
        try:
            known = await self._reference()
            async with unit(self.engine) as session:
                ctx = await self._context(session, request, known)
                if not found.allow.permits(ctx.viewer):
                    return ()
                options = tuple(await COMPLETIONS[argument.suggests](ctx, clean(typed)))
        except Exception as error:
            reference_code(error)
            return ()
        return _with_typed(options, clean(typed)[:100])

    async def heard(self, heard: Heard) -> Taken | None:
        """Offer something done in the direct messages with the hub to the declared listeners.

        The first listener that takes it is the only one; what it saves, the keys of the event
        included, is one transaction. None: nobody took it, and it may be a command. Raises when
        nothing could be saved.
        """
        now, taken = self._clock(), None
        async with unit(self.engine) as session:
            concerned = [x for x in self.listeners if await x.may_concern(session, heard)]
        if not concerned:
            return None
        async with unit(self.engine, writes=True) as session:
            ctx = MessageContext(session, now, self.commands, self.links)
            for listener in concerned:
                taken = await listener.handle(ctx, heard)
                if taken is not None:
                    break
            owed = session.info.get("owed", False)
        if owed:
            self.owed()
        return taken

    async def language(self, sender: Sender) -> str:
        """The language a sender reads: the member's own choice, else the platform's."""
        try:
            async with unit(self.engine) as session:
                account = await members.account_of(
                    session, sender.platform, sender.workspace, sender.user
                )
        except DBAPIError as error:
            reference_code(error)
            return language_of(sender.locale)
        return _language(sender, account)

    async def first_time(self, key: str) -> bool:
        """False if the event of this key was seen before."""
        async with unit(self.engine, writes=True) as session:
            return await inbound.first_time(session, key, self._clock())

    async def removed(self, platform: str, workspace: str) -> None:
        """The hub was taken out of a workspace."""
        async with unit(self.engine, writes=True) as session:
            home = await members.workspace_of(session, platform, workspace)
            if home:
                home.removed_at = self._clock()
                ended = await outbox.cancel_in(
                    session, platform, workspace, self._clock(), "workspace removed"
                )
                await session.flush()
                await deliveries.tell_ended(session, self._clock(), ended)
                audit.note(
                    session, self._clock(), None, "workspace removed", f"workspace:{home.id}"
                )

    # --- steps of one request ---

    async def _answer(self, request: Request, found: Found) -> Reply:
        known = await self._reference()
        writes = bool(request.event) or (found is not None and found[0].writes)
        reply: Reply | None = None
        async with unit(self.engine, writes=writes) as session:
            ctx = await self._context(session, request, known)
            if not self._is_first_contact(ctx):
                # in the transaction of its effect: either both are saved or neither is
                if not await remember_event(ctx):
                    raise Repeated(request.event)
                reply = await reply_to(ctx, found)
            owed = session.info.get("owed", False)
        if reply is None:
            await self._meet(request)
            return await self._answer(request, found)
        if owed:
            self.owed()
        return reply

    def _is_first_contact(self, ctx: Context) -> bool:
        sender = ctx.request.sender
        if sender.stranger or not sender.workspace:
            return False
        if ctx.account is None or ctx.account.workspace.removed_at is not None:
            return True
        if ctx.request.direct and not ctx.account.reachable:
            return True  # they write to the hub directly, so it can write to them again
        return ctx.account.member is None and self._is_admin(sender)

    async def _meet(self, request: Request) -> None:
        """The account is written down; one that the operator named becomes an admin."""
        now, sender = self._clock(), request.sender
        async with unit(self.engine, writes=True) as session:
            account = await members.meet(
                session, sender.platform, sender.workspace, sender.user, now
            )
            account.name, account.locale = clean(sender.name), clean(sender.locale)
            account.zone = _zone(sender.zone)
            account.workspace.gathers = sender.gathers
            account.reachable = account.reachable or request.direct
            if self._is_admin(sender) and account.member is None:
                await members.make_admin(session, account, now)
                audit.note(session, now, None, "admin by setting", f"account:{account.id}")

    def _is_admin(self, sender: Sender) -> bool:
        key = f"{sender.platform}:{sender.workspace}:{sender.user}"
        return key in self._admins and not sender.stranger

    async def _reference(self) -> Reference:
        """What is kept in memory, read in a transaction of its own: a rollback would empty it."""
        now = self._clock()
        if self._known is None or not self._known.is_fresh(now):
            async with unit(self.engine) as session:
                self._known = await reference.read(session, now)
        return self._known

    async def _context(self, session: AsyncSession, request: Request, known: Reference) -> Context:
        now, sender = self._clock(), request.sender
        account = await members.account_of(session, sender.platform, sender.workspace, sender.user)
        return Context(
            session=session,
            request=request,
            account=account,
            viewer=None if sender.stranger or account is None else account.member,
            now=now,
            t=translator(_language(sender, account)),
            known=known,
            commands=self.commands,
            links=self.links,
        )


def _zone(text: str) -> str:
    """A time zone as the platform names it, if there is one of that name."""
    try:
        return ZoneInfo(text).key
    except (ValueError, KeyError, OSError):
        return ""


def _language(sender: Sender, account: Account | None) -> str:
    if account and account.member:
        return account.member.language
    return language_of(sender.locale or (account.locale if account else ""))


def _with_typed(options: tuple[Option, ...], text: str) -> tuple[Option, ...]:
    known = any(text.casefold() in (o.value.casefold(), o.label.casefold()) for o in options)
    if not text or known:
        return options[:25]
    return (Option(f"«{text}»", text), *options)[:25]
