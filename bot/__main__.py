"""`python -m bot` is `wwc`."""

import gc

gc.disable()  # all that is imported stays: to look for garbage in it costs a sixth of the start

from bot.cli import main  # noqa: E402 - after the line above; `storage.database` enables it again

if __name__ == "__main__":
    main()
