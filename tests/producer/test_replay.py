"""Recordings: three formats, the same ticks; what cannot be read is said in one line."""

import csv
import gzip
import json
import random
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lib.errors import ReplayError
from lib.pattern import Pattern
from producer.replay import Recording, open_recording
from producer.tick import COLUMNS, Tick

ROWS: list[dict[str, object]] = [
    {"symbol": "AAPL", "price": 150.5, "volume": 1000, "timestamp": "2024-01-30T10:00:01.123456"},
    {"symbol": "MSFT", "price": 405.25, "volume": 0, "timestamp": "2024-01-30T10:00:02Z"},
    {"symbol": "AAPL", "price": 151.0, "volume": 7, "timestamp": "2024-01-30 10:00:03+00:00"},
]
TICKS = [
    Tick("AAPL", 150.5, 1000, datetime(2024, 1, 30, 10, 0, 1, 123456)),
    Tick("MSFT", 405.25, 0, datetime(2024, 1, 30, 10, 0, 2)),
    Tick("AAPL", 151.0, 7, datetime(2024, 1, 30, 10, 0, 3)),
]
EXTRA = {"venue": 'XNAS, "New\nYork"'}


def write(path: Path, rows: list[dict[str, object]]) -> Path:
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
        return path
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "wt", encoding="utf-8", newline="") as file:
        if ".csv" in path.name:
            writer = csv.DictWriter(file, fieldnames=list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        else:
            file.writelines(json.dumps(row) + "\n" for row in rows)
    return path


def ticks(path: Path, skip_invalid: bool = False) -> list[Tick]:
    return list(read(open_recording(path), skip_invalid))


def read(recording: Recording, skip_invalid: bool = False) -> Iterator[Tick]:
    return recording.ticks(Pattern("[A-Z]+"), skip_invalid)


def message(path: Path) -> str:
    with pytest.raises(ReplayError) as caught:
        ticks(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


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


def test_half_of_a_surrogate_pair_in_json_is_invalid_whatever_the_pattern(tmp_path: Path) -> None:
    path = write(tmp_path / "t.jsonl", [ROWS[0], {**ROWS[1], "symbol": "\ud800"}, ROWS[2]])
    with pytest.raises(ReplayError, match=r":2: symbol '\\ud800' has a lone surrogate"):
        list(open_recording(path).ticks(Pattern(".+"), skip_invalid=False))
    recording = open_recording(path)
    assert list(recording.ticks(Pattern(".+"), skip_invalid=True)) == [TICKS[0], TICKS[2]]
    assert recording.skipped == 1


@pytest.mark.parametrize("name", ["t.csv", "t.parquet"])
def test_missing_columns_are_named_before_anything_is_read(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / name, [{"symbol": "A", "volume": 1}])
    with pytest.raises(ReplayError, match=r"has no column price, timestamp.*found: symbol, volume"):
        open_recording(path)


def test_missing_keys_of_json_are_named(tmp_path: Path) -> None:
    path = write(tmp_path / "t.jsonl", [ROWS[0], {"symbol": "A", "volume": 1}])
    assert message(path).startswith(f"{path}:2: has no price, timestamp; ")


@pytest.mark.parametrize(("name", "place"), [("t.csv", 3), ("t.jsonl", 2), ("t.parquet", 2)])
def test_a_bad_row_stops_after_what_came_before_it(tmp_path: Path, name: str, place: int) -> None:
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


@pytest.mark.parametrize(
    "line",
    ["{", "[1]", '"x"', '{"price": NaN}', '{"price": 1, "price": 2}', '{"a": {"b": 1, "b": 1}}',
     "{} {}", "\ufeff{}", "[" * 10_000],
)  # fmt: skip
def test_a_line_that_is_no_json_object_is_invalid(tmp_path: Path, line: str) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text(f"{json.dumps(ROWS[0])}\n\n{line}\n")
    assert ":3: is not" in message(path)
    assert ticks(path, skip_invalid=True) == TICKS[:1]


HEADER = "timestamp,symbol,price,volume"
AT = "2024-01-02T10:00:00Z"


def csv_file(path: Path, *lines: str, end: str = "\n") -> Path:
    path.write_text("\n".join(lines) + end, encoding="utf-8")
    return path


@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz"])
@pytest.mark.parametrize(
    ("line", "count"), [(f"{AT},AAPL,1,234,100", 5), (f"{AT},AAPL,1", 3), (" ", 1)]
)
def test_a_row_of_another_length_than_the_header_is_invalid(
    tmp_path: Path, name: str, line: str, count: int
) -> None:
    path = csv_file(tmp_path / "t.csv", HEADER, f"{AT},AAPL,1,2", "", line, f"{AT},AAPL,3,4")
    if name.endswith(".gz"):
        packed = gzip.compress(path.read_bytes())
        path = tmp_path / name
        path.write_bytes(packed)
    assert message(path) == (
        f"{path}:4: has {count} values, and the header has 4 columns; "
        "fix the row or add --skip-invalid."
    )
    assert [tick.price for tick in ticks(path, skip_invalid=True)] == [1.0, 3.0]


@pytest.mark.parametrize("name", ["t.csv", "t.parquet"])
@pytest.mark.parametrize("doubled", ["price", "venue"])
def test_a_name_that_two_columns_have_is_refused(tmp_path: Path, name: str, doubled: str) -> None:
    names = [*COLUMNS, "venue", doubled]
    path = csv_file(tmp_path / "t.csv", ", ".join(names), "AAPL,1,2,2024-01-30T10:00:01Z,X,3")
    if name == "t.parquet":
        path = tmp_path / name
        pq.write_table(pa.table([pa.array(["1"])] * 6, names=names), path)
    with pytest.raises(ReplayError, match=f"has two columns {doubled}; rename or drop one"):
        open_recording(path)


def test_columns_without_a_name_are_ignored(tmp_path: Path) -> None:
    path = csv_file(tmp_path / "t.csv", f",{HEADER},", f"0,{AT},AAPL,1,2,x")
    assert ticks(path) == [Tick("AAPL", 1.0, 2, datetime(2024, 1, 2, 10))]


def test_blanks_behind_a_comma_are_ignored(tmp_path: Path) -> None:
    path = csv_file(tmp_path / "t.csv", f"{HEADER}, venue", f'{AT}, AAPL, 1, 2, "New York, NY"')
    assert ticks(path) == [Tick("AAPL", 1.0, 2, datetime(2024, 1, 2, 10))]


@pytest.mark.parametrize(
    "rest",
    [
        [f'{AT},AAPL,1,2,"NYSE', f"{AT},AAPL,3,4,NYSE", f"{AT},AAPL,5,6,NYSE"],
        [f'{AT},AAPL,1,2,"NYSE', f'{AT},AAPL,3,4,"NYSE"', f"{AT},AAPL,5,6,NYSE"],
        [f'{AT},AAPL,1,2,"NYSE"x', f"{AT},AAPL,3,4,NYSE"],
    ],
)
def test_quotes_that_do_not_match_are_refused_where_they_begin(
    tmp_path: Path, rest: list[str]
) -> None:
    path = csv_file(tmp_path / "t.csv", f"{HEADER},venue", f'{AT},AAPL,1,2,"a\nb"', *rest)
    for skip in (False, True):
        with pytest.raises(ReplayError, match=r":4: is not CSV: .*; check the quotes from this"):
            ticks(path, skip)


def test_a_row_of_several_lines_is_named_by_its_first(tmp_path: Path) -> None:
    path = csv_file(tmp_path / "t.csv", f"{HEADER},venue", f'{AT},AAPL,-1,2,"a\n\nb"')
    assert message(path).startswith(f"{path}:2: price '-1' ")


def test_a_last_line_that_may_be_cut_off_is_invalid(tmp_path: Path) -> None:
    path = csv_file(tmp_path / "t.csv", HEADER, f"{AT},AAPL,1,234", f"{AT},AAPL,1,23", end="")
    assert message(path) == (
        f"{path}:3: does not end with a newline, so its last value may be cut off; "
        "fix the row or add --skip-invalid."
    )
    path = csv_file(path, f"{HEADER},venue", f"{AT},AAPL,1,23,NY", end="")
    assert len(ticks(path)) == 1, "a value of another column"
    path = csv_file(path, HEADER, f'{AT},AAPL,1,"23"', end="")
    assert len(ticks(path)) == 1, "the quote ends it"


def test_a_json_line_needs_no_newline(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text(json.dumps(ROWS[0]))
    assert ticks(path) == TICKS[:1]


def test_numbers_of_json_are_taken_as_they_are_written(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    row = '{"symbol": "A", "price": %s, "volume": %s, "timestamp": "2024-01-30T10:00:00Z"}\n'
    path.write_text(row % ("9007199254740993", "1e3") + row % ("1", "1.00000000000000000001"))
    assert [(tick.price, tick.volume) for tick in ticks(path, skip_invalid=True)] == [
        (9007199254740992.0, 1000)
    ]


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
def test_what_cannot_be_read_is_said(tmp_path: Path, name: str, content: bytes, fact: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ReplayError, match=fact):
        ticks(tmp_path / name)


def test_a_file_cut_off_is_said_after_its_whole_lines(tmp_path: Path) -> None:
    path = write(tmp_path / "t.jsonl.gz", ROWS * 5000)
    path.write_bytes(path.read_bytes()[:-200])
    assert "cannot be read" in message(path)


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    assert "not found" in message(tmp_path / "none.csv")


@pytest.mark.parametrize("name", ["t.csv", "t.jsonl.gz", "t.parquet"])
def test_a_recording_is_streamed(tmp_path: Path, name: str) -> None:
    # Prices at random, so that even packed the file is larger than what is read ahead.
    rng = random.Random(1)
    rows = [row | {"price": 1 + rng.random()} for row in ROWS * 20_000]
    recording = open_recording(write(tmp_path / name, rows))
    next(read(recording))
    assert recording.position.fraction < 0.5


def test_an_empty_parquet_file_is_done(tmp_path: Path) -> None:
    table = pa.Table.from_pylist(ROWS).slice(0, 0)
    pq.write_table(table, tmp_path / "t.parquet")
    recording = open_recording(tmp_path / "t.parquet")
    assert list(read(recording)) == []
    assert recording.position.fraction == 1.0
