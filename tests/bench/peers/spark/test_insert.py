from pathlib import Path

import pyarrow as pa
from clickhouse_connect.driver.client import Client

from bench.peers.settings import Settings
from bench.peers.spark.insert import inserter
from lib.settings import ClickHouse


def test_a_micro_batch_that_is_repeated_is_stored_once(
    clickhouse: ClickHouse, client: Client, database: str
) -> None:
    table = f"{database}.ticks"
    client.command(
        f"CREATE TABLE {table} (kafka_partition Int32, kafka_offset Int64) ENGINE = MergeTree"
        " ORDER BY kafka_offset SETTINGS non_replicated_deduplication_window = 1000"
    )
    config = Settings("", "", "group", f"http://{clickhouse.address}/", table, Path())
    batches = [
        pa.record_batch({"kafka_partition": [3, 3], "kafka_offset": [first, first + 1]})
        for first in (0, 2)
    ]
    for micro_batch in (7, 7, 8):
        # As if the same rows came in another micro-batch: those are others, whatever they hold.
        answers = inserter(config, micro_batch)(iter(batches))
        assert [answer.to_pydict() for answer in answers] == [{"rows": [2]}] * 2
    offsets = client.query(f"SELECT kafka_offset, count() FROM {table} GROUP BY ALL ORDER BY ALL")
    assert offsets.result_rows == [(0, 2), (1, 2), (2, 2), (3, 2)]
