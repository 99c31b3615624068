"""The database that is named: opened, or refused in one sentence that gives nothing away."""

import sqlite3
import stat
import sys
from pathlib import Path

import pytest

from bot import app, storage
from bot.settings import ConfigurationError, Settings
from db import migrate
from db.base import open_engine, transaction
from tests.conftest import Reading
from tests.stories.program import KEY


async def opening(given: Settings) -> str:
    """The sentence with which a start is refused."""
    with pytest.raises(ConfigurationError) as refusal:
        async with app.open_app(given):
            pass
    return str(refusal.value)


async def test_a_folder_that_does_not_exist(read: Reading) -> None:
    """Nobody makes folders by mistake."""
    said = await opening(read(DATABASE_URL="sqlite:///no/such/folder/hub.db"))
    assert "folder" in said
    assert "no/such" not in said


async def test_a_database_that_is_none(read: Reading, tmp_path: Path) -> None:
    """A folder, or a file of something else."""
    (tmp_path / "notes.txt").write_text("minutes of the last meeting " * 100)
    for name in ("", "/notes.txt"):
        said = await opening(read(DATABASE_URL=f"sqlite:///{tmp_path}{name}"))
        assert said.startswith("DATABASE_URL: the database cannot be opened or written")
        assert str(tmp_path) not in said


async def test_a_server_that_does_not_answer(read: Reading) -> None:
    """The password stays out of the sentence, whoever else would quote it."""
    url = "postgresql://postgres:hunter22@127.0.0.1:1/hub"
    said = await opening(read(DATABASE_URL=url, **KEY))
    assert said.startswith("DATABASE_URL: ")
    assert "hunter22" not in said


async def test_a_driver_that_is_not_installed(
    read: Reading, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The package is named: it is an extra."""
    monkeypatch.setitem(sys.modules, "psycopg", None)
    said = await opening(read(DATABASE_URL="postgresql://127.0.0.1/hub", **KEY))
    assert "wwc-hub[postgres]" in said


async def test_a_newer_database_is_left_alone(read: Reading, database: str, tmp_path: Path) -> None:
    """An older program would write what the newer one cannot read."""
    with sqlite3.connect(tmp_path / "hub.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    assert "newer than this program" in await opening(read(DATABASE_URL=database))


def test_the_key_is_made_once_and_for_this_user_alone(read: Reading, tmp_path: Path) -> None:
    """Whoever reads it reads the tokens."""
    given = read(DATABASE_URL=f"sqlite:///{tmp_path}/hub.db")
    first = storage.secret_keys(given)
    file = tmp_path / "hub.key"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert first == [file.read_text()] == storage.secret_keys(given)
    assert len(first[0]) > 40
    file.write_text("\n")
    with pytest.raises(ConfigurationError, match="WWC_SECRET_KEY"):
        storage.secret_keys(given)


def test_keys_that_are_set_leave_no_file(read: Reading, tmp_path: Path) -> None:
    """Newest first, as given."""
    newer, older = "n" * 20, "o" * 20
    assert storage.secret_keys(read(WWC_SECRET_KEY=f"{newer},{older}")) == [newer, older]
    assert list(tmp_path.iterdir()) == []


async def test_no_process_upgrades_a_shared_database_by_itself(read: Reading, shared: str) -> None:
    """Older and newer are told apart; `say` would not change it either."""
    given = read(DATABASE_URL=shared, **KEY)
    assert "older than this program" in await opening(given)
    engine = open_engine(shared)
    await migrate.upgrade(engine)
    async with transaction(engine, writes=True) as session:
        connection = await session.connection()
        await connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    await engine.dispose()
    assert "newer than this program" in await opening(given)
