"""The figures as a table: beside their targets, met or not."""

import os
import platform
from collections.abc import Iterator
from datetime import date

from tests.bench.deliveries import Rates
from tests.bench.measure import Found, middle
from tests.bench.pairing import Pairings
from tests.bench.parsers import GROWTH, LINEAR, Growth

HUB, BARE, EARLY = "the hub", "bare Bolt", "bare Bolt, process_before_response"
HOW_TO_READ = """\
Every figure of one run comes from the same machine in the same minutes, because only side by
side do they mean anything: what disturbs the hub disturbs the bare app beside it. The servers
run in processes of their own, as they are deployed (`wwc web` on SQLite); requests are signed
and come over loopback sockets on kept connections, one to each server in turn (P1, P3) or
sixteen at once in alternating bursts (P2). The bare app is Slack's own Bolt with its own server
and one command that answers «hello»; the hub answers with a card of people. The bare default is
slow for one reason: it looks every 10 ms whether its listener has answered. With
`process_before_response` it does not, and P2 compares against that one.

The members are invented: 100 cities of very different size, about four topics a person, one
topic that 5 % of all people know and one that about 20 know, however many members there are.
The asker works in the largest city. Profiles to search in are written for up to 100,000
members. The database is made once and kept among the temporary files; SQLite's page cache is
the program's own setting.

The card `topics` is not timed at 1,000,000 members: it counts the people of each practice area in
one query over all that people know, which takes longer than the two seconds after which the hub
says «one moment» and sends the card later.

The load stands above because it counts: the bare default spends P1 asleep, which other work on the
machine lengthens little, while the hub works and has to wait for a core. With more load than cores
P1 says more about the machine than about the hub.

A pairing round (P5) is measured whole: scoring every pair that counts, pruning, solving. The exact
solver is rustworkx's on all pairs that the rules allow, its own time only, without making the
graph. Up to 2,000 people are paired as one pool; beyond, in parts of 1,000, which is why time
and memory grow no faster than people.

Deliveries (P7) go from PostgreSQL to a platform that answers after a tenth of a second, 10,000 to
2,000 people in 40 workspaces; each worker, the platform and the database are processes of their
own, so that two workers on two cores have no core to themselves.

Each parser reads text that is repeated to a length, and to eight times that length (P10); the ratio
says how many times as long a character takes then. Of several texts the one with the most growth is
shown; most open something that is never closed.

Memory is watched over 30,000 commands, so that a run stays short; the promise is for 100,000, which
`--commands 100000` does. Other work on the machine lengthens every figure in absolute terms, the
starts (P8) most: they have nothing beside them.
"""
WHERE = """\
`who-does open data` over HTTP (P1, P2): the work of the server's main thread, by cProfile, which
makes many small calls look dearer than they are. SQLite's own
thread is not counted, nor is any waiting.
"""


def lines(found: Found) -> Iterator[str]:
    """The table, for the terminal and for the document."""
    yield "| id | what | measured | beside | ratio | target | |"
    yield "|---|---|---:|---:|---:|---:|---|"
    for row in rows(found):
        yield "| " + " | ".join(row) + " |"


def rows(found: Found) -> Iterator[tuple[str, ...]]:
    """One row a figure."""
    yield from _one(found)
    yield from _many(found)
    yield from _sizes(found)
    yield from _pairings(found.pairings)
    yield from _deliveries(found.rates)
    yield from _starting(found)
    for words, number in found.queries.items():
        target = 4 if words.startswith("who-does") else 0
        yield (
            "P9", f"queries of `{words}`", str(number), "", "", f"≤ {target}" if target else "",
            _verdict(number <= target) if target else "",
        )  # fmt: skip
    yield from _parsers(found.parsers)


def _parsers(found: list[Growth]) -> Iterator[tuple[str, ...]]:
    """P10: the input on which each parser grew most."""
    for one in found:
        shown = one.seed.encode("unicode_escape").decode().replace("|", "\\|").replace("`", "'")
        yield (
            "P10", f"{one.name}, «{shown}» repeated, {GROWTH} times as long: a character",
            _ms(one.large), _ms(one.small), f"{one.ratio:.2f}", f"≤ {LINEAR:g}",
            _verdict(one.ratio <= LINEAR),
        )  # fmt: skip


def _one(found: Found) -> Iterator[tuple[str, ...]]:
    hub, bare, early = (found.one[name] for name in (HUB, BARE, EARLY))
    size = f"{found.scale.sizes[0]:,} members"
    for what, mine, theirs, target in (
        (f"one connection, {size}, p50", hub.p50, bare.p50, 0.35),
        ("the same, p95", hub.p95, bare.p95, 0.0),
        ("the same, least", hub.least, bare.least, 0.0),
        ("p50 beside process_before_response", hub.p50, early.p50, 0.0),
    ):
        ratio = mine / theirs
        yield (
            "P1", what, _ms(mine), _ms(theirs), f"{ratio:.2f}",
            f"≤ {target}" if target else "", _verdict(ratio <= target) if target else "",
        )  # fmt: skip


def _many(found: Found) -> Iterator[tuple[str, ...]]:
    hub, early, bare = (middle(found.many[name]) for name in (HUB, EARLY, BARE))
    yield (
        "P2", "16 connections, requests/s, beside process_before_response",
        f"{hub:.0f}", f"{early:.0f}", f"{hub / early:.2f}", "≥ 0.35",
        _verdict(hub / early >= 0.35),
    )  # fmt: skip
    yield (
        "P2",
        "the same beside the default",
        f"{hub:.0f}",
        f"{bare:.0f}",
        f"{hub / bare:.2f}",
        "",
        "",
    )


