"""Reads the settings from the environment and `.env`; nothing else reads the environment."""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

PLACEHOLDER = re.compile(
    r"(?<![a-z0-9])(your|x{3,}(?![a-z0-9]))|x{5}|changeme|change-me|example|placeholder|<|…|\.{3}"
)
"""Matches what templates hold where a secret belongs; a random token never matches."""
DRIVERS = ("sqlite", "sqlite+aiosqlite", "postgres", "postgresql", "postgresql+psycopg")
ACCOUNT_PATTERN = re.compile(r"[^@:\s]+@[^@:\s]+|[a-z]+(:[^:\s]+){2}")
MIN_SECRET_LENGTH = 16

EX_CONFIG = 78
"""Exit code when a setting is wrong, as in sysexits.h."""


class ConfigurationError(Exception):
    """A setting is wrong: the text names the variable and the fault, never the value."""


class Settings(BaseSettings):
    """Everything the operator can set, from environment variables or `.env`."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", populate_by_name=True)

    database_url: str = "sqlite+aiosqlite:///wwc.db"
    slack_signing_secret: SecretStr | None = None
    slack_bot_token: SecretStr | None = None
    slack_app_token: SecretStr | None = None
    slack_client_id: str | None = None
    slack_client_secret: SecretStr | None = None
    slack_api_url: str = "https://slack.com/api/"
    slack_authorize_url: str = "https://slack.com/oauth/v2/authorize"
    discord_token: SecretStr | None = None
    discord_api_url: str = "https://discord.com/api/v10"
    discord_gateway_url: str = "wss://gateway.discord.gg"
    wwc_secret_key: SecretStr | None = None
    wwc_admins: str = ""
    wwc_host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)
    wwc_public_url: str = ""
    wwc_playground: Literal["on", "off", "public", ""] = ""
    wwc_log: str = "console"
    wwc_metrics_token: SecretStr | None = None

    @field_validator(
        "slack_api_url",
        "slack_authorize_url",
        "discord_api_url",
        "discord_gateway_url",
        "wwc_host",
        "port",
        "wwc_log",
        mode="before",
    )
    @classmethod
    def _default_when_empty(cls, value: object, info: ValidationInfo) -> object:
        return cls.model_fields[info.field_name or ""].default if value == "" else value

    @field_validator("database_url")
    @classmethod
    def _check_database_url(cls, value: str) -> str:
        try:
            driver = make_url(value).drivername
        except ArgumentError:
            raise ValueError("is not a database address; .env.example shows both kinds") from None
        if driver not in DRIVERS:
            raise ValueError("names a driver that is not here: sqlite or postgres is")
        return value

    @field_validator(
        "slack_signing_secret",
        "slack_bot_token",
        "slack_app_token",
        "slack_client_id",
        "slack_client_secret",
        "discord_token",
        "wwc_secret_key",
        "wwc_metrics_token",
        mode="before",
    )
    @classmethod
    def _reject_placeholder(cls, value: object) -> object:
        if not isinstance(value, str) or not value:
            return None
        if any(c.isspace() for c in value) or value[0] in "\"'" or value[-1] in "\"'":
            raise ValueError("has spaces, a line break or quotes around it")
        if PLACEHOLDER.search(value.casefold()):
            raise ValueError("still holds the placeholder")
        return value

    @field_validator("slack_signing_secret")
    @classmethod
    def _check_signing_secret(cls, value: SecretStr | None) -> SecretStr | None:
        if value and len(value.get_secret_value()) < MIN_SECRET_LENGTH:
            raise ValueError("is too short to be a signing secret")
        if value and value.get_secret_value().startswith(("xox", "xapp-")):
            raise ValueError("is a token; the signing secret is under Basic Information")
        return value

    @field_validator("slack_bot_token")
    @classmethod
    def _check_bot_token(cls, value: SecretStr | None) -> SecretStr | None:
        if value and not value.get_secret_value().startswith(("xoxb-", "xoxe.xoxb-")):
            raise ValueError("is not a bot token: those begin with xoxb-")
        return value

    @field_validator("slack_app_token")
    @classmethod
    def _check_app_token(cls, value: SecretStr | None) -> SecretStr | None:
        if value and not value.get_secret_value().startswith("xapp-"):
            raise ValueError("is not an app token: those begin with xapp-")
        return value

    @field_validator("discord_token")
    @classmethod
    def _check_discord_token(cls, value: SecretStr | None) -> SecretStr | None:
        if value and value.get_secret_value().startswith(("xox", "xapp-")):
            raise ValueError("is a token of Slack")
        return value

    @field_validator("wwc_secret_key")
    @classmethod
    def _check_secret_keys(cls, value: SecretStr | None) -> SecretStr | None:
        keys = value.get_secret_value().split(",") if value else []
        if any(len(key) < MIN_SECRET_LENGTH for key in keys):
            raise ValueError(
                f"holds a key that is too short: {MIN_SECRET_LENGTH} characters at least"
            )
        return value

    @field_validator("wwc_admins")
    @classmethod
    def _check_admins(cls, value: str) -> str:
        given = [one.strip() for one in value.split(",") if one.strip()]
        if not all(ACCOUNT_PATTERN.fullmatch(one) for one in given):
            raise ValueError("holds what is neither an e-mail nor platform:workspace:user")
        return value

    @field_validator("wwc_public_url")
    @classmethod
    def _check_public_url(cls, value: str) -> str:
        if value and not re.fullmatch(r"https?://[^/\s]+(/\S*)?", value):
            raise ValueError("is not an address that begins with https://")
        return value

    @property
    def slack(self) -> bool:
        """Return whether Slack is served: its signing secret or app token is set."""
        return self.slack_signing_secret is not None or self.slack_app_token is not None

    @property
    def discord(self) -> bool:
        """Return whether Discord is served: its token is set."""
        return self.discord_token is not None

    @property
    def playground(self) -> bool:
        """Return whether the page is served.

        Without a value of its own, it is served as long as no platform's tokens are set, and no
        address at which others reach this process.
        """
        if self.wwc_playground:
            return self.wwc_playground != "off"
        return not (self.slack or self.discord or _has_outside_address(self))

    @property
    def public_url(self) -> str:
        """Return the address where people reach this process from outside, without a last slash."""
        return (self.wwc_public_url or f"http://{self.wwc_host}:{self.port}").rstrip("/")

    @property
    def admins(self) -> frozenset[str]:
        """Return the accounts and e-mails that the operator made admins."""
        return frozenset(a.strip() for a in self.wwc_admins.split(",") if a.strip())


KNOWN_VARIABLES = {name.upper() for name in Settings.model_fields}
VALUE_HINTS = {"PORT": "is a number from 0 to 65535", "WWC_PLAYGROUND": "is on, off or public"}


def load_settings() -> Settings:
    """Return the settings; raise ConfigurationError about the first variable that is wrong."""
    _refuse_unknown()
    try:
        settings = Settings()
    except ValidationError as error:
        raise ConfigurationError(_error_sentence(error.errors()[0])) from None
    _refuse_combinations(settings)
    return settings


def _error_sentence(error: Any) -> str:
    """Return one sentence about an error in our own words: the library's may quote the value."""
    name = str(error["loc"][0]).upper()
    reason = error.get("ctx", {}).get("error") or VALUE_HINTS.get(name, "cannot be read")
    return f"{name} {reason}."


