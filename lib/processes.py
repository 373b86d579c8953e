"""Processes that end with the one that started them, even when that one is killed."""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


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
