"""CPU-seconds and memory of groups of processes, by name.

A process belongs to a group if its environment has the group's entry, which its children inherit.
Children that have ended count once their parent has waited for them. Memory is resident memory
(RSS), so pages that processes share count once for each."""

import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import NamedTuple

import psutil

# How processes of a group are named.
Name = Callable[[psutil.Process], str]


class Reading(NamedTuple):
    """What the processes of a name have used up to a moment of the monotonic clock."""

    at: float
    cpu: dict[str, float]
    memory: dict[str, float]


def of_stack(process: psutil.Process) -> str:
    """The name of one of the servers, or `supervisor`."""
    command = " ".join(process.cmdline())
    if "kafka.Kafka" in command or "local.kafka" in command:
        return "broker"
    return "clickhouse" if "local.clickhouse" in command else "supervisor"


def of_contender(process: psutil.Process) -> str:
    """java, python, or another program's name."""
    name = process.name()
    return "python" if name.startswith("python") else name


def of_load(_: psutil.Process) -> str:
    return "load"


@dataclass
class Meter:
    """Reads the groups: for an entry of the environment, KEY=VALUE, how its processes are named."""

    groups: Mapping[str, Name]
    readings: list[Reading] = field(default_factory=list)
    _known: dict[tuple[int, float], Name] = field(default_factory=dict)
    _others: set[tuple[int, float]] = field(default_factory=set)

    def __post_init__(self) -> None:
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if not self._group(process):
                    self._others.add(_key(process))

    def read(self) -> Reading:
        """Read all groups now, and keep the reading."""
        cpu: defaultdict[str, float] = defaultdict(float)
        memory: defaultdict[str, float] = defaultdict(float)
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if named := self._group(process):
                    name = named(process)
                    # With those of the children that it has waited for.
                    cpu[name] += sum(process.cpu_times()[:4])
                    memory[name] += process.memory_info().rss / 1e6
        reading = Reading(time.monotonic(), dict(cpu), dict(memory))
        self.readings.append(reading)
        return reading

    def peaks(self) -> dict[str, float]:
        """The most memory of each name in the readings, in MB."""
        names = {name for reading in self.readings for name in reading.memory}
        return {
            name: round(max(reading.memory.get(name, 0.0) for reading in self.readings))
            for name in sorted(names)
        }

    def _group(self, process: psutil.Process) -> Name | None:
        key = _key(process)
        if key in self._others:
            return None
        # A new process may still have the environment of the one that starts it.
        if key not in self._known and (named := self._read_group(process)):
            self._known[key] = named
        return self._known.get(key)

    def _read_group(self, process: psutil.Process) -> Name | None:
        environ = process.environ()
        for entry, named in self.groups.items():
            name, _, value = entry.partition("=")
            if environ.get(name) == value:
                return named
        return None


def _key(process: psutil.Process) -> tuple[int, float]:
    """A process id is given again to a later process."""
    return process.pid, process.create_time()


def between(first: Reading, last: Reading) -> dict[str, float]:
    """The CPU-seconds of each name from one reading to another."""
    return {
        name: round(seconds - first.cpu.get(name, 0.0), 3)
        for name, seconds in sorted(last.cpu.items())
    }


def at(readings: list[Reading], moment: float) -> Reading:
    """The CPU-seconds at a moment between two readings, as if they rose evenly in between."""
    later = next((one for one in readings if one.at >= moment), readings[-1])
    earlier = next((one for one in reversed(readings) if one.at <= moment), readings[0])
    span = later.at - earlier.at
    share = (moment - earlier.at) / span if span > 0 else 0.0
    cpu = {
        name: earlier.cpu.get(name, 0.0) + share * (seconds - earlier.cpu.get(name, 0.0))
        for name, seconds in later.cpu.items()
    }
    return Reading(moment, cpu, later.memory)
