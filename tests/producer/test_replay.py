"""Recordings in three formats give the same ticks; errors are one line."""

import random
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lib.errors import ReplayError
from producer.replay import open_recording
from tests.producer.recordings import EXTRA, ROWS, TICKS, message, read, ticks, write


@pytest.mark.parametrize(
    "name", ["t.csv", "t.csv.gz", "t.jsonl", "t.jsonl.gz", "t.ndjson", "t.ndjson.gz", "t.parquet"]
)
def test_every_format_gives_the_same_ticks_and_ignores_other_columns(
    tmp_path: Path, name: str
) -> None:
    recording = open_recording(write(tmp_path / name, [EXTRA | row for row in ROWS]))
    assert list(read(recording)) == TICKS
    assert recording.position.fraction == 1.0


def test_parquet_keeps_its_own_types(tmp_path: Path) -> None:
    stamps = [tick.timestamp for tick in TICKS]
    table = pa.table(
        {
            "symbol": pa.array([tick.symbol for tick in TICKS]).dictionary_encode(),
            "price": pa.array([Decimal(str(tick.price)) for tick in TICKS]),
            "volume": pa.array([tick.volume for tick in TICKS], pa.uint32()),
            "timestamp": pa.array(stamps, pa.timestamp("ns", "Europe/Berlin")),
        }
    )
    pq.write_table(table, tmp_path / "t.parquet")
    assert ticks(tmp_path / "t.parquet") == TICKS


@pytest.mark.parametrize("zone", [None, "UTC", "Europe/Berlin"])
def test_nanoseconds_of_parquet_are_taken_if_they_are_exact(
    tmp_path: Path, zone: str | None
) -> None:
    whole = 1706608801_123456_000
    stamps = pa.array([whole, whole + 789], pa.int64()).cast(pa.timestamp("ns", zone))
    table = pa.table(
        {"symbol": ["A"] * 2, "price": [1.0] * 2, "volume": [1] * 2, "timestamp": stamps}
    )
    pq.write_table(table, tmp_path / "t.parquet")
    assert ":2: timestamp '2024-01-30 10:00:01.123456789" in message(tmp_path / "t.parquet")
    assert [tick.timestamp for tick in ticks(tmp_path / "t.parquet", skip_invalid=True)] == [
        TICKS[0].timestamp
    ]


def parquet(path: Path, column: str, values: pa.Array) -> Path:
    """A valid tick in each row, but for this column."""
    valid = {name: [value] * len(values) for name, value in TICKS[0]._asdict().items()}
    pq.write_table(pa.table({**valid, column: values}), path, store_schema=column != "venue")
    return path


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
@pytest.mark.parametrize("zone", ["Mars/Phobos", "Europe/Berlin", "+05:30", None])
def test_times_of_parquet_are_in_utc_whatever_zone_it_names(
    tmp_path: Path, unit: str, zone: str | None
) -> None:
    stamps = pa.array([TICKS[1].timestamp], pa.timestamp(unit)).view(pa.timestamp(unit, zone))
    assert ticks(parquet(tmp_path / "t.parquet", "timestamp", stamps))[0].timestamp == (
        TICKS[1].timestamp
    )


# The last is in the year 67560, which is 2024 in the 16 bits that Arrow's text has for a year.
@pytest.mark.parametrize("zone", ["UTC", None])
@pytest.mark.parametrize(
    ("unit", "far"),
    [("us", 2**62), ("us", -(2**62)), ("ms", 2**50), ("us", 2_069_820_481_680_000_000)],
)
def test_a_time_of_parquet_out_of_range_is_an_invalid_row(
    tmp_path: Path, unit: str, far: int, zone: str | None
) -> None:
    now = 1706608801 * (1000 if unit == "ms" else 1_000_000)
    stamps = pa.array([now, far, now], pa.timestamp(unit, zone))
    path = parquet(tmp_path / "t.parquet", "timestamp", stamps)
    assert f"{path}:2: timestamp '" in message(path)
    assert len(ticks(path, skip_invalid=True)) == 2


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string()])
def test_a_text_of_parquet_that_is_not_utf8_is_an_invalid_row(
    tmp_path: Path, kind: pa.DataType
) -> None:
    binary = pa.large_binary() if kind == pa.large_string() else pa.binary()
    symbols = pa.array([b"AAPL", b"\xff", b"AAPL"], binary).view(kind)
    path = parquet(tmp_path / "t.parquet", "symbol", symbols)
    assert f"{path}:2: symbol cannot be read: 'utf-8'" in message(path)
    assert ticks(path, skip_invalid=True) == [TICKS[0]] * 2