def _refuse_unknown() -> None:
    given = {name.upper() for name in os.environ} | set(_list_env_file_variables())
    unknown = sorted(n for n in given if n.startswith("WWC_") and n not in KNOWN_VARIABLES)
    if unknown:
        raise ConfigurationError(f"{unknown[0]} is not a setting of the hub; see .env.example.")


def _list_env_file_variables() -> list[str]:
    file = Path(".env")
    if not file.is_file():
        return []
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeError):
        raise ConfigurationError("The file .env cannot be read as UTF-8 text.") from None
    return [line.split("=")[0].removeprefix("export ").strip().upper() for line in lines]


# --- settings that cannot stand together -------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ForbiddenPair:
    """Two facts of the settings that cannot be true together, and a sentence with the way out."""

    one: Callable[[Settings], bool]
    other: Callable[[Settings], bool]
    sentence: str

    def stands_in(self, settings: Settings) -> bool:
        """Return whether the settings hold both."""
        return self.one(settings) and self.other(settings)


def _installs_slack(s: Settings) -> bool:
    return bool(s.slack_client_id and s.slack_client_secret)


def _has_half_of_client(s: Settings) -> bool:
    return bool(s.slack_client_id) is not bool(s.slack_client_secret)


def _can_send_to_slack(s: Settings) -> bool:
    return bool(s.slack_bot_token) or _installs_slack(s)


