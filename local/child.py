"""`python -m local.child NAME SECONDS FILE COMMAND ...`: limit a program's starts, and become it.

The program ends with its parent. supervisord has a limit of its own, but ignores the exit status of
a program that ends soon after its start: it would start again what a user must fix first.
"""

import os
import sys
import time
from pathlib import Path

from lib import files
from lib.errors import JobError, exit_on_error
from lib.processes import end_with_parent

# How many times in a row a program is started again after it ended within its first SECONDS.
LIMIT = 5

# The longest pause before such a start, in seconds.
LONGEST = 30.0


@exit_on_error()
def main(name: str, seconds: str, file: str, *command: str) -> None:
    """Write this start into FILE, which the first start finds missing, and become the command."""
    end_with_parent()
    starts = Path(file)
    if starts.exists():
        early_ends, pause = _restart(name, float(seconds), *starts.read_text().split())
        time.sleep(pause)
    else:
        early_ends = 0
    # The monotonic clock is the same in all processes, on Linux and macOS.
    files.replace(starts, f"{early_ends} {time.monotonic()}")
    os.execv(command[0], command)


def _restart(name: str, seconds: float, early_ends: str, started: str) -> tuple[int, float]:
    """Print the restart, and return how many times in a row the program ended early and how long
    to wait; raise JobError above the limit."""
    lived = time.monotonic() - float(started)
    times = int(early_ends) + 1 if lived < seconds else 0
    if times > LIMIT:
        raise JobError(
            f"{name} ended {times} times in a row within {seconds:.0f} s of its start; it stays "
            "down until it is started by hand, and the other programs keep running."
        )
    pause = min(2.0 ** (times - 2), LONGEST) if times > 1 else 0.0
    after = f" in {pause:.0f} s" if pause else ""
    print(f"{name} ended after {lived:.0f} s; it is started again{after}", flush=True)
    return times, pause


if __name__ == "__main__":
    main(*sys.argv[1:])
