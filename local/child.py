"""`python -m local.child NAME SECONDS FILE COMMAND ...`: becomes the command, which ends with its
starter; before it does, it waits or gives up where the same command ended too soon too often.

supervisord has a limit of its own, but it takes no account of the exit status of what ends soon: it
would start again what a user must fix first.
"""

import os
import sys
import time
from pathlib import Path

from lib import files
from lib.errors import JobError, exit_on_error
from lib.processes import end_with_parent

# How often in a row a program is started again that ends within its first SECONDS.
LIMIT = 5

# The longest pause before such a start, in seconds.
LONGEST = 30.0


@exit_on_error()
def main(name: str, seconds: str, file: str, *command: str) -> None:
    """Note this start in FILE, which is not there at the first one, and become the command."""
    end_with_parent()
    starts = Path(file)
    if starts.exists():
        soon, pause = _again(name, float(seconds), *starts.read_text().split())
        time.sleep(pause)
    else:
        soon = 0
    # Of the whole machine, and so the same in each process, on Linux and macOS.
    files.replace(starts, f"{soon} {time.monotonic()}")
    os.execv(command[0], command)


def _again(name: str, seconds: float, soon: str, started: str) -> tuple[int, float]:
    """Say that it is started again, and return how often in a row it ended too soon and how long to
    wait; raise JobError where that is too often."""
    lived = time.monotonic() - float(started)
    times = int(soon) + 1 if lived < seconds else 0
    if times > LIMIT:
        raise JobError(
            f"{name} ended {times} times in a row within {seconds:.0f} s of its start; it stays "
            "down until it is started by hand, and what runs beside it goes on."
        )
    pause = min(2.0 ** (times - 2), LONGEST) if times > 1 else 0.0
    after = f" in {pause:.0f} s" if pause else ""
    print(f"{name} ended after {lived:.0f} s; it is started again{after}", flush=True)
    return times, pause


if __name__ == "__main__":
    main(*sys.argv[1:])
