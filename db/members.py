"""People: members, their roles, and their accounts in workspaces."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, Protocol

from sqlalchemy import (
    ColumnElement,
    ForeignKey,
    Index,
    UniqueConstraint,
    and_,
    bindparam,
    delete,
    func,
    or_,
    select,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, contains_eager, joinedload, mapped_column, selectinload
from sqlalchemy.orm import relationship as related

from db.base import Base, insert_if_absent
from db.cities import City
from db.tags import Tagged
from db.text import fold_text
from db.workspaces import HAS_REAL_WORKSPACE, Workspace, find_workspace, has_real_workspace

Visibility = Literal["community", "city", "nobody"]
"""Who may see a field of a profile: all members, those of the same city, or nobody."""

FIELDS_WITH_VISIBILITY = ("title", "topics", "languages", "hours", "bio")


CITY_LEAD = "lead"
"""The role of members who let colleagues of their own city in; staff grant it."""

STAFF_ROLES = ("staff", "admin")
"""The roles of the programme's staff."""


class Person(Protocol):
    """What a list shows of a person: a member, or a row with only these columns."""

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
    """Return whether this viewer may see that field: one's own always, others' as they chose."""
    if viewer is None:
        return False
    if viewer.id == person.id:
        return True
    seen = getattr(person, f"seen_{field}")
    colleagues = person.city_id is not None and person.city_id == viewer.city_id
    return person.is_in_directory and (seen == "community" or (seen == "city" and colleagues))


class MemberRole(Base):
    """A role of a member, such as staff, admin or city lead."""

    __tablename__ = "member_role"
    member_id: Mapped[int] = mapped_column(
        ForeignKey("member.id", ondelete="CASCADE"), primary_key=True
    )
    role: Mapped[str] = mapped_column(primary_key=True)


class Member(Tagged):
    """A person. Programme staff may have no city.

    `listed`: agreed to be shown in the directory. `synthetic`: invented for the demo.
    `monthly_asks`: how many introductions a month the person wants at most, None for no limit;
    `asks_taken` counts those of the month `asks_month` («2026-11»). `spoken`: codes of languages,
    each with a space before and after, so that a query can look for ` es `. No unrequested message
    is sent from `quiet_from` to `quiet_to`, nor beyond `weekly_ceiling` of them in seven days.
    Until `muted_until` the member may read, but write to nobody. `status` is verified, suspended
    or left. `way` is what proved the person at `proved_at`: code, invitation, workspace, email,
    approval, setting; empty when it was not recorded. «kept»: see `db/kept.py`.
    """

    __tablename__ = "member"
    tag_letter, made_in = "m", "created_at"
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
    roles: Mapped[list[MemberRole]] = related(
        primaryjoin=lambda: and_(Member.id == MemberRole.member_id, MAY_HOLD_ROLES),
        lazy="raise",
        cascade="all, delete-orphan",
    )

    @property
    def first_name(self) -> str:
        """The first word of the name, used to address the person in a sentence."""
        return self.name.split(" ")[0]

    @property
    def languages(self) -> tuple[str, ...]:
        """The codes of the languages the person speaks."""
        return tuple(self.spoken.split())

    def is_field_visible(self, field: str, viewer: "Member | None") -> bool:
        """Return whether this viewer may see that field."""
        return is_field_visible(self, field, viewer)

    @property
    def is_in_directory(self) -> bool:
        """Whether the person agreed to be found, and is verified."""
        return self.listed and self.status == "verified"

    def is_muted(self, now: datetime) -> bool:
        """Return whether staff have stopped the person, for a while, from writing to others."""
        return self.muted_until is not None and now < self.muted_until

    def has_role(self, *roles: str) -> bool:
        """Return whether the person has one of these roles; `roles` must be loaded."""
        return any(r.role in roles for r in self.roles)

    def is_colleague_of(self, other: "Member") -> bool:
        """Return whether both belong to the same city."""
        return self.city_id is not None and self.city_id == other.city_id

    def is_full(self, month: str) -> bool:
        """Return whether the person has had as many asks in this month as they want.

        `month` is written as in `asks_month`.
        """
        if self.monthly_asks is None:
            return False
        return (self.asks_taken if self.asks_month == month else 0) >= self.monthly_asks


MAY_HOLD_ROLES: ColumnElement[bool] = or_(Member.synthetic.is_(False), ~HAS_REAL_WORKSPACE)
"""The demo's people hold roles only as long as there is nobody real over whom to have them."""


class Account(Base):
    """A user of a platform in a workspace: the key is platform, workspace and user.

    `reachable`: direct messages are open. `preferred`: of several accounts, the one on which the
    member wants to get messages.
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
"""Loads an account's member with the roles; reloading an account would forget them otherwise."""

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
    """Find the account and load its member, city and roles, in one query.

    Without a workspace (a direct message outside any) it is the user's newest account on the
    platform; accounts of members come first.
    """
    asked = {"platform": platform, "user": user}
    if workspace:
        found = await session.scalars(_IN_WORKSPACE, {**asked, "workspace": workspace})
    else:
        found = await session.scalars(_ON_PLATFORM, asked)
    return found.unique().first()


