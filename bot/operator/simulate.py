"""`wwc simulate rounds`: plays rounds through with real members, or the demo's; sends nothing."""

from datetime import UTC, datetime

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from sqlalchemy.ext.asyncio import AsyncSession

from bot.app import open_app
from bot.community.rounds import pools
from bot.domain.cadence import next_round_day
from bot.domain.ranking import base_points
from bot.domain.simulation import Participant, SimulationOutcome, simulate_weeks
from bot.settings import Settings
from db import members, round_pools, seed
from db.base import transaction


async def run_simulation(settings: Settings, count: int, chance: int, console: Console) -> int:
    """Simulate `count` rounds and print the figures; return 1 where nobody takes part."""
    async with open_app(settings) as app:
        async with transaction(app.engine, writes=True) as session:
            if not await members.has_members(session):
                await seed.seed_demo(session, datetime.now(UTC), base_points)
        now = datetime.now(UTC)
        async with transaction(app.engine) as session:
            turns = await _load_turns(session, now)
    if len(turns) < 2:
        console.print("Nobody takes part in rounds; members say «rounds on».")
        return 1
    outcome = SimulationOutcome(len(turns))
    with _progress_bar(console) as bar:
        task = bar.add_task("", total=count)
        for week in simulate_weeks(turns, next_round_day(now), count, chance, outcome):
            said = (
                f"{week.day}  {week.people} people, {week.repeats} again, {len(week.unpaired)} left"
            )
            bar.update(task, advance=1, description=said)
    console.print(_summary_table(outcome))
    return 0


async def _load_turns(session: AsyncSession, now: datetime) -> list[Participant]:
    day = next_round_day(now)
    seekers = await pools.load_seekers(session, day, now, any_turn=True)
    rhythms = {one.member_id: one for one in await round_pools.list_participants(session, day, now)}
    return [Participant(s, rhythms[s.key].rhythm, rhythms[s.key].nth) for s in seekers]


def _progress_bar(console: Console) -> Progress:
    return Progress(
        BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"), console=console
    )


def _summary_table(outcome: SimulationOutcome) -> Table:
    table = Table(title=f"{len(outcome.weeks)} rounds of {outcome.people} people", min_width=60)
    table.add_column("what")
    table.add_column("figure", justify="right")
    for name, figure in figures(outcome):
        table.add_row(name, figure)
    return table


def figures(outcome: SimulationOutcome) -> list[tuple[str, str]]:
    """Return the outcome as rows of a name and a formatted figure."""
    sizes = [week.people for week in outcome.weeks]
    ratio = outcome.optimum_ratio
    groups = sum(week.groups for week in outcome.weeks)
    spread = ", ".join(
        f"{people} × {times}" for times, people in outcome.wait_distribution().items()
    )
    known = [len(partners) for partners in outcome.partners.values()]
    return [
        ("people in a round, least to most", f"{min(sizes)} to {max(sizes)}"),
        ("repeat rate", f"{outcome.repeat_rate:.2%}"),
        ("coverage: turns with a partner", f"{outcome.coverage:.2%}"),
        ("left out: people × times", spread),
        ("left out in a row, at most", str(outcome.longest_wait)),
        ("trios", str(sum(week.trios for week in outcome.weeks))),
        ("different partners a person, mean", f"{sum(known) / max(len(known), 1):.1f}"),
        (
            "mean weight of a group",
            f"{sum(week.points for week in outcome.weeks) / max(groups, 1):.1f}",
        ),
        ("mean weight against the optimum", "not worked out" if ratio is None else f"{ratio:.4f}"),
    ]
