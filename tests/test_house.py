"""The house keeps its own rules: rooms, names, lengths."""

import ast
import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import bot
from bot.commands import COMMANDS, Allow, load_commands
from tests import counts

ROOT = Path(bot.__file__).parent.parent
CODE = sorted([*(ROOT / "bot").rglob("*.py"), *(ROOT / "db").rglob("*.py")])
TESTS = sorted((ROOT / "tests").rglob("*.py"))
HANDLERS = sorted((ROOT / "bot/handlers").glob("[a-z]*.py"))
PLATFORMS = re.compile(r"slack|discord", re.IGNORECASE)
MAY_NAME_PLATFORMS = {
    "bot/app.py": "the composition root builds the adapters",
    "bot/serving.py": "each platform may have a process of its own",
    "bot/operator/platforms.py": "the operator asks each of them",
    "bot/settings.py": "tokens have the platforms' names",
    "bot/cli.py": "the operator chooses a platform",
    "db/workspaces.py": "the demo's workspaces are one of each platform",
}
ROOT_OF_BOT = {
    "the program's door": {"__main__", "cli", "app", "serving", "storage", "settings"},
    "the frame of one request": {
        "hub", "dispatch", "commands", "verbs", "parsing", "forms", "cards",
    },
    "what the frame hands to everybody": {
        "request", "deliveries", "reference", "links", "i18n", "errors", "faults", "logs",
        "metrics", "failpoints",
    },
    "rooms": {
        "domain", "community", "handlers", "adapters", "web", "jobs", "operator",
    },
}  # fmt: skip
"""The frame and the door stand at the root of bot/; everything else has a room."""
READ_SETTINGS = {"__main__", "cli", "operator", "serving", "app", "storage", "settings"}
"""Everybody else is handed what they need of the settings."""
WAYS_IN = {"join", "link", "my-data", "appeal"}
"""Only here may somebody who is no member change anything: their own standing and data."""
MAY_BE_LONG: dict[str, str] = {
    "db/migrations/versions/0001_directory.py": "migrations are written once and never edited",
}


