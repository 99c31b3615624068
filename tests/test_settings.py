"""What the operator got wrong is one sentence: it names the variable and never quotes its value."""

import re
from pathlib import Path

import pytest

from bot import settings
from bot.settings import ConfigurationError
from tests.conftest import Reading

SIGNING = {"SLACK_SIGNING_SECRET": "8f742231b10e8888abcd99yyyzzz85a5"}
BOT = {"SLACK_BOT_TOKEN": "xoxb-17653672481-19874698323-pdFZKVeTuE8sk7oOcBrzbqgy"}
CLIENT_SECRET = {"SLACK_CLIENT_SECRET": "0f1e2d3c4b5a69788796a5b4"}
CLIENT = {"SLACK_CLIENT_ID": "1234.5678", **CLIENT_SECRET}
APP = {"SLACK_APP_TOKEN": "xapp-1-A012-345-abcdef"}
DISCORD = {"DISCORD_TOKEN": "MTk4NjIyNDgzNDcx.Cl2FMQ.ZnCjm1XVW7vRze4b7Cq4se7kKWs"}
OUTSIDE = {"WWC_PUBLIC_URL": "https://hub.city.example"}
KEY = "Jc1xkQvY0b1aG9uVnWm3R5tZ"
SHARED = "postgresql://postgres:hunter22@db.internal/hub"


@pytest.fixture
def read(read: Reading, monkeypatch: pytest.MonkeyPatch) -> Reading:
    """The same as everywhere, but with no PORT: here its default is looked at too."""
    monkeypatch.delenv("PORT")
    return read


def refusal(read: Reading, **variables: str) -> str:
    """The sentence; none of the values is in it."""
    with pytest.raises(ConfigurationError) as refused:
        read(**variables)
    said = str(refused.value)
    assert said.endswith(".")
    assert "\n" not in said
    assert not [v for v in variables.values() if len(v) > 6 and v.strip() in said]
    assert refused.value.__cause__ is None
    return said


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("SLACK_BOT_TOKEN", "xoxb-your-token", "still holds the placeholder"),
        ("SLACK_BOT_TOKEN", "xoxb-xxx-xxx", "still holds the placeholder"),
        ("SLACK_BOT_TOKEN", "<paste it here>", "has spaces"),
        ("SLACK_BOT_TOKEN", "<paste-it-here>", "still holds the placeholder"),
        ("SLACK_BOT_TOKEN", BOT["SLACK_BOT_TOKEN"] + "\n", "a line break"),
        ("SLACK_BOT_TOKEN", f'"{BOT["SLACK_BOT_TOKEN"]}"', "quotes around it"),
        ("SLACK_BOT_TOKEN", BOT["SLACK_BOT_TOKEN"] + "'", "quotes around it"),
        ("SLACK_BOT_TOKEN", "xapp-1-A012-345-abcdef", "is not a bot token"),
        ("SLACK_BOT_TOKEN", "xoxp-17653672481-1987", "is not a bot token"),
        ("SLACK_APP_TOKEN", BOT["SLACK_BOT_TOKEN"], "is not an app token"),
        ("SLACK_SIGNING_SECRET", "8f742231b10e888", "is too short"),
        ("SLACK_SIGNING_SECRET", BOT["SLACK_BOT_TOKEN"], "is a token"),
        ("SLACK_SIGNING_SECRET", "changeme-changeme-changeme", "placeholder"),
        ("SLACK_CLIENT_SECRET", "your-client-secret", "placeholder"),
        ("SLACK_CLIENT_ID", " 1234.5678", "has spaces"),
        ("DISCORD_TOKEN", "MTk4NjIyNDgzNDcx OTI1MjQ4", "has spaces"),
        ("DISCORD_TOKEN", BOT["SLACK_BOT_TOKEN"], "is a token of Slack"),
        ("WWC_SECRET_KEY", f"{KEY},short", "holds a key that is too short"),
        ("WWC_SECRET_KEY", ",", "holds a key that is too short"),
        ("WWC_METRICS_TOKEN", "example-token", "placeholder"),
        ("WWC_ADMINS", "U0123ABCD", "holds what is neither an e-mail nor"),
        ("WWC_ADMINS", "ada@city.example,slack:U0123ABCD", "holds what is neither"),
        ("WWC_PUBLIC_URL", "hub.city.example", "is not an address"),
        ("WWC_PLAYGROUND", "sometimes", "is on, off or public"),
        ("PORT", "eighty-eighty", "is a number from 0 to 65535"),
        ("PORT", "6553600", "is a number from 0 to 65535"),
        ("DATABASE_URL", "", "is not a database address"),
        ("DATABASE_URL", "wwc-hub.db", "is not a database address"),
        ("DATABASE_URL", "mysql://root:hunter22@db/hub", "names a driver that is not here"),
        ("DATABASE_URL", "sqlite+pysqlite:///wwc.db", "names a driver that is not here"),
        ("DATABASE_URL", "postgresql+asyncpg://u:hunter22@db/hub", "names a driver"),
    ],
)
def test_a_wrong_value_is_named_not_quoted(read: Reading, name: str, value: str, why: str) -> None:
    """Each mistake people make with each variable."""
    said = refusal(read, **{name: value})
    assert said.startswith(f"{name} ")
    assert why in said
    assert "hunter22" not in said


