"""`python -m bot` is `wwc`."""

from bot.cli import main

main()
