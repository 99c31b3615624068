"""Makes sure that the browser tests find a browser: `python -m tests.setup`."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

CHROMIUM = Path("/usr/bin/chromium")
MISSING = (
    f"The browser tests need the package chromium ({CHROMIUM}); "
    "install it with: apt-get install chromium"
)


def main() -> int:
    """Install chromium where that is allowed; else say what is missing, and go on."""
    if CHROMIUM.exists():
        return 0
    if os.geteuid() == 0 and shutil.which("apt-get") and _install():
        return 0
    print(MISSING, file=sys.stderr)
    return 0


def _install() -> bool:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    steps = (["apt-get", "update"], ["apt-get", "install", "-y", "chromium"])
    done = all(subprocess.run(step, env=environment, check=False).returncode == 0 for step in steps)
    return done and CHROMIUM.exists()


if __name__ == "__main__":
    sys.exit(main())