def test_a_random_token_never_looks_like_a_placeholder(read: Reading) -> None:
    """Three x, or «your», happen by chance in the middle of what a machine made."""
    given = read(DISCORD_TOKEN="MTk4xxxNjIyNDyourgzNDcx.Cl2FMQ.ZnCjm1XVW7vRze4b7Cq4se7kKWs")
    assert given.discord


APART: tuple[tuple[list[dict[str, str]], dict[str, str]], ...] = (
    ([{**BOT, **SIGNING, "SLACK_CLIENT_ID": "1234.5678"}, {**SIGNING, **CLIENT_SECRET}],
     {**SIGNING, **CLIENT, **OUTSIDE}),
    ([BOT, {**BOT, "SLACK_SIGNING_SECRET": ""}, {**CLIENT, **OUTSIDE}],
     {**BOT, **SIGNING}),
    ([SIGNING, APP, {**APP, **DISCORD}],
     {**BOT, **APP}),
    ([{**BOT, **SIGNING, "WWC_PLAYGROUND": "public"}, {**DISCORD, "WWC_PLAYGROUND": "public"},
      {**SIGNING, **CLIENT, **OUTSIDE, "WWC_HOST": "0.0.0.0", "WWC_PLAYGROUND": "public"}],
     {**BOT, **SIGNING, "WWC_PLAYGROUND": "off"}),
    ([{"WWC_HOST": "0.0.0.0"}, {"WWC_HOST": "::", "WWC_PLAYGROUND": "on"},
      {**BOT, **SIGNING, "WWC_HOST": "10.1.2.3", "WWC_PLAYGROUND": "on"},
      {"WWC_HOST": "127.evil.example"}],
     {"WWC_HOST": "0.0.0.0", "WWC_PLAYGROUND": "public"}),
    ([{**OUTSIDE, "WWC_PLAYGROUND": "on"}, {**DISCORD, **OUTSIDE, "WWC_PLAYGROUND": "on"}],
     OUTSIDE),
    ([{**SIGNING, **CLIENT}, {**APP, **CLIENT, "WWC_PUBLIC_URL": ""}],
     {**SIGNING, **CLIENT, "WWC_PUBLIC_URL": "http://localhost:8080"}),
    ([{**SIGNING, **CLIENT, "WWC_PUBLIC_URL": "http://hub.city.example"}],
     {**SIGNING, **BOT, "WWC_PUBLIC_URL": "http://hub.city.example"}),
    ([{"DATABASE_URL": SHARED}, {"DATABASE_URL": "postgres://u:hunter22@db/hub"}],
     {"DATABASE_URL": SHARED, "WWC_SECRET_KEY": KEY}),
)  # fmt: skip
"""For each row of `FORBIDDEN_PAIRS`: settings that it forbids, and settings that follow it."""


