"""How fast the API is on this machine, beside the same SQL asked of ClickHouse directly.

Starts a stack of its own in a temporary folder, fills it, and prints one line a figure. Run it with
`make bench-api`; the machine should have nothing else to do.
"""

import asyncio
import http.client
import os
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import click
import urllib3
from clickhouse_connect.driver.client import Client
from rich.console import Console
from rich.progress import track

from api.query import registry, request
from api.query.clickhouse import Store
from api.query.request import Asked
from bench.stack import program, stack
from lib import clickhouse
from lib.conf import ROOT
from lib.settings import Settings

# One chunk: every tenth tick or so of the day before now, so that each number of chunks spans it.
FILL = """
    INSERT INTO stocks.ticks
        (symbol, price, volume, timestamp, kafka_partition, kafka_offset, kafka_timestamp,
         inserted_by, received_at, inserted_at)
    WITH
        {first:UInt64} + number * {chunks:UInt64} AS n,
        now64(6, 'UTC') - toIntervalMicrosecond(
            86400000000 - intDiv(n * 86400000, {chunks:UInt64} * 1000)
        ) AS at
    SELECT
        concat('S', leftPad(toString(number % {symbols:UInt64}), 3, '0')),
        round(100 + 10 * sin(n / 1000000) + randCanonical(), 2),
        1 + rand(1) % 1000,
        at, n % 4, n, at, 'stocks/ticks', at, at
    FROM numbers(1000000)
"""

EDITED = "-- One row.\nSELECT toInt8({}) AS edits\n"

console = Console(highlight=False, soft_wrap=True)


