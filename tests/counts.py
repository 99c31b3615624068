"""How the house stands, in numbers: `python -m tests.counts`, or `--at COMMIT` for an older one.

Rooms and their sizes, lengths of files and functions, names and docstrings, where each act of the
community has its home, and the files that a usual change has to touch.
"""

import argparse
import ast
import io
import re
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from statistics import quantiles

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).parent.parent
PARTICIPLES = frozenset({
    "begun", "born", "bound", "built", "chosen", "done", "drawn", "fed", "found", "given", "gone",
    "grown", "heard", "held", "hidden", "kept", "known", "led", "left", "lost", "made", "meant",
    "met", "paid", "said", "seen", "sent", "shown", "spelt", "spoken", "sold", "taken", "told",
    "thrown", "worn", "written",
})  # fmt: skip
"""Irregular past participles; the regular ones end in «ed»."""
NO_PARTICIPLES = frozenset({"embed", "feed", "need", "seed", "shed", "speed"})
FEW_WORDS = 4

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Module:
    """One file of Python under a root; `name` is its path from there."""

    name: str
    text: str

    @cached_property
    def lines(self) -> int:
        """Its length in lines."""
        return len(self.text.splitlines())

    @cached_property
    def functions(self) -> list[Function]:
        """Its functions and methods, nested ones too."""
        return [n for n in ast.walk(ast.parse(self.text)) if isinstance(n, Function)]

    @property
    def room(self) -> str:
        """The folder it stands in; files of `db/` and of the root of `bot/` are rooms too."""
        return self.name.rpartition("/")[0]


def load_modules(root: Path) -> list[Module]:
    """All modules of `bot` and `db` but the migrations, sorted by path."""
    paths = sorted(p for top in ("bot", "db") for p in (root / top).rglob("*.py"))
    named = ((path.relative_to(root).as_posix(), path) for path in paths)
    return [
        Module(name, path.read_text(encoding="utf-8"))
        for name, path in named
        if "migrations/versions" not in name
    ]


def is_participle(name: str) -> bool:
    """Does a function's name begin with a past participle?"""
    first = name.strip("_").split("_")[0]
    if first in NO_PARTICIPLES:
        return False
    return first in PARTICIPLES or (first.endswith("ed") and len(first) > 3)


def count_words(docstring: str | None) -> int:
    """The words of a docstring; 0 if there is none."""
    return len(docstring.split()) if docstring else 0


def find_bare_ignores(module: Module) -> Iterator[str]:
    """Lines that silence a check without a reason behind it."""
    pattern = re.compile(r"#\s*(?:noqa|type: ignore|pragma: no cover)[^#\n]*$")
    for number, line in enumerate(module.text.splitlines(), 1):
        found = pattern.search(line)
        if found and " - " not in found[0]:
            yield f"{module.name}:{number}"


# --- tables -----------------------------------------------------------------------------------


def spread(values: list[int]) -> str:
    """Median, 90th percentile and maximum of a list of lengths."""
    tenths = quantiles(values, n=10, method="inclusive")
    return f"{tenths[4]:.0f} / {tenths[8]:.0f} / {max(values)}"


def tabulate_rooms(modules: list[Module]) -> Table:
    """Files and lines of each folder."""
    table = make_table("Rooms", "room", "files", "lines", "longest")
    for room in sorted({module.room for module in modules}):
        inside = [m.lines for m in modules if m.room == room and m.lines]
        if inside:
            table.add_row(room, str(len(inside)), str(sum(inside)), str(max(inside)))
    return table


