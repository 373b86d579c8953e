"""What Spark's Python workers run: each batch of rows is one insert."""

from collections.abc import Callable, Iterator
from functools import cache

import pyarrow as pa
from clickhouse_connect.driver.client import Client

from bench.peers.loop.table import SETTINGS, connect
from bench.peers.settings import Settings

Batches = Iterator[pa.RecordBatch]


def inserter(config: Settings, micro_batch: int) -> Callable[[Batches], Batches]:
    """A function for the workers: it inserts the rows of a task, and yields how many they were."""

    def insert(batches: Batches) -> Batches:
        for number, batch in enumerate(batches):
            table = pa.Table.from_batches([batch])
            # Spark repeats a micro-batch with the same offsets, cut into the same batches.
            token = f"{config.group}-{micro_batch}-{batch['kafka_partition'][0]}-{number}"
            named = SETTINGS | {"insert_deduplication_token": token}
            client(config).insert_arrow(config.table, table, settings=named)
            yield pa.record_batch({"rows": [batch.num_rows]})

    return insert


@cache
def client(config: Settings) -> Client:
    """One for each worker, which Spark uses again for later tasks."""
    return connect(config)
