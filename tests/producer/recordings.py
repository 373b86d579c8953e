"""Recordings for tests, and how they are read."""

import csv
import gzip
import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lib.errors import ReplayError
from lib.pattern import Pattern
from producer.replay import Recording, open_recording
from producer.tick import Tick

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