def _is_page_public(s: Settings) -> bool:
    return s.wwc_playground == "public"


def _is_page_private(s: Settings) -> bool:
    return s.playground and not _is_page_public(s)


def _has_outside_address(s: Settings) -> bool:
    return bool(s.wwc_public_url) and not _is_loopback(urlsplit(s.wwc_public_url).hostname or "")


FORBIDDEN_PAIRS = (
    ForbiddenPair(
        lambda s: bool(s.slack_client_id or s.slack_client_secret),
        _has_half_of_client,
        "SLACK_CLIENT_ID and SLACK_CLIENT_SECRET belong together: set both, "
        "or neither of them to serve the one workspace of SLACK_BOT_TOKEN.",
    ),
    ForbiddenPair(
        _can_send_to_slack,
        lambda s: not s.slack,
        "SLACK_SIGNING_SECRET or SLACK_APP_TOKEN is missing: "
        "without one of them nothing from Slack can be trusted.",
    ),
    ForbiddenPair(
        lambda s: s.slack,
        lambda s: not _can_send_to_slack(s),
        "SLACK_BOT_TOKEN is missing (or, to serve many workspaces, "
        "SLACK_CLIENT_ID and SLACK_CLIENT_SECRET).",
    ),
    ForbiddenPair(
        _is_page_public,
        lambda s: s.slack or s.discord,
        "WWC_PLAYGROUND=public cannot stand beside the tokens of SLACK_… or DISCORD_TOKEN, because "
        "anybody could act on real people there; set WWC_PLAYGROUND=off, or give the demo "
        "a hub and a DATABASE_URL of its own without tokens.",
    ),
    ForbiddenPair(
        _is_page_private,
        lambda s: not _is_loopback(s.wwc_host),
        "WWC_PLAYGROUND: the page has no sign-in, so it is served on this machine only and not at "
        "WWC_HOST; set WWC_PLAYGROUND=off, or WWC_PLAYGROUND=public if everybody may use it.",
    ),
    ForbiddenPair(
        _is_page_private,
        _has_outside_address,
        "WWC_PLAYGROUND: the page has no sign-in, and WWC_PUBLIC_URL would show it to everybody; "
        "set WWC_PLAYGROUND=off, or WWC_PLAYGROUND=public if everybody may use it.",
    ),
    ForbiddenPair(
        _installs_slack,
        lambda s: not s.wwc_public_url,
        "WWC_PUBLIC_URL is missing: after an installation with SLACK_CLIENT_ID "
        "Slack sends people back there.",
    ),
    ForbiddenPair(
        _installs_slack,
        lambda s: _has_outside_address(s) and not s.wwc_public_url.startswith("https://"),
        "WWC_PUBLIC_URL must begin with https:// beside SLACK_CLIENT_ID: "
        "Slack sends people back to no other address.",
    ),
    ForbiddenPair(
        lambda s: not s.database_url.startswith("sqlite"),
        lambda s: s.wwc_secret_key is None,
        "WWC_SECRET_KEY is required when DATABASE_URL names a shared database.",
    ),
)
"""Checked from the first to the last at every start."""


def _refuse_combinations(settings: Settings) -> None:
    for pair in FORBIDDEN_PAIRS:
        if pair.stands_in(settings):
            raise ConfigurationError(pair.sentence)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
