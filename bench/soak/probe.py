"""How long after it was sent a tick is in the answer to a query: of some probes each second."""

import json
import statistics
import threading
import time
from datetime import UTC, datetime

from confluent_kafka import Producer

from bench.stack import quantile
from lib import clickhouse
from lib.settings import Settings

SYMBOL = "PROBE"
PER_SECOND = 4
# How long between two queries, in seconds.
PAUSE = 0.02


class Probe:
    """Ticks of a symbol of their own, numbered by their volume."""

    def __init__(self, config: Settings) -> None:
        self._config = config
        self._producer = Producer(
            {"bootstrap.servers": config.kafka.bootstrap_servers, "linger.ms": 0, "log_level": 0}
        )
        # The time at which each that was not seen yet was sent: of the clock for the query, and of
        # a clock that only rises.
        self._sent: dict[int, tuple[str, float]] = {}
        self._delays: list[float] = []
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=run) for run in (self._send, self._look)]

    def __enter__(self) -> "Probe":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def take(self) -> dict[str, float | None]:
        """The delays since the last call, in milliseconds, and how many probes are on their way."""
        delays, self._delays = self._delays, []
        waiting = len(self._sent)
        if not delays:
            return {"p50": None, "p99": None, "waiting": waiting}
        p50, p99 = statistics.median(delays), quantile(delays, 0.99)
        return {"p50": round(p50, 1), "p99": round(p99, 1), "waiting": waiting}

    def _send(self) -> None:
        number = 0
        while not self._ended.wait(1 / PER_SECOND):
            number += 1
            time_sent = datetime.now(UTC).replace(tzinfo=None).isoformat(timespec="microseconds")
            tick = {"symbol": SYMBOL, "price": 1, "volume": number, "timestamp": time_sent}
            self._sent[number] = time_sent, time.monotonic()
            self._producer.produce(self._config.kafka.topic, json.dumps(tick).encode(), SYMBOL)
            self._producer.poll(0)
        self._producer.flush()

    def _look(self) -> None:
        client = clickhouse.connect(self._config.clickhouse)
        while not self._ended.wait(PAUSE):
            if not self._sent:
                continue
            first = next(iter(self._sent))
            # The key of the table: its cost does not depend on how many ticks there are.
            rows = client.query(
                f"SELECT volume FROM stocks.ticks WHERE symbol = '{SYMBOL}'"
                f" AND timestamp >= '{self._sent[first][0]}' AND volume >= {first}"
            ).result_rows
            now = time.monotonic()
            for (number,) in rows:
                if sent := self._sent.pop(number, None):
                    self._delays.append(1e3 * (now - sent[1]))
