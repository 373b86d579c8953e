"""The Python that Flink calls by worker.sh: it starts a worker in 0.2 s instead of 2.8.

In the cluster inside this process a worker is a thread of the runner, and Flink's program that
starts one only requests it and waits for its end. It needs Beam's messages for that, but it imports
all of Beam, of PyFlink's workers and of pandas: 2.8 s of a core before the first record of each
task, after a failure too, and 140 MB for as long as the task runs.
"""

import importlib.util
import os
import runpy
import sys
from collections.abc import Sequence

BOOT = "pyflink.fn_execution.beam.beam_boot"

# In the environment only if workers are threads.
_LOOPBACK = "PYTHON_LOOPBACK_SERVER_ADDRESS"

# Packages whose modules are needed without the imports of their __init__.
_HOLLOW = ("apache_beam", "pyflink", "pyflink.fn_execution")


def boot(arguments: Sequence[str]) -> None:
    """Run `python` with these arguments, or its equivalent."""
    if [*arguments[:2]] != ["-m", BOOT] or _LOOPBACK not in os.environ:
        os.execv(sys.executable, [sys.executable, *arguments])
    for name in _HOLLOW:
        if spec := importlib.util.find_spec(name):
            # Never executed: only its __init__ imports the rest.
            sys.modules[name] = importlib.util.module_from_spec(spec)
    sys.argv[1:] = arguments[2:]
    runpy.run_module(BOOT, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    boot(sys.argv[1:])
