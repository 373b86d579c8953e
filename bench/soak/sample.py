"""What the processes of a stack hold at one moment: memory, files, threads, parts, disk."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from clickhouse_connect.driver.client import Client

# Part of the command of each process, and the name that it gets; the first that fits.
NAMES = {
    "supervisord": "supervisord",
    "local.clickhouse": "clickhouse",
    "local.kafka": "kafka",
    "kafka.Kafka": "kafka",
    "local up": "up",
    "jobs run": "job",
    "bench.soak.load": "load",
    "-m api": "api",
    "java": "flink",
}
Numbers = dict[str, dict[str, float]]


def take(folder: Path, client: Client) -> Numbers:
    """One sample of the stack in a data folder."""
    sample: Numbers = {"memory_mb": {}, "files": {}, "threads": {}}
    for name, process in processes(folder):
        # A process may end meanwhile.
        with suppress(OSError, ValueError):
            status = (process / "status").read_text(encoding="utf-8")
            numbers = {
                "memory_mb": _number(status, "VmRSS") / 1024,
                "files": len(os.listdir(process / "fd")),
                "threads": _number(status, "Threads"),
            }
            for kind, number in numbers.items():
                sample[kind][name] = round(sample[kind].get(name, 0) + number, 1)
    return sample | {"disk_mb": disk(folder)} | tables(client)


def processes(folder: Path) -> Iterator[tuple[str, Path]]:
    """The name and the folder in /proc of each process of the stack."""
    wanted = f"MILLRACE_DATA_DIR={folder}".encode()
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if wanted in (process / "environ").read_bytes().split(b"\0"):
                command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                name = next((name for part, name in NAMES.items() if part in command), None)
                yield name or "others", process


def disk(folder: Path) -> dict[str, float]:
    """The size of the files in each folder of the data folder, in MB."""
    sizes: dict[str, float] = {}
    for path in folder.iterdir():
        size = 0
        for parent, _, names in os.walk(path):
            for name in names:
                with suppress(OSError):
                    size += os.lstat(os.path.join(parent, name)).st_blocks * 512
        if size:
            sizes[path.name] = round(size / 1e6, 1)
    return sizes


def tables(client: Client) -> Numbers:
    """The parts and the rows of each table."""
    rows = client.query(
        "SELECT table, count(), sum(rows) FROM system.parts"
        " WHERE active AND database = 'stocks' GROUP BY table ORDER BY table"
    ).result_rows
    return {
        "parts": {table: count for table, count, _ in rows},
        "rows": {table: count for table, _, count in rows},
    }


def _number(status: str, name: str) -> float:
    (line,) = (line for line in status.splitlines() if line.startswith(f"{name}:"))
    return float(line.split()[1])
