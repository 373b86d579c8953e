"""Measure the memory that the API uses for a large answer."""

import subprocess
import time
from pathlib import Path

from bench.api.connection import Connection
from bench.stack import console
from lib.settings import Settings


def memory(config: Settings, api: "subprocess.Popen[str]") -> None:
    """Fetch a million rows; print how long it took and how much the API has grown meanwhile."""
    connection = Connection(config.api.port)
    # Reset the peak.
    Path(f"/proc/{api.pid}/clear_refs").write_text("5", encoding="ascii")
    before = peak(api.pid)
    path = "/api/million?format=parquet"
    begun = time.perf_counter()
    size = connection.request("GET", path)
    took = time.perf_counter() - begun
    console.print(
        f"{path}: 1,000,000 rows, {size / 1e6:.1f} MB in {took:.2f} s, the API's memory grew by "
        f"{(peak(api.pid) - before) / 1e6:.1f} MB"
    )


def peak(pid: int) -> int:
    """Peak resident bytes of a process."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    (line,) = (line for line in lines if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024
