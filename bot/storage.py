"""Opens the database that the settings name; finds its file and the keys of its secrets."""

import contextlib
import gc
import os
import secrets
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from functools import cache, partial
from pathlib import Path

from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.settings import ConfigurationError, Settings
from db import migrate
from db.base import open_engine


@asynccontextmanager
async def database(settings: Settings) -> AsyncIterator[AsyncEngine]:
    """Yield the engine of the database, and close it at the end."""
    gc.enable()  # `__main__` disabled it for the imports
    engine = open_database(settings)
    close_to_others(settings)
    try:
        yield engine
    finally:
        await engine.dispose()


def close_to_others(settings: Settings) -> None:
    """Let only the owner read and write the database, its journal and its key, as they exist.

    New ones are created so: `cli.main` sets the umask. What belongs to somebody else stays as is.
    """
    file = sqlite_file(settings)
    if file is None:
        return
    for one in (
        file,
        *(file.with_name(file.name + end) for end in ("-wal", "-shm")),
        key_file(settings),
    ):
        with contextlib.suppress(FileNotFoundError, PermissionError):
            if one.stat().st_mode & 0o077:
                one.chmod(0o600)


def open_database(settings: Settings) -> AsyncEngine:
    """Return the engine of the database; nothing is connected yet.

    Raises ConfigurationError if the folder of the file or the driver is missing.
    """
    file = sqlite_file(settings)
    if file and not file.resolve().parent.is_dir():
        raise ConfigurationError("DATABASE_URL names a folder that does not exist; make it first.")
    try:
        return open_engine(settings.database_url, seal_keys=cache(partial(secret_keys, settings)))
    except ImportError as error:
        raise ConfigurationError(
            "DATABASE_URL needs a driver that is not installed: pip install 'wwc-hub[postgres]'."
        ) from error


@contextmanager
def translate_database_errors() -> Iterator[None]:
    """Raise database errors as a ConfigurationError of one sentence.

    The database's own words may quote its address, which holds a password.
    """
    try:
        yield
    except migrate.SchemaError as error:
        raise ConfigurationError(str(error)) from error
    except (SQLAlchemyError, OSError) as error:
        raise ConfigurationError(
            f"DATABASE_URL: the database cannot be opened or written ({type(error).__name__}). "
            "Is the file a database this user may write, or the server up and the password right?"
        ) from error


def is_embedded(settings: Settings) -> bool:
    """Return whether the database is embedded (SQLite) and not on a server."""
    return make_url(settings.database_url).get_backend_name() == "sqlite"


def sqlite_file(settings: Settings) -> Path | None:
    """Return the file of an embedded database; None for one in memory or on a server."""
    name = make_url(settings.database_url).database
    in_memory = name in (None, "", ":memory:")
    return Path(str(name)) if is_embedded(settings) and not in_memory else None


def key_file(settings: Settings) -> Path:
    """Return the file that keeps the secret key when WWC_SECRET_KEY is unset."""
    return (sqlite_file(settings) or Path("wwc.db")).with_suffix(".key")


def secret_keys(settings: Settings) -> Sequence[str]:
    """Return the keys that encrypt secrets at rest and seal the audit log, newest first.

    When WWC_SECRET_KEY is unset, a key is created beside the database file. Raises
    ConfigurationError if that file is empty.
    """
    if settings.wwc_secret_key:
        return [k for k in settings.wwc_secret_key.get_secret_value().split(",") if k]
    file = key_file(settings)
    if not file.exists():
        with contextlib.suppress(FileExistsError):
            handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "w") as opened_file:
                opened_file.write(secrets.token_urlsafe(32))
    kept = file.read_text().strip()
    if not kept:
        raise ConfigurationError("WWC_SECRET_KEY is unset, and the key kept beside the file empty.")
    return [kept]
