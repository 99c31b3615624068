"""Run the command line: `python -m bot` is the same program as `wwc`."""

import gc

# Imported modules stay in memory; looking for garbage among them costs a sixth of the start time.
gc.disable()

from bot.cli import main  # noqa: E402 - gc is disabled before; `storage.database` enables it again

if __name__ == "__main__":
    main()
