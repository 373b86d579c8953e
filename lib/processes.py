"""Whether a process runs, and how a child ends with its parent."""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def is_alive(pid: int) -> bool:
    """Whether a process runs on this machine, of whichever user."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def end_with_parent() -> None:
    """Receive SIGTERM when the parent dies, even if it is killed. A child calls this first, or it
    is the `preexec_fn`; exec keeps it. Linux only: elsewhere a killed parent leaves its children.

    https://man7.org/linux/man-pages/man2/pr_set_pdeathsig.2const.html"""
    if sys.platform != "linux":
        return
    parent = os.getppid()
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGTERM)