def test_a_list_of_times_in_an_unknown_zone_is_an_invalid_row(tmp_path: Path) -> None:
    stamps = pa.array([[TICKS[0].timestamp]], pa.list_(pa.timestamp("us", "Mars/Phobos")))
    path = parquet(tmp_path / "t.parquet", "timestamp", stamps)
    assert ":1: timestamp cannot be read: 'Mars/Phobos'" in message(path)


def test_a_name_of_a_parquet_column_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    path = parquet(tmp_path / "t.parquet", "venue", pa.array(["XNAS"]))
    path.write_bytes(path.read_bytes().replace(b"venue", b"venu\xff"))
    assert f"{path}: cannot be read: " in message(path)


@pytest.mark.parametrize("name", ["t.csv", "t.parquet"])
def test_missing_columns_are_named_before_anything_is_read(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / name, [{"symbol": "A", "volume": 1}])
    with pytest.raises(ReplayError, match=r"has no column price, timestamp.*found: symbol, volume"):
        open_recording(path)


@pytest.mark.parametrize(("name", "place"), [("t.csv", 3), ("t.jsonl", 2), ("t.parquet", 2)])
def test_an_invalid_row_is_an_error_after_the_rows_before_it(
    tmp_path: Path, name: str, place: int
) -> None:
    rows = [ROWS[0], {**ROWS[1], "price": -1.0}, ROWS[2]]
    reading = read(open_recording(write(tmp_path / name, rows)))
    assert next(reading) == TICKS[0]
    with pytest.raises(ReplayError, match=rf"{name}:{place}: price .* above 0; .*--skip-invalid"):
        next(reading)


@pytest.mark.parametrize("name", ["t.csv.gz", "t.jsonl", "t.parquet"])
def test_skipped_rows_are_counted(tmp_path: Path, name: str) -> None:
    rows = [ROWS[0], {**ROWS[1], "price": -1.0}, {**ROWS[1], "timestamp": "?"}, ROWS[2]]
    recording = open_recording(write(tmp_path / name, rows))
    assert list(read(recording, skip_invalid=True)) == [TICKS[0], TICKS[2]]
    assert recording.skipped == 2


def test_a_byte_order_mark_is_ignored(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", ROWS)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert ticks(path) == TICKS


@pytest.mark.parametrize(
    ("name", "content", "fact"),
    [
        ("t.csv", b"", "has no column symbol, price, volume, timestamp .found: none."),
        ("t.txt", b"x", "has no known ending"),
        ("t.parquet.gz", b"x", "has no known ending"),
        ("t.parquet", b"not parquet at all", "cannot be read"),
        ("t.csv.gz", b"not gzip", "cannot be read"),
        ("t.csv", b"symbol,price,volume,timestamp\n\xff\n", ":2: is not UTF-8"),
        ("t.csv", b'symbol,price,volume,timestamp\n"' + b"x" * 200_000, ":2: is not CSV: field"),
        ("t.csv", b"symbol,price,volume,timestamp\n\0\0\0", ":2: holds a NUL byte"),
        ("t.jsonl", b"\n\0\0", ":2: holds a NUL byte"),
        ("t.csv", "symbol,price,volume,timestamp\n".encode("utf-16"), ":1: is not UTF-8"),
        ("t.csv", b"symbol,price,volume,timestamp\rA,1,2,3\r", ":1: is not CSV: "),
        ("t.csv", b"symbol;price;volume;timestamp\n", "has no column symbol, price"),
    ],
)
def test_a_file_that_cannot_be_read_is_an_error(
    tmp_path: Path, name: str, content: bytes, fact: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ReplayError, match=fact):
        ticks(tmp_path / name)


def test_an_incomplete_file_is_an_error_after_its_complete_lines(tmp_path: Path) -> None:
    path = write(tmp_path / "t.jsonl.gz", ROWS * 5000)
    path.write_bytes(path.read_bytes()[:-200])
    assert "cannot be read" in message(path)


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    assert "not found" in message(tmp_path / "none.csv")


@pytest.mark.parametrize("name", ["t.csv", "t.jsonl.gz", "t.parquet"])
def test_a_recording_is_streamed(tmp_path: Path, name: str) -> None:
    # Prices at random, so that even packed the file is larger than what is read ahead.
    rng = random.Random(1)
    rows = [row | {"price": 1 + rng.random()} for row in ROWS * 20_000]
    recording = open_recording(write(tmp_path / name, rows))
    next(read(recording))
    assert recording.position.fraction < 0.5


def test_an_empty_parquet_file_has_no_ticks(tmp_path: Path) -> None:
    table = pa.Table.from_pylist(ROWS).slice(0, 0)
    pq.write_table(table, tmp_path / "t.parquet")
    recording = open_recording(tmp_path / "t.parquet")
    assert list(read(recording)) == []
    assert recording.position.fraction == 1.0
