"""The first argument of clickhouse_insert: 'database.table (column, ...)', optionally AS name and
ELSE database.table (reason)."""

import re
from dataclasses import dataclass

from lib.errors import JobError
from lib.quoting import quote_name, unquote_name

FUNCTION = "clickhouse_insert"

# The column of the dead-letter table whose value, unless it is NULL, makes a row a dead letter.
REASON = "reason"

# A plain name, or one in backquotes or double quotes, as ClickHouse reads it.
_PLAIN = r"[A-Za-z_]\w*"
_QUOTED = r"`(?:[^`\\]|``|\\.)+`|\"(?:[^\"\\]|\"\"|\\.)+\""
_COLUMN = rf"\s*(?:{_QUOTED}|[^\s,()`\"][^,()`\"]*)\s*"
_TARGET = re.compile(
    rf"\s*(?P<database>{_PLAIN}|{_QUOTED})\.(?P<relation>{_PLAIN}|{_QUOTED})"
    rf"\s*\((?P<columns>{_COLUMN}(?:,{_COLUMN})*)\)(?:\s+AS\s+(?P<name>{_PLAIN}))?"
    rf"(?:\s+ELSE\s+(?P<else_database>{_PLAIN}|{_QUOTED})\.(?P<else_relation>{_PLAIN}|{_QUOTED})"
    rf"\s*\(\s*{REASON}\s*\))?\s*",
    re.IGNORECASE,
)

# The columns that identify the Kafka record of a row.
PLACE = ("kafka_partition", "kafka_offset")


@dataclass(frozen=True, slots=True)
class Target:
    """A table and its columns to fill; `name`, by default the table's, identifies the writer in a
    job. Rows with a reason go to `dead_letters`, if the target names that table."""

    database: str
    relation: str
    columns: tuple[str, ...]
    name: str
    # Database and name of the table.
    dead_letters: tuple[str, str] | None = None

    @property
    def table(self) -> str:
        """Both names in SQL, quoted if necessary."""
        return self.beside(self.relation)

    @property
    def values(self) -> tuple[str, ...]:
        """The names of the values that a call passes: the columns, then the reason."""
        return (*self.columns, REASON) if self.dead_letters else self.columns

    @property
    def dead_letter_table(self) -> str:
        """Both names of the table of dead letters in SQL, quoted if necessary; empty without."""
        return ".".join(map(_shown, self.dead_letters or ()))

    @property
    def text(self) -> str:
        """The target as clickhouse_insert reads it, written by the name of its table."""
        columns = ", ".join(map(quote_name, self.columns))
        letters = f" ELSE {self.dead_letter_table} ({REASON})" if self.dead_letters else ""
        return f"{self.table} ({columns}){letters}"

    def beside(self, relation: str) -> str:
        """The names of another table of the database."""
        return f"{_shown(self.database)}.{_shown(relation)}"

    @property
    def is_tracked(self) -> bool:
        """Whether each row identifies its Kafka record, so that none is stored twice."""
        return set(PLACE) <= set(self.columns)


def parse(text: str) -> Target:
    """Parse a target; raise JobError with the text and what was expected."""
    match = _TARGET.fullmatch(text)
    columns = tuple(map(unquote_name, re.findall(_COLUMN, match["columns"]))) if match else ()
    if not match or len(set(columns)) < len(columns):
        raise JobError(
            f"{FUNCTION}: {text!r} is not a target; write 'database.table (column, column)', "
            "each column once, names with other signs than letters, digits and _ in backquotes; "
            f"then AS name for another writer, and ELSE database.table ({REASON}) for dead letters."
        )
    places = [name for name in PLACE if name in columns]
    if len(places) == 1:
        raise JobError(
            f"{FUNCTION}: {text!r} names {places[0]} alone, which does not say which record "
            f"a row is; name {' and '.join(PLACE)}, or neither (then a restart may store rows "
            "twice)."
        )
    database, relation = unquote_name(match["database"]), unquote_name(match["relation"])
    dead = match["else_database"], match["else_relation"]
    dead_letters = (unquote_name(dead[0]), unquote_name(dead[1])) if dead[0] else None
    target = Target(database, relation, columns, match["name"] or relation, dead_letters)
    if dead_letters and not (target.is_tracked and "kafka_timestamp" in columns):
        raise JobError(
            f"{FUNCTION}: {text!r} has ELSE, but its rows do not identify their records; "
            f"name {', '.join(PLACE)} and kafka_timestamp, or leave ELSE out."
        )
    return target


def _shown(name: str) -> str:
    return name if re.fullmatch(_PLAIN, name) else quote_name(name)
