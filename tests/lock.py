"""The locks say what pyproject.toml asks for, with hashes and without addresses.

`python -m tests.lock` fails on drift; `--write` resolves anew (needs the package registry).
"""

import re
import subprocess
import sys
from importlib.metadata import distributions
from pathlib import Path

ROOT = Path(__file__).parent.parent
LOCKS = {
    "requirements.lock": ["--extra", "postgres"],
    "requirements-dev.lock": ["--all-extras", "-c", "requirements.lock"],
}
COMPILE = [
    "uv", "pip", "compile", "--universal", "--python-version", "3.11", "--generate-hashes",
    "--no-emit-index-url", "--no-emit-find-links", "--no-strip-extras", "--quiet",
    "--custom-compile-command", "make lock",
]  # fmt: skip
"""With extras: the pip that Python 3.11 brings refuses `coverage[toml]` beside a bare pin."""

OWN = {"wwc-hub", "pip", "setuptools", "wheel"}
"""Ourselves, and what a fresh virtual environment brings along."""


def resolve(lock: str, target: Path) -> None:
    """Resolve into `target`; versions that stand there already are kept where they still fit."""
    command = [sys.executable, "-m", *COMPILE, *LOCKS[lock], "pyproject.toml", "-o", str(target)]
    subprocess.run(command, cwd=ROOT, check=True)


def pins(text: str) -> dict[str, str]:
    """The version of each package in a lock; where Pythons differ, all of them."""
    found: dict[str, str] = {}
    pinned = r"^([a-z0-9._-]+)(?:\[[^]]*\])?==([^\s;\\]+)"
    for name, version in re.findall(pinned, text, re.MULTILINE):
        found[name] = f"{found.get(name, '')} {version}".strip()
    return found


def faults(lock: str) -> list[str]:
    """What is wrong with one lock."""
    text = (ROOT / lock).read_text()
    found = []
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    if any("://" in line or "--index" in line or "--find-links" in line for line in lines):
        found.append(f"{lock} holds an address")
    blocks = re.split(r"^(?=[a-z0-9._-]+(?:\[[^]]*\])?==)", text, flags=re.MULTILINE)[1:]
    found += [f"{lock}: no hash for {b.split('==')[0]}" for b in blocks if "--hash=" not in b]
    return found


def drift(lock: str) -> list[str]:
    """How the lock differs from what pyproject.toml asks for."""
    target = ROOT / ".venv" / lock
    target.write_text((ROOT / lock).read_text())
    try:
        resolve(lock, target)
    except (subprocess.CalledProcessError, FileNotFoundError) as error:
        return [f"{lock} could not be resolved: {error}"]
    before, after = pins((ROOT / lock).read_text()), pins(target.read_text())
    return [
        f"{lock}: {name} is {before.get(name, 'absent')}, should be {after.get(name, 'absent')}"
        for name in sorted(before.keys() | after.keys())
        if before.get(name) != after.get(name)
    ]


def installed() -> list[str]:
    """What this environment holds that the lock does not, or in another version."""
    locked = pins((ROOT / "requirements-dev.lock").read_text())
    here = {re.sub(r"[-_.]+", "-", d.metadata["Name"]).lower(): d.version for d in distributions()}
    return [
        f"{name} {version} is installed, the lock says {locked.get(name, 'nothing')}"
        for name, version in sorted(here.items())
        if name not in OWN and version not in locked.get(name, "").split()
    ]


def main() -> int:
    """Check, or write with `--write`."""
    if "--write" in sys.argv:
        for lock in LOCKS:
            resolve(lock, ROOT / lock)
        return 0
    found = [fault for lock in LOCKS for fault in (*faults(lock), *drift(lock))] + installed()
    for fault in found:
        sys.stdout.write(f"{fault}\n")
    if found:
        sys.stdout.write("`make lock` resolves anew; `make setup` installs what the lock says.\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
