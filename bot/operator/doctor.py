"""`wwc doctor`: checks everything the hub depends on; each fault comes with its exact fix."""

import json
import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import tzdata
from sqlalchemy import select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from bot import SYSTEM_ZONE_FOLDERS
from bot.adapters.base import Finding
from bot.app import COMMAND_HASH_KEY
from bot.operator.platforms import examine_platforms
from bot.settings import EX_CONFIG, ConfigurationError, Settings
from bot.storage import database, key_file, secret_keys, sqlite_file, translate_database_errors
from db import key_values, migrate, seed
from db.base import transaction
from db.cities import City
from db.installations import Installations

TZ_VERSION = re.compile(r"\b20\d\d[a-z]+\b")
PRAGMAS = {"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1"}
MIN_FREE_BYTES = 100 * 1024 * 1024
MAX_CLOCK_DRIFT = 60.0
"""Maximum seconds between the clock and that of the files or the database."""
BUILD_TIME = 1_760_000_000
"""Unix time, in seconds, before the hub was written: a clock before it is wrong."""


async def examine(settings: Settings) -> list[Finding]:
    """Check everything and return the findings.

    The database is first: if it has a fault, its contents are not checked.
    """
    found = [Finding("Settings", "readable"), *_check_folder(settings)]
    synced = ""
    try:
        async with database(settings) as engine:
            standing = await _check_database(settings, engine)
            found += standing
            if not any(f.is_fault for f in standing):
                with translate_database_errors():
                    found += [await _check_reference_data(engine), await _check_time_zones(engine)]
                    found.append(await _check_secret_key(settings, engine))
                    synced = await _load_synced_hash(engine)
    except ConfigurationError as error:
        found.append(Finding("Database", "cannot be opened", str(error)))
    asked = await examine_platforms(settings, synced)
    return found + (asked or [Finding("Platforms", "none connected: only the page is served")])


async def report(read: Callable[[], Settings], *, as_json: bool) -> int:
    """Print the findings; return 1 when something is to be done, 78 when the settings are wrong."""
    try:
        found = await examine(read())
        wrong = 1
    except ConfigurationError as error:
        found = [Finding("Settings", "wrong", str(error))]
        wrong = EX_CONFIG
    is_healthy = not any(f.is_fault for f in found)
    if as_json:
        told = [
            {"name": f.name, "ok": not f.is_fault, "said": f.status, "fix": f.fix} for f in found
        ]
        print(json.dumps({"healthy": is_healthy, "findings": told}, ensure_ascii=False, indent=2))
        return 0 if is_healthy else wrong
    for one in found:
        print(f"{'✗' if one.is_fault else '✓'} {one.name}: {one.status}")
        if one.is_fault:
            print(f"    → {one.fix}")
    return 0 if is_healthy else wrong


async def _load_synced_hash(engine: AsyncEngine) -> str:
    async with transaction(engine) as session:
        return await key_values.load_value(session, COMMAND_HASH_KEY)


# --- the machine ------------------------------------------------------------------------------


def _check_folder(settings: Settings) -> list[Finding]:
    file = sqlite_file(settings)
    folder = file.resolve().parent if file else Path(tempfile.gettempdir())
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".wwc-doctor-") as made:
            drift = os.stat(made.name).st_mtime - time.time()
    except OSError as error:
        fix = f"Let this user write to {folder} (it says {type(error).__name__})."
        return [Finding("Folder", "cannot be written", fix)]
    return [_check_free_space(folder), check_clock(drift, time.time())]


def _check_free_space(folder: Path) -> Finding:
    free = shutil.disk_usage(folder).free
    if free >= MIN_FREE_BYTES:
        return Finding("Folder", f"writable, {free // 1024**2} MB free")
    return Finding("Folder", "almost full", f"Make room in {folder}: 100 MB at least.")


def check_clock(drift: float, now: float) -> Finding:
    """Check the clock: `drift` from that of the files and `now` are in seconds.

    Announcements are made at instants, so the host's time zone does not matter.
    """
    if now < BUILD_TIME or abs(drift) > MAX_CLOCK_DRIFT:
        fix = "Set this machine's clock, for example with `timedatectl set-ntp true`."
        return Finding("Clock", "wrong: it differs from the files', or is years behind", fix)
    return Finding("Clock", "right, as far as this machine can tell")


# --- the database -----------------------------------------------------------------------------


async def _check_database(settings: Settings, engine: AsyncEngine) -> list[Finding]:
    file = sqlite_file(settings)
    if file and not file.exists():
        return [Finding("Database", "not there yet", "Run `wwc db upgrade`, or start the hub.")]
    try:
        found = [_check_revision(await migrate.revision(engine))]
        if not found[0].is_fault:
            found.append(_check_tables(await migrate.list_differences(engine)))
            found += await _check_sqlite(engine) if file else [await _check_server_clock(engine)]
    except (SQLAlchemyError, OSError) as error:
        fix = "Start the server or correct DATABASE_URL; a damaged file is replaced from a backup."
        return [Finding("Database", f"no answer ({type(error).__name__})", fix)]
    return found


