"""Arrow inserts alone: the same rows again and again, under other offsets."""

import os
import random
from itertools import islice
from urllib.parse import urlsplit

import clickhouse_connect
import pyarrow as pa

from bench.peers.loop.table import ROWS, SETTINGS, Tick, arrow
from bench.ticks import SYMBOLS, values


def main() -> None:
    """Insert batches of BENCH_ROWS rows until it is killed."""
    server = urlsplit(os.environ["BENCH_CLICKHOUSE"])
    client = clickhouse_connect.get_client(
        host=server.hostname or "", port=server.port or 0, compress=False
    )
    first = batch()
    position = first.schema.get_field_index("kafka_offset")
    offset = 0
    while True:
        # Equal blocks would be taken for one that is sent again.
        offsets = pa.array(range(offset, offset + ROWS), pa.int64())
        table = first.set_column(position, "kafka_offset", offsets)
        client.insert_arrow(os.environ["BENCH_TABLE"], table, settings=SETTINGS)
        offset += ROWS


def batch() -> pa.Table:
    """The rows of one insert."""
    ticks = [Tick(*one) for one in islice(values(random.Random(1), SYMBOLS), ROWS)]
    return arrow(ticks, ([0] * ROWS, range(ROWS), [1_767_323_045_000] * ROWS), "insert")


if __name__ == "__main__":
    main()
