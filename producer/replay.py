"""Read recorded ticks row by row: CSV, JSON lines (both also gzipped) or Parquet."""

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from lib.errors import ReplayError
from lib.pattern import Pattern
from producer.rows import Row, check_columns, read_csv, read_json
from producer.tick import COLUMNS, Tick, parse

ENDINGS = ".csv .csv.gz .jsonl .jsonl.gz .ndjson .ndjson.gz .parquet"
# PyArrow raises these if Python cannot represent a value: invalid UTF-8, a time out of range, an
# unknown time zone.
_NO_VALUE = (ValueError, OverflowError, KeyError)


@dataclass(slots=True)
class Position:
    """How far a file is read: in bytes as they are on disk, or in rows of Parquet."""

    size: int
    read: int = 0

    @property
    def fraction(self) -> float:
        return min(1.0, self.read / self.size) if self.size else 1.0


@dataclass(slots=True)
class Recording:
    """An open file, whose rows can be read once."""

    path: Path
    position: Position
    rows: Iterator[Row]
    skipped: int = 0

    def ticks(self, symbols: Pattern, skip_invalid: bool) -> Iterator[Tick]:
        """The rows as ticks; an invalid row is counted in `skipped`, or raises ReplayError."""
        with _readable(self.path):
            for number, values in self.rows:
                try:
                    tick = parse(_columns(values), symbols)
                except ValueError as error:
                    if not skip_invalid:
                        remedy = "fix the row or add --skip-invalid"
                        raise ReplayError(f"{self.path}:{number}: {error}; {remedy}.") from error
                    self.skipped += 1
                else:
                    yield tick


def open_recording(path: Path) -> Recording:
    """Open a file by its ending and check its columns; raise ReplayError if that fails."""
    readers = {".csv": read_csv, ".jsonl": read_json, ".ndjson": read_json}
    reader = readers.get(Path(path.name.removesuffix(".gz")).suffix)
    with _readable(path):
        if path.suffix == ".parquet":
            return _open_parquet(path)
        if reader:
            position = Position(path.stat().st_size)
            return Recording(path, position, reader(_lines(path, position), path))
    raise ReplayError(f"{path}: has no known ending; name it one of {ENDINGS}.")


def _lines(path: Path, position: Position) -> Iterator[str]:
    with path.open("rb") as file, gzip.open(file) if path.suffix == ".gz" else file as lines:
        for number, line in enumerate(lines, start=1):
            position.read = file.tell()
            try:
                text = line.decode("utf-8-sig" if number == 1 else "utf-8")
            except UnicodeDecodeError as error:
                fact = "is not UTF-8; convert the file to UTF-8"
                raise ReplayError(f"{path}:{number}: {fact}.") from error
            if "\0" in text:
                # A file system may leave NULs in a file that was being written.
                fact = "holds a NUL byte, so the file is damaged; restore it"
                raise ReplayError(f"{path}:{number}: {fact}.")
            yield text


def _open_parquet(path: Path) -> Recording:
    file = pq.ParquetFile(path)
    check_columns(path, file.schema_arrow.names)
    position = Position(file.metadata.num_rows)
    return Recording(path, position, _parquet(file, position))


def _parquet(file: pq.ParquetFile, position: Position) -> Iterator[Row]:
    with file:
        for batch in file.iter_batches(batch_size=4096, columns=list(COLUMNS)):
            for values in _values(_in_utc(batch)):
                position.read += 1
                yield Row(position.read, values)


def _values(table: pa.Table) -> list[object]:
    """The rows, with an error in the place of a row that Python cannot represent."""
    try:
        return list(table.to_pylist())
    except _NO_VALUE:
        return [_row(table.slice(row, 1)) for row in range(table.num_rows)]


def _row(table: pa.Table) -> object:
    values = {}
    for name in table.column_names:
        try:
            values[name] = table[name][0].as_py()
        except _NO_VALUE as error:
            return ValueError(f"{name} cannot be read: {error}")
    return values


def _in_utc(batch: pa.RecordBatch) -> pa.Table:
    """The times as texts, because Python's datetime has no nanoseconds and no year 10000; without a
    zone, because the file stores them in UTC, whatever zone it names."""
    table = pa.Table.from_batches([batch])
    index = table.schema.get_field_index("timestamp")
    kind = table.schema.types[index]
    if not pa.types.is_timestamp(kind):
        return table
    # With a zone, Arrow's texts of years far in the future or past are wrong.
    times = table[index].cast(pa.timestamp(kind.unit, "UTC")).cast(pa.timestamp(kind.unit))
    return table.set_column(index, "timestamp", times.cast(pa.string()))


def _columns(values: object) -> dict[str, object]:
    if isinstance(values, ValueError):
        raise values
    if not isinstance(values, dict):
        raise ValueError("is not a JSON object")
    return values


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Raise ReplayError if a file is missing, incomplete or of another format."""
    try:
        yield
    except FileNotFoundError as error:
        raise ReplayError(f"{path}: not found; give the path of a recording.") from error
    except (OSError, EOFError, UnicodeError, zlib.error, pa.ArrowException) as error:
        raise ReplayError(f"{path}: cannot be read: {error}; check the file.") from error
