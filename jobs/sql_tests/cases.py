"""Cases: tests/sql/<view>/<case>/ holds input records, and the rows that they become.

    input.ndjson      one record a line: its value as it is, or {"@value": ..., "@key": ..., ...}
    expected.csv      the rows of the view, or of the endpoint, in any order; or expected.ndjson
    case.yaml         optional: job, settings, partitions, clock, endpoint

A job with several sources has a file <source>.ndjson for each."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import yaml

from jobs.kafka.temporary_topics import Record
from lib.errors import SqlTestError, did_you_mean, one_line
from lib.files import show

INPUT = "input"
EXPECTED = ("expected.csv", "expected.ndjson")
OPTIONS_FILE = "case.yaml"

# The Kafka timestamp of the first record, unless a case has a clock; each further one has a
# millisecond more. Later than what cases are about: no tick of theirs is from the future.
CLOCK = datetime(2030, 1, 1, tzinfo=UTC)

_ENVELOPE = ("@value", "@key", "@partition", "@timestamp")


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What case.yaml may say."""

    # The folder under sql/flink/; needed only if several jobs have the view.
    job: str = ""
    # Settings by the names that SQL files use: TICKS_SYMBOL_PATTERN.
    settings: dict[str, str | int | float] = {}
    partitions: int = 1
    clock: datetime = CLOCK
    # The path of a request; then the rows are those of its answer, after all inserts of the job.
    endpoint: str = ""


@dataclass(frozen=True, slots=True)
class Case:
    """One folder, read."""

    subject: str
    name: str
    folder: Path
    options: Options
    # The records by source; "" stands for the only one of the job.
    inputs: Mapping[str, Sequence[Record]]

    @property
    def title(self) -> str:
        return f"{self.subject}/{self.name}"

    @property
    def expected(self) -> Path:
        """The file with the rows; if there is none yet, the one to be made."""
        files = [self.folder / name for name in EXPECTED]
        return next((file for file in files if file.exists()), files[0])


def read(folder: Path, wanted: Sequence[str]) -> list[Case]:
    """The cases of a folder, of which `wanted` names views or views/cases, by default all; raise
    SqlTestError for the first that is wrong, or if there is none."""
    if not folder.is_dir():
        raise SqlTestError(f"{show(folder)}: no such folder; make it, or name another one.")
    folders = sorted(path.parent for path in folder.glob("*/*/*.ndjson"))
    unique = list(dict.fromkeys(folders))
    titles = [f"{each.parent.name}/{each.name}" for each in unique]
    views = {each.parent.name for each in unique}
    for name in wanted:
        if name not in views and name not in titles:
            raise SqlTestError(f"{show(folder / name)}: {did_you_mean(name, [*views, *titles])}")
    if not unique:
        raise SqlTestError(
            f"{show(folder)}: no case; write <view>/<case>/{INPUT}.ndjson with a record a line."
        )
    return [
        _case(each)
        for each, title in zip(unique, titles, strict=True)
        if not wanted or title in wanted or each.parent.name in wanted
    ]


def _case(folder: Path) -> Case:
    options = _options(folder / OPTIONS_FILE)
    files = [file for file in sorted(folder.glob("*.ndjson")) if file.name not in EXPECTED]
    if not files:
        raise SqlTestError(f"{show(folder)}: no {INPUT}.ndjson; write it with a record a line.")
    inputs = {"" if file.stem == INPUT else file.stem: [*_records(file, options)] for file in files}
    return Case(folder.parent.name, folder.name, folder, options, inputs)


def _options(file: Path) -> Options:
    if not file.exists():
        return Options()
    try:
        return msgspec.convert(yaml.safe_load(file.read_text(encoding="utf-8")), Options)
    except (yaml.YAMLError, msgspec.ValidationError, UnicodeDecodeError) as error:
        raise SqlTestError(f"{show(file)}: {one_line(error)}; fix it.") from None


def _records(file: Path, options: Options) -> Iterator[Record]:
    """The records of a file in order; raise SqlTestError with the line of an envelope that is
    wrong."""
    time = options.clock
    for number, line in enumerate(file.read_bytes().splitlines(), start=1):
        place = f"{show(file)}:{number}"
        fields = _envelope(line)
        time = _time(place, fields.get("@timestamp", time))
        partition = fields.get("@partition", 0)
        if partition not in range(options.partitions):
            raise SqlTestError(
                f"{place}: @partition {partition}: the topic has {options.partitions}; "
                f"set partitions in {OPTIONS_FILE}."
            )
        value = fields.get("@value", line)
        milliseconds = int(time.timestamp() * 1000)
        yield Record(_bytes(fields.get("@key")), _bytes(value), partition, milliseconds)
        time += timedelta(milliseconds=1)


def _envelope(line: bytes) -> dict[str, Any]:
    """The fields around a value; empty if the line is the value."""
    if b'"@' not in line:
        return {}
    try:
        fields = json.loads(line)
    except ValueError:
        return {}
    return fields if isinstance(fields, dict) and {*fields} <= {*_ENVELOPE} else {}


def _time(place: str, value: object) -> datetime:
    try:
        time = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError:
        raise SqlTestError(
            f"{place}: @timestamp {value!r} is not a time; write 2024-01-30T10:00:00Z."
        ) from None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _bytes(value: object) -> bytes | None:
    """A text or bytes as they are, anything else as JSON."""
    if value is None or isinstance(value, bytes):
        return value
    return (value if isinstance(value, str) else json.dumps(value)).encode()
