"""A database that was lent to a test comes back as it was at first."""

from typing import Any

import psycopg

from tests.databases import Postgres
from tests.pool import Pool


def read_everything(url: str) -> dict[str, Any]:
    """Return each table's rows and each sequence's (last value, whether it was given out)."""
    with psycopg.connect(url) as connection:
        found: dict[str, Any] = {}
        relations = connection.execute(
            "SELECT relname, relkind FROM pg_class WHERE relkind IN ('r', 'S')"
            " AND relnamespace = 'public'::regnamespace"
        ).fetchall()
        for name, kind in relations:
            columns = "last_value, is_called" if kind == "S" else "*"
            found[name] = connection.execute(f"SELECT {columns} FROM {name}".encode()).fetchall()
    return found


def test_what_a_test_wrote_is_undone(postgres: Postgres, postgres_template: str) -> None:
    """Rows added, changed and deleted, and numbers taken by what was rolled back."""
    pool = Pool(postgres, postgres_template)
    try:
        name = pool.lend()
        first = read_everything(postgres.url(name))
        with psycopg.connect(postgres.url(name)) as connection:
            connection.execute("INSERT INTO gate (key, set_at, until) VALUES ('x', now(), now())")
            connection.execute("UPDATE member SET name = 'Somebody else' WHERE id = 1")
            connection.execute("DELETE FROM member WHERE id = 3")
            connection.commit()
            connection.execute("SELECT nextval('member_id_seq')")
            connection.rollback()
            assert read_everything(postgres.url(name)) != first
            pool.take_back(name)  # while the test still holds a connection
        assert pool.lend() == name
        assert read_everything(postgres.url(name)) == first
    finally:
        pool.close()


def test_a_database_whose_tables_were_altered_is_not_lent_again(
    postgres: Postgres, postgres_template: str
) -> None:
    """The next one is new, and as the template is."""
    pool = Pool(postgres, postgres_template)
    try:
        for change in (
            "CREATE TABLE more (id int)",
            "ALTER TABLE member DROP COLUMN bio",
            "ALTER TABLE member ALTER COLUMN bio DROP NOT NULL",
            "DROP TABLE audit",
        ):
            name = pool.lend()
            with psycopg.connect(postgres.url(name), autocommit=True) as connection:
                connection.execute(change.encode())
            pool.take_back(name)
            other = pool.lend()
            assert other != name, change
            pool.take_back(other)
    finally:
        pool.close()
