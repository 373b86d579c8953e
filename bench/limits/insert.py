"""Arrow inserts alone: the same rows again and again, under other offsets."""

import random
from itertools import islice

import numpy as np
import pyarrow as pa

from bench.peers import settings
from bench.peers.loop.table import ROWS, SETTINGS, Tick, arrow, connect
from bench.ticks import SYMBOLS, values


def main() -> None:
    """Insert batches of BENCH_ROWS rows until it is killed."""
    given = settings.load()
    client = connect(given)
    first = batch()
    position = first.schema.get_field_index("kafka_offset")
    offset = 0
    while True:
        # Equal blocks would be taken for one that is sent again.
        offsets = pa.array(np.arange(offset, offset + ROWS))
        table = first.set_column(position, "kafka_offset", offsets)
        client.insert_arrow(given.table, table, settings=SETTINGS)
        offset += ROWS


def batch() -> pa.Table:
    """The rows of one insert."""
    ticks = [Tick(*one) for one in islice(values(random.Random(1), SYMBOLS), ROWS)]
    return arrow(ticks, ([0] * ROWS, range(ROWS), [1_767_323_045_000] * ROWS), "insert")


if __name__ == "__main__":
    main()