def test_what_cannot_stand_together_is_refused_with_the_way_out(
    read: Reading, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each row of the table, by itself; one of the two facts alone is no fault."""
    for pair, (forbidden, mended) in zip(settings.FORBIDDEN_PAIRS, APART, strict=True):
        for variables in forbidden:
            said = refusal(read, **variables)
            assert said == pair.sentence
            assert re.search(r"(SLACK|DISCORD|WWC|DATABASE)_[A-Z]+", said)
            for name in variables:
                monkeypatch.delenv(name)
        read(**mended)
        for name in mended:
            monkeypatch.delenv(name)


def test_an_unknown_variable_of_ours_is_an_error(read: Reading) -> None:
    """A misspelt setting would otherwise be ignored in silence."""
    assert refusal(read, WWC_ADMIN="secret-value-1").startswith("WWC_ADMIN is not a setting")


def test_an_unknown_variable_in_the_file_is_an_error(read: Reading) -> None:
    """The same in `.env`; what others put there is theirs."""
    Path(".env").write_text("# WWC_OLD=1\nEDITOR=vi\nexport WWC_PLAYGRUOND=off\n")
    assert refusal(read).startswith("WWC_PLAYGRUOND is not a setting")


def test_the_file_is_read_like_the_environment(read: Reading) -> None:
    """Values of `.env` are checked too, and the environment wins."""
    Path(".env").write_text("PORT=99999999\n")
    assert refusal(read).startswith("PORT ")
    assert read(PORT="8081").port == 8081


def test_a_file_that_is_no_text_is_one_sentence(read: Reading) -> None:
    """Saved by an editor in another encoding."""
    Path(".env").write_bytes("WWC_ADMINS=josé@city.example".encode("latin-1"))
    assert ".env" in refusal(read)


def test_the_template_is_a_valid_file(read: Reading) -> None:
    """Copied and left as it is, `.env.example` changes nothing."""
    template = Path(settings.__file__).parent.parent / ".env.example"
    alone = read()
    Path(".env").write_text(template.read_text())
    assert read() == alone


def test_an_empty_variable_is_an_unset_one(read: Reading) -> None:
    """Hosts pass on empty variables; none of them may switch something on."""
    given = read(PORT="", WWC_LOG="", WWC_HOST="", SLACK_BOT_TOKEN="", DISCORD_API_URL="")
    assert (given.port, given.wwc_log, given.wwc_host) == (8080, "console", "127.0.0.1")
    assert given.discord_api_url == "https://discord.com/api/v10"
    assert not given.slack


def test_the_page_is_on_until_a_platform_is(read: Reading) -> None:
    """And then it must be asked for."""
    assert read().playground
    assert not read(**BOT, **SIGNING).playground
    assert read(WWC_PLAYGROUND="on").playground
    assert not read(WWC_PLAYGROUND="off").playground
    assert not read(**OUTSIDE, WWC_PLAYGROUND="").playground


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "localhost", "::1"])
def test_the_page_may_be_served_here(read: Reading, host: str) -> None:
    """This machine under all its names."""
    assert read(WWC_HOST=host).playground


def test_the_page_may_be_made_public_on_purpose(read: Reading) -> None:
    """Said in so many words."""
    assert read(WWC_HOST="0.0.0.0", WWC_PLAYGROUND="public").playground


def test_each_way_to_connect_slack(read: Reading) -> None:
    """One workspace over HTTP, one over a socket, many by installation."""
    assert read(**BOT, **SIGNING).slack
    assert read(**BOT, **APP, SLACK_SIGNING_SECRET="").slack
    assert read(**SIGNING, **CLIENT, **OUTSIDE, SLACK_APP_TOKEN="", SLACK_BOT_TOKEN="").slack


def test_addresses_and_admins_are_tidied(read: Reading) -> None:
    """What is derived from what was said."""
    assert read(PORT="9000").public_url == "http://127.0.0.1:9000"
    given = read(
        WWC_PUBLIC_URL="https://hub.city.example/",
        WWC_PLAYGROUND="off",
        WWC_ADMINS=" ada@city.example, slack:T1:U1 ,, slack:T-DEMO:eva@city.example",
    )
    assert given.public_url == "https://hub.city.example"
    assert given.admins == {"ada@city.example", "slack:T1:U1", "slack:T-DEMO:eva@city.example"}


def test_a_shared_database_with_a_key_is_fine(read: Reading) -> None:
    """Several keys too, newest first."""
    given = read(DATABASE_URL=SHARED, WWC_SECRET_KEY=f"{KEY},{KEY[::-1]}")
    assert given.database_url == SHARED
    assert KEY not in repr(given)
