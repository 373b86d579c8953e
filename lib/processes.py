"""Processes: whether one lives, and how one ends with the one that started it."""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def is_alive(pid: int) -> bool:
    """Whether a process of this machine runs, whoever it belongs to."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def end_with_parent() -> None:
    """Get SIGTERM when the parent dies, however it dies. For a child to call before it goes on, or
    as `preexec_fn`; it outlives exec. Linux only: elsewhere a killed parent leaves its children.

    https://man7.org/linux/man-pages/man2/pr_set_pdeathsig.2const.html"""
    if sys.platform != "linux":
        return
    parent = os.getppid()
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGTERM)
