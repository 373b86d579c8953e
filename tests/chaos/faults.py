"""What a fault does to the stack, and how long the stack takes to recover from it."""

import os
import signal
import time
from contextlib import suppress
from math import inf

from lib.processes import is_alive
from tests.chaos.schedule import Fault
from tests.chaos.stack import Stack
from tests.e2e.support import LIMIT, wait_until


def inject(stack: Stack, fault: Fault) -> float:
    """Do what a fault does, as long as it lasts; return the time from which recovery counts: when
    it came; if it lasts, when it was over; for a restart, when the program had ended."""
    time.sleep(fault.pause)
    match fault.action, fault.target:
        case "kill", name:
            return _kill(stack.pid(name))
        case "freeze", name:
            return _freeze(stack.pid(name), fault.seconds)
        case "restart", name:
            return stack.restart(name)
        case "cut", "connections":
            stack.proxy.refuse()
            time.sleep(fault.seconds)
            stack.proxy.accept()
            return time.time()
        case "cut", place:
            stack.proxy.cut_insert(place)
            stack.proxy.wait_cut(LIMIT)
            return time.time()
        case "fill", name:
            stack.disks[name].fill()
            time.sleep(fault.seconds)
            stack.disks[name].clear()
            return time.time()
    raise AssertionError(f"{fault.name} is no fault")


def _kill(pid: int) -> float:
    began = time.time()
    os.kill(pid, signal.SIGKILL)
    return began


def _freeze(pid: int, seconds: float) -> float:
    began = time.time()
    os.kill(pid, signal.SIGSTOP)
    if seconds == inf:
        wait_until(lambda: not is_alive(pid), "what is frozen is ended")
        return began
    time.sleep(seconds)
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGCONT)
    return time.time()


def recovery(stack: Stack, fault: Fault, since: float) -> float:
    """How long until a tick that was sent since then can be queried, in seconds; after a fault of
    the API, through the API."""
    wait_until(lambda: stack.newest() > since * 1000, f"new ticks after {fault.name}")
    if fault.target == "api":
        wait_until(stack.answers, f"the API answers after {fault.name}")
    return time.time() - since
