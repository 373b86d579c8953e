"""Cases: tests/sql/<view>/<case>/ holds input records, and the rows that they become.

    input.ndjson      one record a line: its value as it is, or {"@value": ..., "@key": ..., ...}
    expected.csv      the rows of the view in any order, or those of the endpoint in theirs; or
                      expected.ndjson
    case.yaml         optional: job, settings, partitions, clock, endpoint

A job with several sources has a file <source>.ndjson for each."""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import yaml

from jobs.kafka.temporary_topics import Record
from lib import conf
from lib.errors import SettingsError, SqlTestError, did_you_mean, one_line
from lib.files import show
from lib.settings import Settings

INPUT = "input"
EXPECTED = ("expected.csv", "expected.ndjson")
OPTIONS_FILE = "case.yaml"

# The Kafka timestamp of the first record, unless a case has a clock; each further one has a
# millisecond more. Later than what cases are about: no tick of theirs is from the future.
CLOCK = datetime(2030, 1, 1, tzinfo=UTC)

_ENVELOPE = ("@value", "@key", "@partition", "@timestamp")


# The settings of the servers that all cases share.
_OF_SERVERS = ("api", "clickhouse", "flink", "kafka", "local", "webhooks")


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What case.yaml may say."""

    # The folder under sql/flink/; needed only if several jobs have the view.
    job: str = ""
    # Settings by the names that SQL files use: TICKS_SYMBOL_PATTERN.
    settings: dict[str, str | int | float | bool | None] = {}
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
    # Its settings, as variables of the environment.
    environ: Mapping[str, str]
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
    folders = sorted(path for path in folder.glob("*/*/") if not path.name.startswith((".", "_")))
    titles = [f"{each.parent.name}/{each.name}" for each in folders]
    views = {each.parent.name for each in folders}
    # A path, as a shell completes it, is the same.
    wanted = [name.removeprefix(f"{folder}/").strip("/") for name in wanted]
    for name in wanted:
        if name not in views and name not in titles:
            raise SqlTestError(f"{show(folder / name)}: {did_you_mean(name, [*views, *titles])}")
    if not folders:
        raise SqlTestError(
            f"{show(folder)}: no case; write <view>/<case>/{INPUT}.ndjson with a record a line."
        )
    return [
        _case(each)
        for each, title in zip(folders, titles, strict=True)
        if not wanted or title in wanted or each.parent.name in wanted
    ]


def _case(folder: Path) -> Case:
    options = _options(folder / OPTIONS_FILE)
    files = [file for file in sorted(folder.glob("*.ndjson")) if file.name not in EXPECTED]
    if not files:
        raise SqlTestError(f"{show(folder)}: no {INPUT}.ndjson; write it with a record a line.")
    if all((folder / name).exists() for name in EXPECTED):
        raise SqlTestError(f"{show(folder)}: has {' and '.join(EXPECTED)}; remove one of them.")
    inputs = {"" if file.stem == INPUT else file.stem: [*_records(file, options)] for file in files}
    environ = _environ(folder / OPTIONS_FILE, options)
    return Case(folder.parent.name, folder.name, folder, options, environ, inputs)


def _options(file: Path) -> Options:
    if not file.exists():
        return Options()
    try:
        return msgspec.convert(yaml.safe_load(file.read_text(encoding="utf-8")) or {}, Options)
    except (yaml.YAMLError, msgspec.ValidationError, UnicodeDecodeError) as error:
        raise SqlTestError(f"{show(file)}: {one_line(error)}; fix it.") from None


def _environ(file: Path, options: Options) -> dict[str, str]:
    """The settings of a case as variables; raise SqlTestError for one that is unknown, or is of the
    servers."""
    values = {}
    for name, value in options.settings.items():
        groups = (key for key in Settings.__struct_fields__ if name.lower().startswith(f"{key}_"))
        group = max(groups, key=len, default="")
        if group in _OF_SERVERS:
            raise SqlTestError(
                f"{show(file)}: settings: {name} is of the servers, which all cases share; "
                "leave it out."
            )
        key = f"{group.upper()}__{name[len(group) + 1 :]}" if group else name
        # As YAML has them.
        is_word = value is None or isinstance(value, bool)
        values[f"{conf.PREFIX}{key}"] = json.dumps(value) if is_word else str(value)
    try:
        conf.load(environ={**os.environ, **values})
    except SettingsError as error:
        raise SqlTestError(f"{show(file)}: {error}") from None
    return values


def _records(file: Path, options: Options) -> Iterator[Record]:
    """The records of a file in order; raise SqlTestError with the line of an envelope that is
    wrong."""
    time = options.clock
    text = file.read_bytes()
    lines = text.removesuffix(b"\n").split(b"\n") if text else []
    for number, line in enumerate(lines, start=1):
        place = f"{show(file)}:{number}"
        fields = _envelope(place, line)
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


def _envelope(place: str, line: bytes) -> dict[str, Any]:
    """The fields around a value, empty if the line is the value; raise SqlTestError for a field
    that none is."""
    if b'"@' not in line:
        return {}
    try:
        fields = json.loads(line)
    except ValueError:
        return {}
    if not isinstance(fields, dict) or not any(name.startswith("@") for name in fields):
        return {}
    for name in fields:
        if name not in _ENVELOPE:
            raise SqlTestError(
                f"{place}: {name} is no field beside @value; {did_you_mean(name, _ENVELOPE)} A "
                'record with such fields is {"@value": {...}}.'
            )
    return fields


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
