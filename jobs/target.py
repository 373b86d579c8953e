"""The first argument of clickhouse_insert: 'database.table (column, ...)', maybe with a name."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from lib.errors import JobError
from lib.sqlfiles import SqlFile

FUNCTION = "clickhouse_insert"

_TARGET = re.compile(
    r"\s*(?P<table>[A-Za-z_]\w*\.[A-Za-z_]\w*)\s*\((?P<columns>[^()]+)\)"
    r"(?:\s+AS\s+(?P<name>[A-Za-z_]\w*))?\s*",
    re.IGNORECASE,
)

# The columns that say which Kafka record a row is.
_PLACE = ("kafka_partition", "kafka_offset")


@dataclass(frozen=True, slots=True)
class Target:
    """Where rows go; `name` tells the writers of one job apart and is the table's unless given."""

    table: str
    columns: tuple[str, ...]
    name: str

    @property
    def is_tracked(self) -> bool:
        """Whether rows say which Kafka record they come from, so that none is stored twice."""
        return set(_PLACE) <= set(self.columns)


@dataclass(frozen=True, slots=True)
class Call:
    """A call of the sink: the text of its target, and path and line of the call."""

    text: str
    place: str
    target: Target


def calls(files: Iterable[SqlFile]) -> list[Call]:
    """The calls in a job's files; raise JobError for the first whose target is wrong."""
    found = []
    for text, place in (each for file in files for each in file.targets):
        try:
            found.append(Call(text, place, parse(text)))
        except JobError as error:
            raise JobError(f"{place}: {error}") from error
    return found


def parse(text: str) -> Target:
    """Read a target; raise JobError that shows the text and what was expected."""
    match = _TARGET.fullmatch(text)
    columns = (
        tuple(name.strip().strip("`") for name in match["columns"].split(",")) if match else ()
    )
    if not match or not all(columns) or len(set(columns)) < len(columns):
        raise JobError(
            f"clickhouse_insert: {text!r} is not a target; "
            "write 'database.table (column, column)', each column once, or add AS name."
        )
    places = [name for name in _PLACE if name in columns]
    if len(places) == 1:
        raise JobError(
            f"clickhouse_insert: {text!r} names {places[0]} alone, which does not say which record "
            f"a row is; name {' and '.join(_PLACE)}, or neither (then a restart may store rows "
            "twice)."
        )
    name = match["name"] or match["table"].split(".")[1]
    return Target(match["table"], columns, name)
