"""People: members, the accounts they speak from, the workspaces these live in, and roles."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, Protocol

from sqlalchemy import ForeignKey, Index, UniqueConstraint, bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, contains_eager, joinedload, mapped_column, selectinload
from sqlalchemy.orm import relationship as related

from db.base import Base, insert_if_absent
from db.cities import City
from db.text import fold_text

Visibility = Literal["community", "city", "nobody"]
"""Who may see a field of a profile."""

FIELDS_WITH_VISIBILITY = ("title", "topics", "languages", "hours", "bio")


CITY_LEAD = "lead"
"""The role of a member who lets colleagues of the own city in; staff grant it."""


class Person(Protocol):
    """What a list shows of somebody: a member, or as much of one as was asked for."""

    @property
    def id(self) -> int: ...
    @property
    def name(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def spoken(self) -> str: ...
    @property
    def synthetic(self) -> bool: ...
    @property
    def city_id(self) -> int | None: ...
    @property
    def is_in_directory(self) -> bool: ...


def is_field_visible(person: Person, field: str, viewer: Person | None) -> bool:
    """May this viewer see that field? Oneself always, others as the person chose."""
    if viewer is None:
        return False
    if viewer.id == person.id:
        return True
    seen = getattr(person, f"seen_{field}")
    colleagues = person.city_id is not None and person.city_id == viewer.city_id
    return person.is_in_directory and (seen == "community" or (seen == "city" and colleagues))


class Workspace(Base):
    """A Slack team or a Discord server.

    `city_id`: staff marked it as that city's own. `vouched`: staff know that its people cannot
    choose their e-mail addresses themselves. `gathers`: the hub can open a conversation of several
    people and itself there.
    """

    __tablename__ = "workspace"
    __table_args__ = (UniqueConstraint("platform", "external_id"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    platform: Mapped[str]
    external_id: Mapped[str]
    name: Mapped[str] = mapped_column(default="")
    city_id: Mapped[int | None] = mapped_column(ForeignKey("city.id"), index=True)
    first_seen: Mapped[datetime]
    removed_at: Mapped[datetime | None]
    gathers: Mapped[bool] = mapped_column(default=False)
    vouched: Mapped[bool] = mapped_column(default=False)


class MemberRole(Base):
    """What a member may do beyond being one: staff, admin, and later leads and coaches."""

    __tablename__ = "member_role"
    member_id: Mapped[int] = mapped_column(
        ForeignKey("member.id", ondelete="CASCADE"), primary_key=True
    )
    role: Mapped[str] = mapped_column(primary_key=True)


class Member(Base):
    """A person. Programme staff may have no city.

    `listed`: agreed to stand in the directory. `synthetic`: invented for the demo.
    `monthly_asks`: how many introductions a month the person wants at most, None for no limit;
    `asks_taken` counts those of the month `asks_month` («2026-11»). `spoken`: the codes of the
    languages with a space on each side of each, so that one is found by ` es `. From `quiet_from`
    to `quiet_to`, and beyond `weekly_ceiling` messages in seven days, nothing unasked-for is sent.
    Until `muted_until` the member may look, but write to nobody. `status` is verified, suspended
    or left. `way` is what proved the person at `proved_at`: code, invitation, workspace, email,
    approval, setting; empty when nothing was written down.
    """

    __tablename__ = "member"
    __table_args__ = (Index("ix_member_city", "city_id", "listed"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    folded: Mapped[str] = mapped_column(index=True)
    email: Mapped[str | None] = mapped_column(unique=True)
    city_id: Mapped[int | None] = mapped_column(ForeignKey("city.id"))
    status: Mapped[str] = mapped_column(default="verified")
    synthetic: Mapped[bool] = mapped_column(default=False)
    listed: Mapped[bool] = mapped_column(default=False)
    title: Mapped[str] = mapped_column(default="")
    bio: Mapped[str] = mapped_column(default="")
    language: Mapped[str] = mapped_column(default="en")
    spoken: Mapped[str] = mapped_column(default=" en ")
    zone: Mapped[str] = mapped_column(default="UTC")
    hours_from: Mapped[str] = mapped_column(default="09:00")
    hours_to: Mapped[str] = mapped_column(default="17:00")
    open_to_questions: Mapped[bool] = mapped_column(default=True)
    monthly_asks: Mapped[int | None]
    asks_taken: Mapped[int] = mapped_column(default=0)
    asks_month: Mapped[str] = mapped_column(default="")
    seen_title: Mapped[str] = mapped_column(default="community")
    seen_topics: Mapped[str] = mapped_column(default="community")
    seen_languages: Mapped[str] = mapped_column(default="community")
    seen_hours: Mapped[str] = mapped_column(default="city")
    seen_bio: Mapped[str] = mapped_column(default="community")
    quiet_from: Mapped[str] = mapped_column(default="19:00")
    quiet_to: Mapped[str] = mapped_column(default="08:00")
    weekly_ceiling: Mapped[int] = mapped_column(default=7)
    muted_until: Mapped[datetime | None]
    created_at: Mapped[datetime]
    confirmed_at: Mapped[datetime]
    way: Mapped[str] = mapped_column(default="")
    proved_at: Mapped[datetime | None]
    welcomed_at: Mapped[datetime | None]
    city: Mapped[City | None] = related(lazy="joined")
    roles: Mapped[list[MemberRole]] = related(lazy="raise", cascade="all, delete-orphan")

    @property
    def first_name(self) -> str:
        """What the person is called in a sentence: the first word of the name."""
        return self.name.split(" ")[0]

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages the person speaks."""
        return tuple(self.spoken.split())

    def is_field_visible(self, field: str, viewer: "Member | None") -> bool:
        """May this viewer see that field?"""
        return is_field_visible(self, field, viewer)

    @property
    def is_in_directory(self) -> bool:
        """Did the person agree to be found, and is still one of us?"""
        return self.listed and self.status == "verified"

    def is_muted(self, now: datetime) -> bool:
        """Did staff take away, for a while, writing to others?"""
        return self.muted_until is not None and now < self.muted_until

    def has_role(self, *roles: str) -> bool:
        """Has the person one of these roles?"""
        return any(r.role in roles for r in self.roles)

    def is_colleague_of(self, other: "Member") -> bool:
        """Do both work for the same city?"""
        return self.city_id is not None and self.city_id == other.city_id

    def is_full(self, month: str) -> bool:
        """Has the person had as many asks this month as they wanted?"""
        if self.monthly_asks is None:
            return False
        return (self.asks_taken if self.asks_month == month else 0) >= self.monthly_asks


