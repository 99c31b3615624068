"""Command after command through the hub in one process: does its memory grow?"""

import asyncio
import gc
import sys
from itertools import cycle, islice

from bot.hub import Hub
from bot.request import Request, Sender
from db.base import open_engine
from tests.bench.people import introduce
from tests.bench.servers import own_resident

SAID = (
    "who-does open data", "help", "who-does algorithmic accountability", "who-is 77", "home",
    "who-does presupuesto in:mexico", "who-does open dta", "nonsense", "why 77 gis", "profile show",
)  # fmt: skip
POINTS = 10


async def main(database: str, commands: int) -> None:
    """Prints the resident mebibytes after each tenth, the first being warm already."""
    engine = open_engine(database)
    await introduce(engine, "T-FLAT", "U-FLAT")
    hub = Hub(engine)
    sender = Sender("slack", "T-FLAT", "U-FLAT", locale="en-US")
    words = cycle(SAID)
    for _ in range(POINTS):
        for said in islice(words, commands // POINTS):
            await hub(Request(sender, said))
        gc.collect()
        print(f"{own_resident():.1f}", flush=True)
    await engine.dispose()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