@click.command()
@click.option("--chunks", default=10, show_default=True, help="How many million ticks.")
@click.option("--symbols", default=500, show_default=True, help="Of how many symbols.")
@click.option("--rate", default=500, show_default=True, help="Requests a second.")
@click.option("--clients", default=500, show_default=True, help="That follow the stream.")
def main(chunks: int, symbols: int, rate: int, clients: int) -> None:
    """Measure the API's latency, throughput, push and memory."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["MILLRACE_SQL_DIR"] = str(copy_sql(Path(folder)))
        with stack(Path(folder)) as config:
            client = clickhouse.connect(config.clickhouse)
            with program("api", until="endpoints at") as api:
                fill(client, range(1), chunks, symbols)
                settle(client)
                small = compare(config, "latest", "")
                fill(client, range(1, chunks), chunks, symbols)
                settle(client)
                large = compare(config, "latest", "")
                console.print(
                    f"latest at {chunks} million ticks takes {large / small:.2f} times as long "
                    "as at 1"
                )
                for name in ("latest", "history", "candles", "recent", "stats"):
                    compare(config, name, "symbols=S001")
                for path in ("latest", "latest?symbols=S001"):
                    asyncio.run(load(config, path, rate, seconds=20))
                asyncio.run(push(config, client, clients))
                memory(config, api)
            with program("api", "--reload", until="endpoints at"):
                edit(config)


def copy_sql(folder: Path) -> Path:
    """The repository's SQL, uncached, with two endpoints more: a million rows at once, and one row
    that is edited."""
    copied = shutil.copytree(ROOT / "sql", folder / "sql")
    million = "-- One row per tick.\nSELECT * FROM stocks.ticks LIMIT 1000000\n"
    (copied / "api" / "million.sql").write_text(million, encoding="utf-8")
    (copied / "api" / "edited.sql").write_text(EDITED.format(-1), encoding="utf-8")
    for file in (copied / "api").glob("*.sql"):
        # An answer that is kept says nothing of how long it takes to make.
        lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
        kept = (line for line in lines if not line.startswith("-- @cache"))
        file.write_text("".join(kept), encoding="utf-8")
    return copied


def fill(client: Client, chunks: range, of: int, symbols: int) -> None:
    """Store some of the chunks, as inserts of the sink would."""
    for first in progress(chunks, "filling"):
        client.command(FILL, parameters={"first": first, "chunks": of, "symbols": symbols})
    count = client.command("SELECT count() FROM stocks.ticks")
    console.print(f"{count:,} ticks of {symbols} symbols")


def progress(steps: range, text: str) -> Iterable[int]:
    """The steps with a bar, where there is somebody to look at it."""
    return track(steps, text, console=console, transient=True, disable=not console.is_terminal)


def settle(client: Client) -> None:
    """Wait until `latest` is one part and nothing merges, which is not what is measured."""
    unsettled = (
        "SELECT (SELECT count() FROM system.merges) + (SELECT count() > 1 FROM system.parts"
        " WHERE active AND database = 'stocks' AND table = 'latest')"
    )
    deadline = time.monotonic() + 120
    while client.command(unsettled):
        if time.monotonic() > deadline:
            raise click.ClickException("the parts of stocks.latest do not become one")
        time.sleep(0.5)


def compare(config: Settings, name: str, address: str, times: int = 200) -> float:
    """Ask the API and ClickHouse in turn; print both medians, return that of the API in ms."""
    asked = asyncio.run(read(config, name, address))
    bound = {f"param_{key}": value for key, value in asked.bound}
    direct = f"/?{urlencode({**bound, 'default_format': 'JSONEachRow'})}"
    store = Connection(config.clickhouse.port)
    api = Connection(config.api.port)
    path = f"/api/{name}?{address}"
    reader = {"X-ClickHouse-User": config.clickhouse.reader_user}
    pairs = []
    for _ in progress(range(times), name):
        before = timed(lambda: store.ask("POST", direct, asked.sql.encode(), reader))
        pairs.append((before, timed(lambda: api.ask("GET", path))))
    alone, through = (statistics.median(times) for times in zip(*pairs, strict=True))
    added = statistics.median(through - alone for alone, through in pairs)
    console.print(
        f"{path}: {through:.1f} ms at the median, ClickHouse alone {alone:.1f} ms "
        f"(ratio {through / alone:.2f}, the API adds {added:.1f} ms)"
    )
    return through


async def read(config: Settings, name: str, address: str) -> Asked:
    """What the API asks of ClickHouse for an address."""
    store = Store(config.clickhouse, config.api.timeout)
    try:
        found = await registry.load(config.sql_dir / "api", config.variables(), store)
        return request.read(found[name], address.encode(), "")
    finally:
        await store.close()


class Connection:
    """One connection that is kept."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port)

    def ask(self, method: str, path: str, *more: Any) -> int:
        """The size of an answer, which must be 200."""
        self._connection.request(method, path, *more)
        answer = self._connection.getresponse()
        size = 0
        while piece := answer.read(1 << 20):
            size += len(piece)
        if answer.status != 200:
            raise click.ClickException(f"{path}: {answer.status}")
        return size


def timed(ask: Callable[[], Any]) -> float:
    """How long it takes, in ms."""
    begun = time.perf_counter()
    ask()
    return 1e3 * (time.perf_counter() - begun)


