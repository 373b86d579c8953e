"""Where the loop inserts, and its batches: records as an Arrow table."""

import os
import sys
from collections.abc import Sequence
from datetime import UTC

import clickhouse_connect
import msgspec
import pyarrow as pa
import pyarrow.compute as pc
from clickhouse_connect.driver.client import Client

from bench.peers import settings
from bench.peers.settings import Settings

# In a drain of 5 million ticks 20,000 rows an insert were a third slower, and 50,000 a fifth.
ROWS = int(os.environ.get("BENCH_ROWS", "100000"))
SECONDS = float(os.environ.get("BENCH_MS", "50")) / 1000

# One insert is one part, and its answer comes when the rows are stored.
SETTINGS = {
    "async_insert": 0,
    "max_insert_block_size": 10_000_000,
    "min_insert_block_size_rows": 10_000_000,
    "min_insert_block_size_bytes": 0,
    # As our sink does: merges make the indexes.
    "materialize_skip_indexes_on_insert": 0,
}


class Tick(msgspec.Struct, gc=False):
    """A message."""

    symbol: str
    price: float
    volume: int
    timestamp: str


_ONE = msgspec.json.Decoder(Tick)
_MANY = msgspec.json.Decoder(list[Tick])


def connect(given: Settings) -> Client:
    """A client that does not compress, which only costs on the loopback interface, and has no
    session, whose settings the server would restore after each insert."""
    return clickhouse_connect.get_client(
        host=given.host, port=given.port, compress=False, autogenerate_session_id=False
    )


class Table:
    """The table of BENCH_TABLE, for one writer."""

    def __init__(self, writer: str) -> None:
        given = settings.load()
        self._client = connect(given)
        self._name = given.table
        self._writer = writer

    def insert(
        self,
        values: Sequence[bytes],
        partitions: Sequence[int],
        offsets: Sequence[int],
        times: Sequence[int],
    ) -> None:
        """Store records, of which these are the values and places; times are ms since 1970."""
        ticks, places = decode(values, (partitions, offsets, times))
        if ticks:
            table = arrow(ticks, places, self._writer)
            self._client.insert_arrow(self._name, table, settings=SETTINGS)


def decode(
    values: Sequence[bytes], places: tuple[Sequence[int], ...]
) -> tuple[list[Tick], tuple[Sequence[int], ...]]:
    """The ticks, and the columns of places without those of records that are not ticks."""
    try:
        # As one array: a call for each record takes twice as long.
        ticks = _MANY.decode(b"[" + b",".join(values) + b"]")
        if len(ticks) == len(values):
            return ticks, places
    except msgspec.DecodeError:
        pass
    kept: list[Tick] = []
    rows = []
    for value, place in zip(values, zip(*places, strict=True), strict=True):
        try:
            kept.append(_ONE.decode(value))
            rows.append(place)
        except msgspec.DecodeError as error:
            print(f"dropped a record: {error}", file=sys.stderr)
    return kept, tuple(zip(*rows, strict=True))


def arrow(ticks: Sequence[Tick], places: tuple[Sequence[int], ...], writer: str) -> pa.Table:
    """Each value in the type of its column; raise ArrowInvalid for one that does not fit."""
    partitions, offsets, times = places
    stamps = pc.cast(pa.array([tick.timestamp for tick in ticks], pa.string()), pa.timestamp("us"))
    return pa.table(
        {
            "symbol": pa.array([tick.symbol for tick in ticks], pa.string()),
            "price": pa.array([tick.price for tick in ticks], pa.float64()),
            "volume": pa.array([tick.volume for tick in ticks], pa.uint32()),
            "timestamp": pc.assume_timezone(stamps, str(UTC)),
            "kafka_partition": pa.array(partitions, pa.int32()),
            "kafka_offset": pa.array(offsets, pa.int64()),
            "kafka_timestamp": pc.cast(pa.array(times, pa.int64()), pa.timestamp("ms", "UTC")),
            "inserted_by": pa.repeat(pa.scalar(writer), len(ticks)),
        }
    )
