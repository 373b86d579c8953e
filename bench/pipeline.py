"""How fast the pipeline is on this machine: throughput of a backlog, and latency of single ticks.

Starts a stack of its own in a temporary folder, so that nothing else runs in it, prints two figures
and stores them in bench/results/. Run it with `make bench`; the machine should have nothing else to
do.
"""

import json
import random
import statistics
import subprocess
import tempfile
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import click
from clickhouse_connect.driver.client import Client
from confluent_kafka import Producer

from bench import results
from bench.stack import console, program, progress, quantile, stack
from lib import clickhouse
from lib.settings import Settings

SYMBOLS = [f"S{number:03}" for number in range(100)]


@click.command()
@click.option("--ticks", default=1_000_000, show_default=True, help="The backlog to drain.")
@click.option(
    "--rate", default=50, show_default=True, help="Ticks a second while latency is measured."
)
@click.option("--seconds", default=30, show_default=True, help="How long latency is measured.")
@click.option("--json", "file", type=click.Path(path_type=Path), help=results.HELP)
@click.option("--note", default="", help="What else the machine did meanwhile, for the file.")
def main(ticks: int, rate: int, seconds: int, file: Path | None, note: str) -> None:
    """Measure throughput and latency, from Kafka to a ClickHouse query."""
    run = results.machine() | {"note": note}
    with tempfile.TemporaryDirectory() as folder, stack(Path(folder)) as config:
        console.print(f"loading {ticks:,} ticks into Kafka")
        load(config, ticks)
        client = clickhouse.connect(config.clickhouse)
        with program("jobs", "run", "stocks", until="web UI") as process:
            run |= drain(client, ticks, process) | latency(config, client, rate, seconds)
    console.print(f"stored in {results.store('pipeline', run, file)}")


def load(config: Settings, ticks: int) -> None:
    """Send a backlog to the topic, with a client far faster than the pipeline."""
    producer = Producer(
        {"bootstrap.servers": config.kafka.bootstrap_servers, "linger.ms": 50, "acks": "all"}
    )
    rng = random.Random(1)
    for number in progress(range(ticks), "loading"):
        send(producer, config.kafka.topic, rng, rng.randrange(1, 1_000))
        if number % 1_000 == 0:
            producer.poll(0)
    producer.flush()


def send(producer: Producer, topic: str, rng: random.Random, volume: int) -> None:
    symbol = rng.choice(SYMBOLS)
    tick = {
        "symbol": symbol,
        "price": round(100 + rng.random() * 10, 2),
        "volume": volume,
        "timestamp": datetime.now(UTC).replace(tzinfo=None).isoformat(timespec="microseconds"),
    }
    while True:
        try:
            return producer.produce(topic, json.dumps(tick).encode(), symbol)
        except BufferError:
            producer.poll(0.1)


def drain(client: Client, ticks: int, job: subprocess.Popen[str]) -> dict[str, float]:
    """Print and return how fast the backlog was stored."""
    while count(client) < ticks:
        if job.poll() is not None:
            raise click.ClickException("the job ended; see its output above")
        time.sleep(0.2)
    rows, distinct, seconds, first = client.query(
        "SELECT count(), uniqExact(kafka_partition, kafka_offset),"
        " toFloat64(max(inserted_at)) - toFloat64(min(inserted_at)),"
        " countIf(inserted_at = (SELECT min(inserted_at) FROM stocks.ticks)) FROM stocks.ticks"
    ).result_rows[0]
    speed = (rows - first) / seconds
    console.print(
        f"throughput: {rows:,} rows ({distinct:,} distinct records) in {seconds:.2f} s: "
        f"{speed:,.0f} a second"
    )
    return {"rows": rows, "distinct_records": distinct, "rows_per_second": round(speed)}


def count(client: Client) -> int:
    return int(client.query("SELECT count() FROM stocks.ticks").result_rows[0][0])


def latency(config: Settings, client: Client, rate: int, seconds: int) -> dict[str, float]:
    """Print and return how long after it was sent a tick is in the answer to a query."""
    producer = Producer({"bootstrap.servers": config.kafka.bootstrap_servers, "linger.ms": 0})
    rng = random.Random(2)
    sent: dict[int, float] = {}
    seen: dict[int, float] = {}
    begin = time.monotonic()
    ended = threading.Event()

    def poll() -> None:
        while not ended.wait(0.005):
            # Volumes above a million number the ticks of this measurement.
            rows = client.query(
                "SELECT volume FROM stocks.ticks WHERE volume > 1000000"
                f" AND volume NOT IN ({','.join(map(str, list(seen)[-200:])) or 0})"
                " AND inserted_at > now64(3) - 5"
            ).result_rows
            now = time.monotonic()
            for (number,) in rows:
                seen.setdefault(number, now)

    poller = threading.Thread(target=poll)
    poller.start()
    for number in progress(range(rate * seconds), "sending"):
        time.sleep(max(0.0, begin + number / rate - time.monotonic()))
        sent[1_000_001 + number] = time.monotonic()
        send(producer, config.kafka.topic, rng, 1_000_001 + number)
        producer.poll(0)
    producer.flush()
    time.sleep(2)
    ended.set()
    poller.join()
    delays = [1e3 * (seen[number] - at) for number, at in sent.items() if number in seen]
    if not delays:
        raise click.ClickException("no tick was queryable within 2 s; is the job running?")
    p50, p99 = statistics.median(delays), quantile(delays, 0.99)
    console.print(
        f"latency at {rate} ticks a second: {len(delays):,} of {len(sent):,} ticks queryable after "
        f"{p50:.0f} ms at the median, {p99:.0f} ms at the 99th percentile"
    )
    return {"ticks_per_second": rate, "p50_ms": round(p50, 1), "p99_ms": round(p99, 1)}


if __name__ == "__main__":
    main()
