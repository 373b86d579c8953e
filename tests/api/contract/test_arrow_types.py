"""Columns in the types of Arrow and Parquet."""

import io
from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.api.query_runner import QueryRunner

HEAD = "-- One row.\n"
ARROW = {
    "toDateTime('2024-01-30 10:00:00', 'Europe/Berlin')": datetime(2024, 1, 30, 9, tzinfo=UTC),
    "toNullable(toDateTime('2024-01-30 10:00:00', 'UTC'))": datetime(2024, 1, 30, 10, tzinfo=UTC),
    "toDateTime64('2024-01-30 10:00:00.5', 3, 'Asia/Tokyo')":
        datetime(2024, 1, 30, 1, 0, 0, 500_000, tzinfo=UTC),
    "CAST('b', 'Enum8(\\'a\\' = 1, \\'b\\' = 2)')": "b",
    "toIPv4('1.2.3.4')": "1.2.3.4",
    "toIPv6('::1')": "::1",
    "toUUID('61f0c404-5cb3-11e7-907b-a6006ad3dba0')": "61f0c404-5cb3-11e7-907b-a6006ad3dba0",
    "toInt256('-5')": "-5",
    "toUInt64(18446744073709551615)": 18446744073709551615,
    "toDecimal64('1.50', 2)": Decimal("1.50"),
    "toDate('2024-01-30')": date(2024, 1, 30),
    "CAST('10:00:00.5', 'Time64(3)')": "10:00:00.500",
    "INTERVAL 3 DAY": 3,
    "toBFloat16(1.5)": 1.5,
    "CAST((1, 2), 'Point')": {"1": 1, "2": 2},
    "CAST([[(1, 2)]], 'MultiLineString')": [[{"1": 1, "2": 2}]],
    "NULL": None,
    "CAST('x', 'Variant(String, UInt64)')": '"x"',
    "5::UInt8::Dynamic": "5",
    "'{\"a\": 5}'::JSON": '{"a":5}',
    "[toIPv4('1.2.3.4')]": ["1.2.3.4"],
    "map(toIPv4('1.2.3.4'), toDateTime(0, 'UTC'))": [("1.2.3.4", datetime(1970, 1, 1, tzinfo=UTC))],
    "CAST(tuple('a', 1), 'Tuple(`e 1` Enum8(\\'a\\' = 1), n UInt8)')": {"e 1": "a", "n": 1},
    "CAST([tuple('::1')], 'Nested(ip IPv6)')": [{"ip": "::1"}],
}  # fmt: skip


@pytest.mark.parametrize("fmt", ["arrow", "parquet"])
def test_arrow_and_parquet_have_real_types(runner: QueryRunner, fmt: str) -> None:
    columns = [f"{sql} AS c{number}" for number, sql in enumerate(ARROW)]
    answer = runner.answer(f"{HEAD}SELECT {', '.join(columns)}", f"format={fmt}")
    stream = io.BytesIO(answer)
    table = pa.ipc.open_stream(stream).read_all() if fmt == "arrow" else pq.read_table(stream)
    for number, (sql, right) in enumerate(ARROW.items()):
        column = table.column(f"c{number}")
        assert column[0].as_py() == right, sql
        if isinstance(right, datetime):
            assert (pa.types.is_timestamp(column.type), column.type.tz) == (True, "UTC"), sql
        if isinstance(right, str):
            assert not pa.types.is_integer(column.type), sql
