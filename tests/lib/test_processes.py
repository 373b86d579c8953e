"""A real child and grandchild."""

import os
import signal
import subprocess
import sys
import time

import pytest

from lib.processes import end_with_parent

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere it does nothing")

GRANDCHILD = "import time; print('ready', flush=True); time.sleep(600)"
CHILD = """
import subprocess, sys, time
from lib.processes import end_with_parent
child = subprocess.Popen([sys.executable, "-c", {code!r}], preexec_fn={how}, stdout=subprocess.PIPE)
child.stdout.readline()
print(child.pid, flush=True)
time.sleep(600)
"""


def ended(pid: int) -> bool:
    """Whether it runs no more; one that nobody waited for is a zombie, Z."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def wait_ended(pid: int) -> None:
    deadline = time.monotonic() + 90
    while not ended(pid):
        assert time.monotonic() < deadline, f"{pid} still runs"
        time.sleep(0.01)


@pytest.mark.parametrize("how", ["end_with_parent", "None"])
def test_a_grandchild_that_wants_it_ends_with_a_killed_child(how: str) -> None:
    program = CHILD.format(code=GRANDCHILD, how=how)
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, stdout=subprocess.PIPE, preexec_fn=end_with_parent) as child:
        assert child.stdout is not None
        grandchild = int(child.stdout.readline())
        child.kill()
    if how == "None":
        assert not ended(grandchild)
        os.kill(grandchild, signal.SIGKILL)
    wait_ended(grandchild)
