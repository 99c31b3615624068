"""What is built from the settings: an open database, the hub, and the admins they name."""

from sqlalchemy import select

from bot import app
from db.base import transaction
from db.members import Member, MemberRole
from tests.conftest import Reading


async def test_admins_are_granted_by_e_mail(read: Reading, database: str) -> None:
    """At every start; who is not a member yet is passed over."""
    given = read(DATABASE_URL=database, WWC_ADMINS="ben@city.example,nobody@city.example")
    made = (
        select(Member.email, MemberRole.role).join(Member.roles).where(MemberRole.role == "admin")
    )
    for _ in range(2):
        async with app.open_app(given) as running, transaction(running.engine) as session:
            admins = {tuple(row) for row in await session.execute(made)}
        assert admins == {("ada@city.example", "admin"), ("ben@city.example", "admin")}
