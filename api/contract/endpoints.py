"""Endpoint files: sql/api/<endpoint>.sql is one SELECT with a header comment that documents it.

-- The meaning of one row.
-- @param symbols = [] [..50] /[A-Z]+/: which ones     no "= value": required; bounds: of a number,
--                                                     of a text's length, of a list's size
-- @param names = '' repeated: which ones              quotes quote; a list that is never split at
--                                                     commas: the parameter is repeated
-- @cache 5                                            how many seconds an answer may be cached
-- @page timestamp desc, kafka_offset                  the order of the rows and pages: columns
--                                                     that together differ from row to row

{symbols:Array(String)} in the SQL is the parameter's type. An endpoint with pages also has the
parameters `limit` and `cursor`; `-- @param limit = 50 [1..500]: ...` sets the bounds of `limit`.
Its SQL may name {limit:UInt32} and {after:Nullable(Type)}, the first column of @page in the last
row of the page before (NULL: there is none), to read no more than a page needs.

-- @stream kafka_offset by inserted_by, kafka_partition key symbol as symbols

makes an endpoint that sends new rows as they are stored: within a source (the columns after `by`)
the offset only grows; the parameter `symbols` selects by the key; {window:UInt32} is the age in
seconds of the oldest rows to look at.

-- @event alert in stream

sends the same rows in the stream of that name, too, as events `alert`; both have one parameter.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from api.contract import cursors, headers
from api.contract.cursors import Key
from api.contract.headers import Header
from api.contract.parameter_declarations import parameter
from api.contract.parameters import Parameter
from api.contract.stream_offsets import Event, Stream
from lib import sql_variables, sqlfiles
from lib.errors import SqlFileError
from lib.files import show
from lib.sql_lexer import QUOTED, blanked, lexemes
from lib.sqlfiles import SqlFile

RESERVED = ("cursor", "format")
# The parameter of a stream that limits how old the rows to look at are, in seconds.
WINDOW = "window"
# The parameter of an endpoint with pages that says where the page before ended.
AFTER = "after"

_FILE_NAME = re.compile(r"(?P<name>[a-z][a-z0-9_]{0,63})\.sql")
_PLACEHOLDER = re.compile(r"\{\s*(?P<name>\w*)\s*(?::(?P<type>[^{}]*))?\}")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A valid file: its parameters and its SQL."""

    name: str
    place: str
    sql: str
    summary: str
    description: str
    parameters: tuple[Parameter, ...]
    cache: int = 0
    keys: tuple[Key, ...] = ()
    stream: Stream | None = None
    event: Event | None = None


def reads_after(endpoint: Endpoint) -> bool:
    """Whether the SQL reads where the page before ended."""
    is_own = any(each.name == AFTER for each in endpoint.parameters)
    return not is_own and AFTER in _placeholders(endpoint.place, endpoint.sql)


def paths(folder: Path) -> list[Path]:
    """The files of a folder; raise SqlFileError if there is no such folder."""
    if not folder.is_dir():
        raise SqlFileError(f"{show(folder)}: no such folder; make it and add SQL files.")
    return sorted(path for path in folder.iterdir() if path.suffix.lower() == ".sql")


def read(path: Path, variables: dict[str, str]) -> Endpoint:
    """One file, checked against the contract; ClickHouse has not seen it yet."""
    place = show(path)
    name = _name(path, place)
    file = SqlFile(0, "endpoint", name, place, sqlfiles.content(path))
    sql = _select(place, sql_variables.substitute(file, variables, sql_variables.CLICKHOUSE).text)
    header = headers.read(place, sql)
    keys = cursors.keys(f"{place}:{header.page[0]}", header.page[1]) if header.page else ()
    parameters = _parameters(place, sql, header, paged=bool(keys))
    # The first sentence may continue over several lines.
    summary, _, rest = re.sub(r"\.\s+", ".\n", " ".join(header.text), count=1).partition("\n")
    return Endpoint(
        name, place, sql, summary, rest, parameters, header.cache, keys, header.stream, header.event
    )


def _name(path: Path, place: str) -> str:
    match = _FILE_NAME.fullmatch(path.name)
    if not match:
        raise SqlFileError(
            f"{place}: not a name of an endpoint; use a-z, 0-9 and _, as in most_ticks.sql."
        )
    return match["name"]


def _select(place: str, text: str) -> str:
    """The statement without a semicolon at its end; raise SqlFileError if it is not one SELECT."""
    text = sqlfiles.one_statement(place, text)
    first = next(lexemes(text), None)
    if first is None or not (first.text == "(" or first.is_word("SELECT", "WITH")):
        line = text.count("\n", 0, first.start if first else None) + 1
        raise SqlFileError(f"{place}:{line}: no SELECT; an endpoint is one SELECT statement.")
    return text


def _parameters(place: str, sql: str, header: Header, *, paged: bool) -> tuple[Parameter, ...]:
    """The parameters in the order of the header; raise SqlFileError for one that is not used, or
    used but not documented."""
    used = _placeholders(place, sql)
    if paged:
        if AFTER not in header.parameters:
            used.pop(AFTER, None)
        used.setdefault("limit", (0, "UInt32"))
        header.parameters.setdefault("limit", (0, cursors.LIMIT))
    if header.stream:
        used.pop(WINDOW, None)
        used.setdefault(header.stream.filter, (0, "Array(String)"))
    for name, (line, _) in used.items():
        if name not in header.parameters:
            raise SqlFileError(
                f"{place}:{line}: {{{name}}} is not documented; add `-- @param {name}: ...`."
            )
        if name in RESERVED:
            raise SqlFileError(f"{place}:{line}: {name} is built in; use another name.")
    for name, (line, _) in header.parameters.items():
        if name not in used:
            raise SqlFileError(
                f"{place}:{line}: {name} is not used; write {{{name}:Type}} or delete it."
            )
    return tuple(
        parameter(f"{place}:{line}", declared, used[name][1], f"{place}:{used[name][0]}")
        for name, (line, declared) in header.parameters.items()
    )


def _placeholders(place: str, sql: str) -> dict[str, tuple[int, str]]:
    """Each {name:Type} of the SQL: its first line and its type."""
    placeholders: dict[str, tuple[int, str]] = {}
    for match in _PLACEHOLDER.finditer(blanked(sql, "comment", *QUOTED)):
        line = sql.count("\n", 0, match.start()) + 1
        # A quoted part of a type is blank in the match.
        kind = sql[slice(*match.span("type"))].strip() if match["type"] is not None else ""
        if not match["name"] or not kind:
            raise SqlFileError(
                f"{place}:{line}: {match[0]} is not a parameter; write {{name:Type}}."
            )
        first = placeholders.setdefault(match["name"], (line, kind))
        if first[1] != kind:
            raise SqlFileError(
                f"{place}:{line}: {match['name']} is {kind} here and {first[1]} in line "
                f"{first[0]}; give it one type."
            )
    return placeholders