def name_of(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def strings_and_names(file: Path) -> Iterator[str]:
    """Everything the program can act on; documentation may name whom it likes."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            node.value.value = ""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif isinstance(node, ast.Name | ast.alias):
            yield node.id if isinstance(node, ast.Name) else node.name
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "SECURITY.md"])
def test_what_the_pages_point_to_is_there(page: str) -> None:
    """Files, folders and commands of the program that a reader is sent to; X stands for any."""
    text = (ROOT / page).read_text(encoding="utf-8")
    for path in re.findall(r"(?:bot|db|tests|docs)/[\w/]*\w\.\w+", text):
        assert "X" in path or (ROOT / path).exists(), path
    known = (ROOT / "bot/cli.py").read_text(encoding="utf-8")
    for verb in re.findall(r"(?:bin/|[^/])wwc ([a-z]+)", text):
        assert re.search(rf'"{verb}"|def {verb}\(', known), verb
    for verb in re.findall(r"[^n]/wwc ([a-z-]+)", text):
        assert any(name.split()[0] == verb for name in load_commands()), verb


@pytest.mark.parametrize("file", CODE, ids=name_of)
def test_platforms_are_named_in_their_adapters_only(file: Path) -> None:
    """The playground draws both of them; the rest of the house knows none."""
    where = name_of(file)
    if where.startswith("bot/adapters/") or where in MAY_NAME_PLATFORMS:
        return
    named = [said for said in strings_and_names(file) if PLATFORMS.search(said)]
    assert named == [], where


@pytest.mark.parametrize(
    ("where", "others"),
    [("slack", "discord"), ("discord", "slack"), ("base.py", "slack|discord"),
     ("terminal.py", "slack|discord")],
)  # fmt: skip
def test_adapters_never_name_each_other(where: str, others: str) -> None:
    """But for the playground, which draws what the others would send."""
    room = ROOT / "bot/adapters" / where
    files = sorted(room.rglob("*.py")) or [room]
    for file in files:
        named = [s for s in strings_and_names(file) if re.search(others, s, re.IGNORECASE)]
        assert named == [], name_of(file)


@pytest.mark.parametrize("file", HANDLERS, ids=name_of)
def test_every_command_says_who_may_run_it(file: Path) -> None:
    """In the source, not by a default."""
    declared = [
        decorator
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.AsyncFunctionDef)
        for decorator in node.decorator_list
        if isinstance(decorator, ast.Call) and getattr(decorator.func, "id", "") == "command"
    ]
    assert declared, "a handler declares at least one command"
    for call in declared:
        assert "allow" in {word.arg for word in call.keywords}, ast.unparse(call)


@pytest.mark.parametrize("file", HANDLERS, ids=name_of)
def test_handlers_never_import_handlers(file: Path) -> None:
    """What two of them need lives a room below."""
    assert "bot.handlers" not in list(strings_and_names(file))


def test_nothing_new_stands_at_the_root_of_bot() -> None:
    """The frame and the door; everything else has a room. See CONTRIBUTING's map for which."""
    modules = {file.stem for file in (ROOT / "bot").glob("*.py")} - {"__init__"}
    rooms = {file.parent.name for file in (ROOT / "bot").glob("*/__init__.py")}
    assert modules | rooms == set().union(*ROOT_OF_BOT.values())
    assert rooms == ROOT_OF_BOT["rooms"]


def test_the_import_contracts_know_everything_at_the_root_of_bot() -> None:
    """What no contract names may import whatever it likes."""
    read = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = {c["name"]: c for c in read["tool"]["importlinter"]["contracts"]}
    everything = {f"bot.{name}" for names in ROOT_OF_BOT.values() for name in names}

    layers = contracts["Each room knows only the rooms below it"]["layers"]
    assert {name for layer in layers for name in layer.split(" | ")} == everything | {"db"}
    handed = contracts["Only the program's door reads settings"]["source_modules"]
    assert set(handed) == everything - {f"bot.{name}" for name in READ_SETTINGS}


@pytest.mark.parametrize("file", CODE, ids=name_of)
def test_files_are_short(file: Path) -> None:
    """Four hundred lines at most, with few exceptions, each with its reason."""
    lines = len(file.read_text(encoding="utf-8").splitlines())
    assert lines <= 400 or name_of(file) in MAY_BE_LONG, lines


@pytest.mark.parametrize("file", [*CODE, *TESTS], ids=name_of)
def test_nothing_is_left_to_do(file: Path) -> None:
    """What is not done is not written down in the code."""
    left = "TO" + "DO|FIX" + "ME|X" + "XX\\b"
    assert not re.search(rf"\b({left})", file.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", sorted(load_commands()))
def test_names_fit_every_face(name: str) -> None:
    """Discord's rule for commands and groups; Slack takes anything."""
    words = name.split(" ")
    assert len(words) <= 2
    assert all(re.fullmatch(r"[-_a-z0-9]{1,32}", word) for word in words)
    for argument in COMMANDS[name].arguments:
        assert re.fullmatch(r"[-_a-z0-9]{1,32}", argument.spelling)
        assert len(argument.label) <= 45
    assert 1 <= len(COMMANDS[name].summary) <= 100


@pytest.mark.parametrize("name", sorted(load_commands()))
def test_every_command_has_a_summary_and_somebody_who_may_run_it(name: str) -> None:
    """One sentence of its own, said in help and by both platforms."""
    found = COMMANDS[name]

    assert isinstance(found.allow, Allow)
    assert found.summary.strip() == found.summary
    assert found.summary[0].isupper()
    assert [c.name for c in COMMANDS.values() if c.summary == found.summary] == [name]
    assert found.is_staff_only == bool(found.allow.roles)
    assert found.allow.members_only or not found.writes or name in WAYS_IN


def test_exceptions_are_needed() -> None:
    """A list of exceptions that nobody needs any more gives leave for the next one."""
    files = {name_of(file): file for file in CODE}
    for name in MAY_NAME_PLATFORMS:
        assert any(PLATFORMS.search(said) for said in strings_and_names(files[name])), name
    for name in MAY_BE_LONG:
        assert len(files[name].read_text(encoding="utf-8").splitlines()) > 400, name


def tracked() -> list[Path]:
    """What is published: every file that git keeps."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode:
        pytest.skip("not a checkout")
    named = [ROOT / name for name in listed.stdout.decode().split("\0") if name]
    return [file for file in named if file.is_file()]


def test_nothing_tells_of_the_machine_it_was_made_on() -> None:
    """No folder of one machine, no host of one network's package registry."""
    roots = "|".join(("work", "root", "tmp", "home", "Users"))
    hosts = "|".join(("pythonhosted", "pypi", "npmjs", "artifactory", "jfrog", "nexus", "devpi"))
    private = re.compile(
        rf"(?<![\w.$}}/-])/({roots})/[\w.]|\b[\w-]*({hosts})[\w-]*\.\w|--(extra-)?index-url[ =]h"
    )
    files = tracked()
    assert len(files) > 100
    for file in files:
        text = file.read_bytes().decode("utf-8", "replace")
        found = private.search(text) if "\0" not in text else None
        assert found is None, f"{name_of(file)}: {found and found[0]}"


@pytest.mark.parametrize("file", TESTS, ids=name_of)
def test_tests_tell_the_behaviour(file: Path) -> None:
    """Each file of tests begins with what it is about."""
    text = file.read_text(encoding="utf-8")
    if file.name.startswith("test_"):
        assert ast.get_docstring(ast.parse(text))


def test_names_and_docstrings_stay_plain() -> None:
    """Functions are verbs, docstrings say something, and each silenced check has its reason."""
    modules = counts.load_modules(ROOT)
    functions = [function for module in modules for function in module.functions]
    participles = [f.name for f in functions if counts.is_participle(f.name)]
    words = {f.name: counts.count_words(ast.get_docstring(f)) for f in functions}
    bare = [line for module in modules for line in counts.find_bare_ignores(module)]

    assert len(participles) <= 0.04 * len(functions), participles
    assert [name for name, number in words.items() if 0 < number <= counts.FEW_WORDS] == []
    assert bare == []