def _sizes(found: Found) -> Iterator[tuple[str, ...]]:
    for name, by_size in found.sizes.items():
        base = min(by_size)
        for size, times in by_size.items():
            ratio = times.p50 / by_size[base].p50
            grown = size > base
            counted = name not in ("who-is first name", "who-is family name", "city card", "topics")
            yield (
                "P3", f"{name}, {size:,}: p50 (p95 {_ms(times.p95)})", _ms(times.p50),
                _ms(by_size[base].p50) if grown else "", f"{ratio:.2f}" if grown else "",
                "≤ 2" if grown and counted else "",
                _verdict(ratio <= 2) if grown and counted else "",
            )  # fmt: skip


def _pairings(found: Pairings) -> Iterator[tuple[str, ...]]:
    """P5: the plan beside the exact solver, its time over the size, and its memory."""
    if not found.sizes:
        return
    mine, exact = found.sizes[found.exact_size], found.exact
    size = f"{found.exact_size:,} people"
    weight, took = mine["points"] / exact["points"], mine["seconds"] / exact["seconds"]
    yield (
        "P5", f"pairing round, {size}: weight beside the optimum", f"{mine['points']:.0f}",
        f"{exact['points']:.0f}", f"{weight:.4f}", "≥ 0.995", _verdict(weight >= 0.995),
    )  # fmt: skip
    yield (
        "P5", f"the same, seconds beside the exact solver on {exact['edges']:,.0f} pairs",
        f"{mine['seconds']:.2f} s", f"{exact['seconds']:.2f} s", f"{took:.3f}", "≤ 0.2",
        _verdict(took <= 0.2),
    )  # fmt: skip
    least = min(found.sizes)
    base = found.sizes[least]
    for people, figures in found.sizes.items():
        target = "≤ 5 s" if people == 10_000 else ""
        yield (
            "P5", f"pairing round, {people:,} people", f"{figures['seconds']:.2f} s",
            "", "", target, _verdict(figures["seconds"] <= 5) if target else "",
        )  # fmt: skip
        grown = figures["memory"] / base["memory"]
        more = people > least
        yield (
            "P5", "the same, most memory of the process", f"{figures['memory']:.0f} MiB",
            f"{base['memory']:.0f} MiB" if more else "", f"{grown:.2f}" if more else "",
            f"≤ {people / least:.0f}" if more else "",
            _verdict(grown <= people / least) if more else "",
        )  # fmt: skip


def _deliveries(found: Rates) -> Iterator[tuple[str, ...]]:
    """P7: one worker, two beside it, and that each was posted once."""
    if not found.runs:
        return
    one, two = found.a_second(1), found.a_second(2)
    yield "P7", "deliveries/s, one worker", f"{one:.0f}", "", "", "≥ 500", _verdict(one >= 500)
    yield (
        "P7", "the same, two workers", f"{two:.0f}", f"{one:.0f}", f"{two / one:.2f}", "≥ 1.7",
        _verdict(two / one >= 1.7),
    )  # fmt: skip
    yield "P7", "posted twice, or lost", f"{found.wrong}", "", "", "0", _verdict(not found.wrong)


def _starting(found: Found) -> Iterator[tuple[str, ...]]:
    say, ready = middle(found.say), middle(found.ready)
    yield "P8", "`wwc say help`, median", f"{say:.2f} s", "", "", "≤ 1.0 s", _verdict(say <= 1)
    yield "P8", "the same, most memory", f"{found.say_mebibytes:.0f} MiB", "", "", "", ""
    yield (
        "P8",
        "`wwc run` ready, median",
        f"{ready:.2f} s",
        "",
        "",
        "≤ 2.5 s",
        _verdict(ready <= 2.5),
    )
    memory = found.ready_mebibytes
    yield (
        "P8",
        "the same, resident",
        f"{memory:.0f} MiB",
        "",
        "",
        "≤ 160 MiB",
        _verdict(memory <= 160),
    )
    first, last = found.flat[0], found.flat[-1]
    commands = f"{found.scale.commands:,}"
    yield (
        "P8", f"resident after {commands} commands, beside after a tenth of them",
        f"{last:.0f} MiB", f"{first:.0f} MiB", f"{last / first:.2f}", "≤ 1.05",
        _verdict(last / first <= 1.05),
    )  # fmt: skip


def spent(found: Found) -> str:
    """Where the time of P1 and P2 goes, as a profiler saw it."""
    rooms = sorted(found.shares.items(), key=lambda room: -room[1])
    return "".join(f"- {share:.0%} {name}\n" for name, share in rooms)


def document(found: Found, today: date, took: float) -> str:
    """docs/BENCHMARKS.md."""
    missed = [f"- {row[0]}, {row[1]}: {row[4] or row[2]} instead of {row[5]}."
              for row in rows(found) if row[6] == "missed"]  # fmt: skip
    said = "\n".join(missed) or "None in this run."
    machine = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    return (
        "# What it costs\n\n"
        f"Printed by `make bench` (`python -m tests.bench`) on {today:%d %B %Y}: {machine}, "
        f"{took / 60:.0f} minutes; load {os.getloadavg()[2]:.1f} over the last fifteen.\n\n"
        + "\n".join(lines(found))
        + f"\n\n## What was missed\n\n{said}\n\n## Where the time goes\n\n{WHERE}\n{spent(found)}"
        + f"\n## How to read it\n\n{HOW_TO_READ}"
    )


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.2f} ms"


def _verdict(met: bool) -> str:
    return "met" if met else "missed"
