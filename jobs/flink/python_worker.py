"""What Flink calls as its Python, by worker.sh: it has a worker started in 0.2 s instead of 2.8.

In the cluster inside this process a worker is a thread of the runner, and the program of Flink's
that starts one only asks for it and waits for its end. It needs the messages of Beam for that, but
its imports bring all of Beam, of PyFlink's workers and of pandas: 2.8 s of a core before the first
record of each task, after a failure too, and 140 MB for as long as the task runs.
"""

import importlib.util
import os
import runpy
import sys
from collections.abc import Sequence

BOOT = "pyflink.fn_execution.beam.beam_boot"

# Only found in the environment where workers are threads.
_LOOPBACK = "PYTHON_LOOPBACK_SERVER_ADDRESS"

# Packages whose modules are wanted, and not what their own __init__ imports.
_HOLLOW = ("apache_beam", "pyflink", "pyflink.fn_execution")


def boot(arguments: Sequence[str]) -> None:
    """Do as `python` with these arguments does."""
    if [*arguments[:2]] != ["-m", BOOT] or _LOOPBACK not in os.environ:
        os.execv(sys.executable, [sys.executable, *arguments])
    for name in _HOLLOW:
        if spec := importlib.util.find_spec(name):
            # Never executed: only its __init__ imports all that.
            sys.modules[name] = importlib.util.module_from_spec(spec)
    sys.argv[1:] = arguments[2:]
    runpy.run_module(BOOT, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    boot(sys.argv[1:])