def tabulate_lengths(modules: list[Module]) -> Table:
    """Lengths of files and functions, names, docstrings and silenced checks."""
    functions = [f for m in modules for f in m.functions]
    words = [count_words(ast.get_docstring(f)) for f in functions]
    files = [m.lines for m in modules if m.lines]
    participles = [f.name for f in functions if is_participle(f.name)]
    private = [f for f in functions if f.name.startswith("_") and ast.get_docstring(f)]
    table = make_table("Shape", "what", "count")
    rows = {
        "modules at the root of bot/": sum(m.room == "bot" and m.lines > 1 for m in modules),
        "files: median / p90 / longest": spread(files),
        "files over 300 / over 400 lines": f"{sum(n > 300 for n in files)} / "
        f"{sum(n > 400 for n in files)}",
        "functions": len(functions),
        "functions: median / p90 / longest": spread([span(f) for f in functions]),
        "named by a participle": f"{len(participles)} ({len(participles) / len(functions):.1%})",
        "with a docstring": f"{sum(n > 0 for n in words) / len(functions):.0%}",
        "private ones with a docstring": len(private),
        f"docstrings of {FEW_WORDS} words or fewer": sum(0 < n <= FEW_WORDS for n in words),
        "fmt: skip": sum(m.text.count("# fmt: skip") for m in modules),
        "ignores without a reason": sum(len(list(find_bare_ignores(m))) for m in modules),
    }
    for name, count in rows.items():
        table.add_row(name, str(count))
    return table


def span(function: Function) -> int:
    """Length of a function in lines."""
    return (function.end_lineno or function.lineno) - function.lineno + 1


def tabulate_files(title: str, rows: dict[str, str], modules: list[Module]) -> Table:
    """For each row the files in which its pattern stands."""
    table = make_table(title, "what", "files", "where")
    for what, pattern in rows.items():
        found = [m.name for m in modules if re.search(pattern, m.text)]
        table.add_row(what, str(len(found)), "\n".join(found))
    return table


ACTS = {
    "a report enters the queue": r"moderation\.(report|file_report)\(",
    "a member is suspended": r"(person|about)\.status = (status\b|\"suspended\")",
    "a block is made": r"(introductions|blocks)\.(block|block_member)\(",
    "what ends with a person": r"threads\.end_all\(|def list_endings\(",
    "staff are found": r"members\.(with_roles?|list_role_holders)\(|joining\.holders\(|"
    r"partners\.staff\(",
    "«muted until» is said": r"has muted you until",
    "a delivery is cancelled": r"state(, [\w., ]+)? = (outbox\.)?CANCELLED|"
    r"state=(outbox\.)?CANCELLED",
    "a date or a list is formatted": r"from babel\.(dates|lists)",
}
"""Each act of the community, and the code by which it is recognised, before and after."""

CHANGES = {
    "a kind of delivery with a switch": r"\"profile\": Kind\(|Literal\[\"introduction\", \"round\"",
    "a table that holds a person": r"__tablename__ = \"code_try\"|\"code_try\": ",
    "a timed job of many transactions": r"rounds\.advance|async def advance(_rounds)?\(",
}
"""Where a usual change leaves its mark, besides who enqueues, migration, tests and catalogues."""


def make_table(title: str, *columns: str) -> Table:
    """An empty table; its first column is text, numbers stand to the right."""
    table = Table(title=title, title_justify="left")
    for place, column in enumerate(columns):
        table.add_column(column, justify="left" if place == 0 or column == "where" else "right")
    return table


# --- the program ------------------------------------------------------------------------------


def extract_commit(commit: str, folder: Path) -> None:
    """Write the tree of a commit into a folder; raises CalledProcessError for no such commit."""
    packed = subprocess.run(
        ["git", "archive", commit, "bot", "db"], cwd=ROOT, capture_output=True, check=True
    )
    with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as tree:
        tree.extractall(folder, filter="data")


def print_counts(root: Path) -> None:
    """Print every table about the tree under `root`."""
    modules, console = load_modules(root), Console(width=110)
    console.print(tabulate_rooms(modules))
    console.print(tabulate_lengths(modules))
    console.print(tabulate_files("Homes of acts", ACTS, modules))
    console.print(tabulate_files("Files of a change", CHANGES, modules))


def main() -> None:
    """Read the command line and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--at", metavar="COMMIT", help="an older state of the house")
    commit = parser.parse_args().at
    if commit is None:
        print_counts(ROOT)
        return
    with tempfile.TemporaryDirectory() as folder:
        extract_commit(commit, Path(folder))
        print_counts(Path(folder))


if __name__ == "__main__":
    main()