async def list_workspaces(session: AsyncSession) -> Sequence[tuple[Workspace, int]]:
    """Return every workspace with the number of its members' accounts; removed ones come last."""
    query = (
        select(Workspace, func.count(Account.member_id))
        .outerjoin(Account, Account.workspace_id == Workspace.id)
        .group_by(Workspace.id)
        .order_by(Workspace.removed_at.is_not(None), Workspace.id)
    )
    return [(home, number) for home, number in (await session.execute(query)).all()]


async def get_or_create_workspace(
    session: AsyncSession, platform: str, external_id: str, now: datetime
) -> Workspace:
    """Return the workspace with the platform's id for it, created if it is new.

    The first one of real people takes their roles from the people of the demo.
    """
    if (known := await find_workspace(session, platform, external_id)) is not None:
        return known
    place = {"platform": platform, "external_id": external_id}
    await insert_if_absent(session, Workspace, **place, first_seen=now)
    invented = select(Member.id).where(Member.synthetic, HAS_REAL_WORKSPACE)
    await session.execute(delete(MemberRole).where(MemberRole.member_id.in_(invented)))
    made = await find_workspace(session, platform, external_id)
    if made is None:
        raise LookupError("the workspace vanished while it was made")
    return made


async def get_or_create_account(
    session: AsyncSession, platform: str, workspace: str, user: str, now: datetime
) -> Account:
    """Return the account of a sender, created at first contact together with its workspace.

    Its row stays locked until the end of the transaction: of several first contacts at once, each
    sees what the one before it did.
    """
    home = await get_or_create_workspace(session, platform, workspace, now)
    if home.removed_at is not None:
        home.removed_at = None  # the hub was installed there again
    key = {"workspace_id": home.id, "external_id": user}
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
        synthetic=account.workspace.is_demo,
        roles=[],
    )


async def may_hold_roles(session: AsyncSession, person: Member) -> bool:
    """Return whether the person may be given a role; `MAY_HOLD_ROLES` says who may."""
    return not person.synthetic or not await has_real_workspace(session)


async def make_admin(session: AsyncSession, account: Account, now: datetime) -> Member:
    """Make the account a verified member with the admin role, not listed in the directory."""
    person = _build_member(account, now)
    if await may_hold_roles(session, person):
        person.roles = [MemberRole(role="admin")]
    person.way, person.proved_at = "setting", now
    account.member = person
    await session.flush()
    return person


async def grant_admin(session: AsyncSession, email: str) -> None:
    """Give the admin role to the member with this address, if there is one who may hold it."""
    query = select(Member).where(Member.email == email.casefold(), MAY_HOLD_ROLES)
    person = await session.scalar(query.options(joinedload(Member.roles)))
    if person and all(r.role != "admin" for r in person.roles):
        person.roles.append(MemberRole(role="admin"))


async def admit(session: AsyncSession, account: Account, city: City, now: datetime) -> Member:
    """Create a verified member of a city for the account; listed only once they agree."""
    person = _build_member(account, now)
    person.city_id, person.language = city.id, city.language
    person.spoken = f" {city.language} "
    person.zone = account.zone or city.zone
    account.member = person
    await session.flush()
    return person


async def load_member(session: AsyncSession, member_id: int) -> Member | None:
    """Load one member by id with the roles, whatever its status."""
    return await session.get(Member, member_id, options=[joinedload(Member.roles)])


async def load_names(session: AsyncSession, ids: Sequence[int]) -> dict[int, str]:
    """Return the names of these members, by id."""
    query = select(Member.id, Member.name).where(Member.id.in_(ids))
    return {row[0]: row[1] for row in await session.execute(query)} if ids else {}


async def find_by_name(session: AsyncSession, name: str, limit: int = 6) -> Sequence[Member]:
    """Return the members, of every status, whose names contain all these words; for staff only.

    The verified ones come first. Their `roles` are loaded.
    """
    wanted = fold_text(name).split()
    if not wanted:
        return []
    query = (
        select(Member)
        .where(*(Member.folded.contains(word, autoescape=True) for word in wanted))
        .options(selectinload(Member.roles))
        .order_by(Member.status != "verified", Member.folded, Member.id)
        .limit(limit)
    )
    return (await session.scalars(query)).all()


async def find_by_email(session: AsyncSession, email: str) -> Member | None:
    """Find the member with this verified address, with the roles."""
    query = select(Member).where(Member.email == email.casefold())
    return await session.scalar(query.options(selectinload(Member.roles)))


async def list_unassigned_accounts(session: AsyncSession, limit: int = 20) -> Sequence[Account]:
    """Return accounts that wrote to the hub and belong to no member yet, oldest first."""
    query = select(Account).where(Account.member_id.is_(None)).order_by(Account.id).limit(limit)
    return (await session.scalars(query)).all()


async def list_role_holders(
    session: AsyncSession, roles: Sequence[str], city_id: int | None = None
) -> Sequence[Member]:
    """Load verified members with one of these roles, in this city if given, by id; and `roles`."""
    query = select(Member).where(
        Member.status == "verified",
        MAY_HOLD_ROLES,
        Member.id.in_(select(MemberRole.member_id).where(MemberRole.role.in_(roles))),
    )
    if city_id is not None:
        query = query.where(Member.city_id == city_id)
    query = query.options(selectinload(Member.roles)).order_by(Member.id)
    return (await session.scalars(query)).all()


async def has_members(session: AsyncSession) -> bool:
    """Return whether there is any member yet."""
    return await session.scalar(select(Member.id).limit(1)) is not None