class Account(Base):
    """A platform user in a workspace: the key is platform, workspace and user.

    `reachable`: can be written to directly. `preferred`: the one of several where its member
    wants to be told things.
    """

    __tablename__ = "account"
    __table_args__ = (UniqueConstraint("workspace_id", "external_id"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    workspace_id: Mapped[int] = mapped_column(ForeignKey("workspace.id", ondelete="CASCADE"))
    external_id: Mapped[str]
    member_id: Mapped[int | None] = mapped_column(
        ForeignKey("member.id", ondelete="CASCADE"), index=True
    )
    name: Mapped[str] = mapped_column(default="")
    locale: Mapped[str] = mapped_column(default="")
    zone: Mapped[str] = mapped_column(default="")
    first_seen: Mapped[datetime]
    reachable: Mapped[bool] = mapped_column(default=True)
    preferred: Mapped[bool] = mapped_column(default=False)
    member: Mapped[Member | None] = related(lazy="joined")
    workspace: Mapped[Workspace] = related(lazy="joined", innerjoin=True)


WITH_MEMBER = joinedload(Account.member).selectinload(Member.roles)
"""Reading an account anew forgets what was known of its member, roles and all, but for this."""

_ON_PLATFORM = (
    select(Account)
    .join(Account.workspace)
    .where(Workspace.platform == bindparam("platform"), Account.external_id == bindparam("user"))
    .options(
        contains_eager(Account.workspace),
        joinedload(Account.member).joinedload(Member.roles),
        joinedload(Account.member).joinedload(Member.city),
    )
    .order_by(Account.member_id.is_(None), Account.id.desc())
)
_IN_WORKSPACE = _ON_PLATFORM.where(Workspace.external_id == bindparam("workspace"))


async def find_account(
    session: AsyncSession, platform: str, workspace: str, user: str
) -> Account | None:
    """The account with its member, city and roles: one query.

    Without a workspace (a direct message outside any) it is the user's newest account there, a
    member's before one that still waits.
    """
    asked = {"platform": platform, "user": user}
    if workspace:
        found = await session.scalars(_IN_WORKSPACE, {**asked, "workspace": workspace})
    else:
        found = await session.scalars(_ON_PLATFORM, asked)
    return found.unique().first()


async def find_workspace(
    session: AsyncSession, platform: str, external_id: str
) -> Workspace | None:
    """One workspace by the platform's id of it."""
    return await session.scalar(
        select(Workspace).where(
            Workspace.platform == platform, Workspace.external_id == external_id
        )
    )


async def list_workspaces(session: AsyncSession) -> Sequence[tuple[Workspace, int]]:
    """Every workspace with how many members speak from it; those the hub left stand last."""
    query = (
        select(Workspace, func.count(Account.member_id))
        .outerjoin(Account, Account.workspace_id == Workspace.id)
        .group_by(Workspace.id)
        .order_by(Workspace.removed_at.is_not(None), Workspace.id)
    )
    return [(home, number) for home, number in (await session.execute(query)).all()]


async def get_or_create_account(
    session: AsyncSession, platform: str, workspace: str, user: str, now: datetime
) -> Account:
    """The account of a sender, made at first contact together with its workspace.

    Its row stays locked until the end of the transaction: of several first contacts at once each
    sees what the one before it did.
    """
    home = await find_workspace(session, platform, workspace)
    if home is None:
        place = {"platform": platform, "external_id": workspace}
        await insert_if_absent(session, Workspace, **place, first_seen=now)
        home = await find_workspace(session, platform, workspace)
    elif home.removed_at is not None:
        home.removed_at = None  # it came back
    key = {"workspace_id": home and home.id, "external_id": user}
    mine = select(Account.id).filter_by(**key).with_for_update()
    if await session.scalar(mine) is None:
        await insert_if_absent(session, Account, **key, first_seen=now)
        await session.scalar(mine)
    account = await find_account(session, platform, workspace, user)
    if account is None:
        raise LookupError("the account vanished while it was made")
    return account


def _build_member(account: Account, now: datetime) -> Member:
    name = account.name or account.external_id
    return Member(
        name=name,
        folded=fold_text(name),
        created_at=now,
        confirmed_at=now,
        zone=account.zone or "UTC",
        roles=[],
    )


async def make_admin(session: AsyncSession, account: Account, now: datetime) -> Member:
    """The account becomes a verified member with the admin role, outside the directory."""
    person = _build_member(account, now)
    person.roles = [MemberRole(role="admin")]
    person.way, person.proved_at = "setting", now
    account.member = person
    await session.flush()
    return person


async def grant_admin(session: AsyncSession, email: str) -> None:
    """The member of this address, if there is one, becomes an admin."""
    query = select(Member).where(Member.email == email.casefold())
    person = await session.scalar(query.options(joinedload(Member.roles)))
    if person and all(r.role != "admin" for r in person.roles):
        person.roles.append(MemberRole(role="admin"))


async def admit(session: AsyncSession, account: Account, city: City, now: datetime) -> Member:
    """The account becomes a verified member of a city, not listed until the person says so."""
    person = _build_member(account, now)
    person.city_id, person.language = city.id, city.language
    person.spoken = f" {city.language} "
    person.zone = account.zone or city.zone
    account.member = person
    await session.flush()
    return person


async def load_member(session: AsyncSession, member_id: int) -> Member | None:
    """One member by id, whatever its status."""
    return await session.get(Member, member_id, options=[joinedload(Member.roles)])


async def load_names(session: AsyncSession, ids: Sequence[int]) -> dict[int, str]:
    """What these members are called."""
    query = select(Member.id, Member.name).where(Member.id.in_(ids))
    return {row[0]: row[1] for row in await session.execute(query)} if ids else {}


async def find_by_email(session: AsyncSession, email: str) -> Member | None:
    """The member with this address, as it was verified."""
    return await session.scalar(select(Member).where(Member.email == email.casefold()))


async def list_unassigned_accounts(session: AsyncSession, limit: int = 20) -> Sequence[Account]:
    """Accounts that spoke to the hub and belong to no member yet, oldest first."""
    query = select(Account).where(Account.member_id.is_(None)).order_by(Account.id).limit(limit)
    return (await session.scalars(query)).all()


async def holding(
    session: AsyncSession, roles: Sequence[str], city_id: int | None = None
) -> Sequence[Member]:
    """The verified members with one of these roles, in this city if one is given, by number.

    Their `roles` are loaded.
    """
    query = select(Member).where(
        Member.status == "verified",
        Member.id.in_(select(MemberRole.member_id).where(MemberRole.role.in_(roles))),
    )
    if city_id is not None:
        query = query.where(Member.city_id == city_id)
    query = query.options(selectinload(Member.roles)).order_by(Member.id)
    return (await session.scalars(query)).all()


async def list_synthetic(session: AsyncSession, limit: int | None = None) -> Sequence[Member]:
    """The demo's people in the order they were made; the first is the default viewer."""
    query = select(Member).where(Member.synthetic).order_by(Member.id).limit(limit)
    return (await session.scalars(query.options(selectinload(Member.roles)))).all()


async def has_members(session: AsyncSession) -> bool:
    """Is there any member yet?"""
    return await session.scalar(select(Member.id).limit(1)) is not None