def _check_revision(now: str) -> Finding:
    if now == migrate.head():
        return Finding("Database", f"reachable, at {now}")
    if now and now not in migrate.revisions():
        return Finding("Database", f"at {now}, newer than this program", "Update the program.")
    return Finding("Database", "older than this program", "Run `wwc db upgrade`.")


def _check_tables(differences: Sequence[str]) -> Finding:
    if not differences:
        return Finding("Tables", "as this program needs them")
    said = f"changed by hand in {len(differences)} places: {differences[0]}"
    fix = "Undo the change (`wwc db check` lists all), or `wwc restore` the newest backup."
    return Finding("Tables", said, fix)


async def _check_server_clock(engine: AsyncEngine) -> Finding:
    async with engine.connect() as connection:
        theirs = await connection.scalar(text("SELECT EXTRACT(EPOCH FROM clock_timestamp())"))
    off = float(theirs or 0) - time.time()
    if abs(off) <= MAX_CLOCK_DRIFT:
        return Finding("Database clock", "right")
    fix = "Set the clocks of both machines, for example with `timedatectl set-ntp true`."
    return Finding("Database clock", f"{off:+.0f} seconds from this machine's", fix)


async def _check_reference_data(engine: AsyncEngine) -> Finding:
    async with transaction(engine) as session:
        if await seed.is_empty(session):
            return Finding("Reference data", "missing", "Run `wwc seed`.")
    return Finding("Reference data", "there")


async def _check_sqlite(engine: AsyncEngine) -> list[Finding]:
    async with engine.connect() as connection:
        values = {
            name: str(await connection.scalar(text(f"PRAGMA {name}"))).lower() for name in PRAGMAS
        }
        sound = await connection.scalar(text("PRAGMA quick_check"))
    wrong = [name for name, value in values.items() if value != PRAGMAS[name]]
    fix = "Put the file on a local disk: network folders cannot keep it safe." if wrong else ""
    said = f"{', '.join(wrong)} not as needed" if wrong else "durable on power cuts"
    damage = "" if sound == "ok" else "Stop the hub and run `wwc restore` with the newest backup."
    return [
        Finding("SQLite", said, fix),
        Finding("SQLite file", "damaged" if damage else "sound", damage),
    ]


async def _check_time_zones(engine: AsyncEngine) -> Finding:
    async with transaction(engine) as session:
        zones = set((await session.scalars(select(City.zone))).all())
    missing = sorted(zone for zone in zones if not is_zone(zone))
    if missing:
        fix = "Install the package tzdata anew: pip install --force-reinstall tzdata."
        return Finding("Time zones", f"unknown: {', '.join(missing[:5])}", fix)
    said = f"all {len(zones)} of the cities are known, with the rules of {tzdata.IANA_VERSION}"
    return Finding("Time zones", f"{said}; {_describe_system_zones()}")


def _describe_system_zones() -> str:
    """Return how old the machine's own files of zones are, which the hub never reads."""
    folders = [Path(folder) for folder in SYSTEM_ZONE_FOLDERS if Path(folder).is_dir()]
    if not folders:
        return "this machine has none of its own"
    for file in (folders[0] / name for name in ("tzdata.zi", "+VERSION", "version")):
        if file.is_file() and (found := TZ_VERSION.search(file.read_text("utf-8", "replace")[:80])):
            return f"this machine's own ({found[0]}) are not used"
    return "this machine's own (of unknown age) are not used"


def is_zone(name: str) -> bool:
    """Return whether this machine knows the time zone."""
    try:
        return bool(ZoneInfo(name))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False


async def _check_secret_key(settings: Settings, engine: AsyncEngine) -> Finding:
    """Check that the secret key opens the stored tokens, without creating a key.

    A key made now would hide that the right one was lost.
    """
    file = key_file(settings)
    try:
        keys: Sequence[str] = ["none"]
        if settings.wwc_secret_key or file.exists():
            keys = secret_keys(settings)
        there, lost = await Installations(engine, keys or ["none"]).count_unreadable()
    except (OSError, ConfigurationError) as error:
        fix = f"Let this user read {file}, and nobody else (it says {type(error).__name__})."
        return Finding("Secret key", "cannot be read", fix)
    if lost:
        fix = (
            "Add the key the tokens were kept with to WWC_SECRET_KEY, after a comma"
            f"{'' if settings.wwc_secret_key else f' (or put {file.name} back)'}; "
            "if it is lost, install the app again in those workspaces."
        )
        return Finding("Secret key", f"opens {there - lost} of {there} stored tokens", fix)
    return Finding("Secret key", f"opens all {there} stored tokens" if there else "in order")
