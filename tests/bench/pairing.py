"""One round of so many people in a process of its own: seconds, weight, most memory; as JSON."""

import asyncio
import json
import resource
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path

from bot.domain import matching
from bot.domain.affinity import Seeker, weight_table
from tests.domain.crowds import crowd

SIZES = (1_000, 2_000, 5_000, 10_000)
EXACT = 2_000
"""The size at which the exact solver works on all pairs beside the plan."""


@dataclass
class Pairings:
    """What was measured: by size, and the exact solver's figures."""

    sizes: dict[int, dict[str, float]] = field(default_factory=dict)
    exact_size: int = 0
    exact: dict[str, float] = field(default_factory=dict)


async def measured(sizes: Sequence[int], exact: int) -> Pairings:
    """Each size in a fresh process, one after the other."""
    found = Pairings(exact_size=exact)
    for size in sizes:
        found.sizes[size] = await _run("plan", size)
    found.exact = await _run("exact", exact)
    return found


async def _run(what: str, size: int) -> dict[str, float]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.bench.pairing", what, str(size),
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    said, _ = await process.communicate()
    if process.returncode:
        raise RuntimeError("the pairing bench did not get through")
    read: dict[str, float] = json.loads(said)
    return read


def _memory() -> float:
    """The most mebibytes this process ever had; what the parent had would be counted elsewhere."""
    status = Path("/proc/self/status")
    if status.exists():
        peak = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(peak.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def planned(people: Sequence[Seeker]) -> dict[str, float]:
    """The whole plan, scoring and pruning included; the best of three runs."""
    matching.plan_round(people[:20])  # the libraries are loaded once in a process's life
    times = []
    for _ in range(3):
        started = time.perf_counter()
        made = matching.plan_round(people)
        times.append(time.perf_counter() - started)
    return {"seconds": min(times), "points": made.points, "memory": _memory()}


def exactly(people: Sequence[Seeker]) -> dict[str, float]:
    """The solver alone on the full graph; making the graph is not counted."""
    import rustworkx

    table = weight_table(people).astype(int).tolist()
    graph: rustworkx.PyGraph[int, int] = rustworkx.PyGraph(multigraph=False)
    graph.add_nodes_from(range(len(people)))
    rows = range(len(people))
    graph.add_edges_from([(a, b, table[a][b]) for a, b in combinations(rows, 2) if table[a][b]])
    started = time.perf_counter()
    pairs = rustworkx.max_weight_matching(graph, max_cardinality=True, weight_fn=int)
    took = time.perf_counter() - started
    points = sum(table[a][b] for a, b in pairs)
    return {"seconds": took, "points": points, "edges": graph.num_edges()}


if __name__ == "__main__":
    act = {"plan": planned, "exact": exactly}[sys.argv[1]]
    print(json.dumps(act(crowd(int(sys.argv[2])))))