async def load(config: Settings, path: str, rate: int, seconds: int) -> None:
    """Ask at a steady rate, whatever the answers take; print how long they took since due."""
    delays: list[float] = []
    due: asyncio.Queue[float] = asyncio.Queue()

    async def ask() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", config.api.port)
        while True:
            at = await due.get()
            writer.write(f"GET /api/{path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            if b" 200 " not in head:
                raise click.ClickException(head.decode())
            await reader.readexactly(int(head.split(b"content-length: ")[1].split(b"\r\n")[0]))
            delays.append(1e3 * (time.perf_counter() - at))

    workers = [asyncio.create_task(ask()) for _ in range(64)]
    begun = time.perf_counter()
    for number in range(rate * seconds):
        at = begun + number / rate
        await asyncio.sleep(max(0.0, at - time.perf_counter()))
        due.put_nowait(at)
    while len(delays) < rate * seconds:
        await asyncio.sleep(0.01)
        check(workers)
    took = time.perf_counter() - begun
    for worker in workers:
        worker.cancel()
    console.print(
        f"/api/{path}: {len(delays) / took:,.0f} requests a second, {quantile(delays, 0.5):.1f} ms "
        f"at the median, {quantile(delays, 0.99):.1f} ms at the 99th percentile"
    )


def check(tasks: list["asyncio.Task[None]"]) -> None:
    """Raise what a task has failed with; none ends by itself."""
    for task in tasks:
        if task.done():
            task.result()
            raise click.ClickException("the API closed a connection")


def quantile(values: list[float], share: float) -> float:
    return sorted(values)[int(len(values) * share)]


async def push(config: Settings, client: Client, clients: int) -> None:
    """Store ticks one by one; print when the first and the last client of a stream have each."""
    seen: list[dict[int, float]] = [{} for _ in range(clients)]
    tasks = [asyncio.create_task(follow(config.api.port, found)) for found in seen]
    while not all(-1 in found for found in seen):
        await asyncio.sleep(0.1)
        check(tasks)
    spreads, firsts, lasts = [], [], []
    for number in range(20):
        offset = 1_000_000_000 + number
        row = f"('S001', 100, 1, now64(6), 0, {offset}, now64(3), 'stocks/ticks')"
        begun = time.perf_counter()
        await asyncio.to_thread(
            client.command,
            "INSERT INTO stocks.ticks (symbol, price, volume, timestamp, kafka_partition,"
            f" kafka_offset, kafka_timestamp, inserted_by) VALUES {row}",
        )
        while not all(offset in found for found in seen):
            await asyncio.sleep(0.05)
            check(tasks)
        times = [found[offset] for found in seen]
        firsts.append(1e3 * (min(times) - begun))
        lasts.append(1e3 * (max(times) - begun))
        spreads.append(lasts[-1] - firsts[-1])
    for task in tasks:
        task.cancel()
    console.print(
        f"/api/stream: a tick is with the first client {statistics.median(firsts):.0f} ms after "
        f"its insert began, with the last of {clients} {statistics.median(lasts):.0f} ms (medians);"
        f" between the two {statistics.median(spreads):.0f} ms, at most {max(spreads):.0f} ms"
    )


async def follow(port: int, seen: dict[int, float]) -> None:
    """Note when each offset comes; -1 stands for the beginning of the stream."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /api/stream HTTP/1.1\r\nHost: localhost\r\n\r\n")
    while line := await reader.readline():
        now = time.perf_counter()
        if line.startswith(b"id: "):
            seen.setdefault(-1, now)
        for piece in line.split(b'"kafka_offset":"')[1:]:
            seen.setdefault(int(piece.split(b'"')[0]), now)


def memory(config: Settings, api: "subprocess.Popen[str]") -> None:
    """Fetch a million rows; print how long it took and how much the API has grown meanwhile."""
    connection = Connection(config.api.port)
    # From here on the peak is counted anew.
    Path(f"/proc/{api.pid}/clear_refs").write_text("5", encoding="ascii")
    before = peak(api.pid)
    path = "/api/million?format=parquet"
    begun = time.perf_counter()
    size = connection.ask("GET", path)
    took = time.perf_counter() - begun
    console.print(
        f"{path}: 1,000,000 rows, {size / 1e6:.1f} MB in {took:.2f} s, the API's memory grew by "
        f"{(peak(api.pid) - before) / 1e6:.1f} MB"
    )


def edit(config: Settings) -> None:
    """Edit an endpoint's file again and again; print how long it takes until it answers so."""
    file = config.sql_dir / "api" / "edited.sql"
    address = f"http://127.0.0.1:{config.api.port}/api/edited"
    delays = []
    for number in progress(range(20), "editing"):
        begun = time.perf_counter()
        file.write_text(EDITED.format(number), encoding="utf-8")
        while f'"edits":{number}}}'.encode() not in urllib3.request("GET", address).data:
            if time.perf_counter() > begun + 60:
                raise click.ClickException(f"{file.name} does not become live")
            time.sleep(0.01)
        delays.append(1e3 * (time.perf_counter() - begun))
    console.print(
        f"--reload: an edited file is live after {statistics.median(delays):.0f} ms at the median, "
        f"{max(delays):.0f} ms at most"
    )


def peak(pid: int) -> int:
    """Peak resident bytes of a process."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    (found,) = (line for line in lines if line.startswith("VmHWM"))
    return int(found.split()[1]) * 1024


if __name__ == "__main__":
    main()
