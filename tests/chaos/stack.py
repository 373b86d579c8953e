"""The stack under test: servers, a proxy before ClickHouse, and the job and the API behind it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import httpx

from lib.errors import ServiceError
from lib.ports import free as free_ports
from local.supervisor import Supervisor
from tests.chaos import disks
from tests.chaos.disks import Disk
from tests.chaos.proxy import Proxy
from tests.e2e.support import Place, Program, wait_until

# The folders of the places whose file system may be full.
DISKS = {"clickhouse": ("servers", "clickhouse"), "checkpoints": ("programs", "flink")}


@dataclass(frozen=True)
class Stack:
    """All programs, and the handles that faults need."""

    # Where the servers run, and the job and the API.
    servers: Place
    programs: Place
    proxy: Proxy
    disks: dict[str, Disk]
    # One for all requests: a new one costs more than the request.
    http: httpx.Client

    def place(self, name: str) -> Place:
        return self.servers if name in ("clickhouse", "kafka") else self.programs

    def pid(self, name: str) -> int:
        """The process of a program, or of the job's Java, as soon as it runs."""
        find = self._java if name == "java" else lambda: self._supervised(name)
        return int(wait_until(find, f"{name} runs"))

    def _java(self) -> int:
        return next(iter(self.programs.java()), 0)

    def _supervised(self, name: str) -> int:
        with suppress(ServiceError):
            return self.place(name).pid(name)
        return 0

    def restart(self, name: str) -> float:
        """Stop a program in order, and start it; return the time at which it had ended."""
        supervisor = Supervisor(Path(self.place(name).names["MILLRACE_DATA_DIR"]))
        supervisor.stop(name)
        ended = time.time()
        supervisor.start(name)
        return ended

    def newest(self) -> int:
        """When the newest tick that can be queried was sent, in ms since 1970; 0: no answer."""
        port = self.servers.names["MILLRACE_CLICKHOUSE__PORT"]
        sql = "SELECT toUnixTimestamp64Milli(max(kafka_timestamp)) FROM stocks.ticks"
        return int(self._get(f"http://127.0.0.1:{port}/?query={quote(sql)}") or 0)

    def answers(self) -> bool:
        """Whether the API answers a query."""
        port = self.servers.names["MILLRACE_API__PORT"]
        return bool(self._get(f"http://127.0.0.1:{port}/api/latest"))

    def _get(self, address: str) -> str:
        with suppress(httpx.TransportError):
            answer = self.http.get(address)
            return answer.text if answer.status_code == 200 else ""
        return ""

    def load(self, seed: int, file: Path) -> Program:
        return self.servers.start("tests.chaos.load", str(seed), str(file))

    def logs(self) -> list[Path]:
        return [*self.servers.folder.rglob("var/log/*"), *self.programs.folder.rglob("var/log/*")]


@contextmanager
def running(folder: Path) -> Iterator[Stack]:
    """The whole stack in a folder, once the first ticks could be queried."""
    servers = Place.new(folder / "servers")
    port = free_ports(1)[0]
    programs = Place(folder / "programs", servers.names).having(
        DATA_DIR=folder / "programs" / "var", CLICKHOUSE__PORT=port
    )
    own = {"servers": servers, "programs": programs}
    made = {
        name: Disk(own[place].folder / "var" / part)
        for name, (place, part) in DISKS.items()
        if disks.can_mount()
    }
    proxy = Proxy(port, int(servers.names["MILLRACE_CLICKHOUSE__PORT"]))
    try:
        servers.start("local", "up", "--foreground").wait_line("Ctrl-C stops them")
        programs.start("tests.chaos.programs").wait_line("running")
        stack = Stack(servers, programs, proxy, made, httpx.Client(timeout=60))
        wait_until(stack.answers, "the API answers")
        yield stack
    finally:
        programs.clear()
        servers.clear()
        proxy.close()
        for disk in made.values():
            disk.close()
