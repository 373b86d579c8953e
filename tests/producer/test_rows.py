"""Rows of CSV and JSON lines, read through a recording."""

import gzip
import json
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lib.errors import ReplayError
from lib.pattern import Pattern
from producer.replay import open_recording
from producer.tick import COLUMNS, Tick
from tests.producer.recordings import ROWS, TICKS, message, ticks, write

HEADER = "timestamp,symbol,price,volume"
AT = "2024-01-02T10:00:00Z"


def csv_file(path: Path, *lines: str, end: str = "\n") -> Path:
    path.write_text("\n".join(lines) + end, encoding="utf-8")
    return path


def test_missing_keys_of_json_are_named(tmp_path: Path) -> None:
    path = write(tmp_path / "t.jsonl", [ROWS[0], {"symbol": "A", "volume": 1}])
    assert message(path).startswith(f"{path}:2: has no price, timestamp; ")


def test_half_of_a_surrogate_pair_in_json_is_invalid_whatever_the_pattern(tmp_path: Path) -> None:
    path = write(tmp_path / "t.jsonl", [ROWS[0], {**ROWS[1], "symbol": "\ud800"}, ROWS[2]])
    with pytest.raises(ReplayError, match=r":2: symbol '\\ud800' has a lone surrogate"):
        list(open_recording(path).ticks(Pattern(".+"), skip_invalid=False))
    recording = open_recording(path)
    assert list(recording.ticks(Pattern(".+"), skip_invalid=True)) == [TICKS[0], TICKS[2]]
    assert recording.skipped == 1


@pytest.mark.parametrize(
    "line",
    ["{", "[1]", '"x"', '{"price": NaN}', '{"price": 1, "price": 2}', '{"a": {"b": 1, "b": 1}}',
     "{} {}", "\ufeff{}", "[" * 10_000],
)  # fmt: skip
def test_a_line_that_is_not_a_json_object_is_invalid(tmp_path: Path, line: str) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text(f"{json.dumps(ROWS[0])}\n\n{line}\n")
    assert ":3: is not" in message(path)
    assert ticks(path, skip_invalid=True) == TICKS[:1]


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
def test_two_columns_of_one_name_are_refused(tmp_path: Path, name: str, doubled: str) -> None:
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


def test_blanks_after_a_comma_are_ignored(tmp_path: Path) -> None:
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
def test_unmatched_quotes_are_refused_at_the_line_where_they_begin(
    tmp_path: Path, rest: list[str]
) -> None:
    path = csv_file(tmp_path / "t.csv", f"{HEADER},venue", f'{AT},AAPL,1,2,"a\nb"', *rest)
    for skip in (False, True):
        with pytest.raises(ReplayError, match=r":4: is not CSV: .*; check the quotes from this"):
            ticks(path, skip)


def test_an_error_names_the_first_line_of_a_row(tmp_path: Path) -> None:
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


def test_numbers_of_json_are_read_as_they_are_written(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    row = '{"symbol": "A", "price": %s, "volume": %s, "timestamp": "2024-01-30T10:00:00Z"}\n'
    path.write_text(row % ("9007199254740993", "1e3") + row % ("1", "1.00000000000000000001"))
    assert [(tick.price, tick.volume) for tick in ticks(path, skip_invalid=True)] == [
        (9007199254740992.0, 1000)
    ]
