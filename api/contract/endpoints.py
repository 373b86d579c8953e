"""The contract of sql/api/<endpoint>.sql: one SELECT, and a header comment that documents it.

-- What one row means.
-- @param symbols = [] [..50] /[A-Z]+/: which ones     no "= value": required; bounds: of a number,
--                                                     of a text's length, of how many a list holds
-- @param names = '' repeated: which ones              quotes quote; a list that is never split at
--                                                     commas, but given by repeating the parameter
-- @cache 5                                            how many seconds an answer may be old
-- @page timestamp desc, kafka_offset                  what orders the rows and pages them:
--                                                     columns that differ from row to row

{symbols:Array(String)} in the SQL is the parameter's type. An endpoint that pages takes `limit` and
`cursor` of its own; `-- @param limit = 50 [1..500]: ...` sets the bounds of the first.

-- @stream kafka_offset by inserted_by, kafka_partition key symbol as symbols

makes an endpoint that sends new rows as they are stored: within a source (what follows `by`) the
offset only grows; the parameter `symbols` chooses among keys; {window:UInt32} is how many seconds
back the rows to look at were stored.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from api.contract import cursors, headers
from api.contract.cursors import Key
from api.contract.declarations import param
from api.contract.headers import Header
from api.contract.parameters import Param
from api.contract.stream_offsets import Stream
from lib import sql_variables, sqlfiles
from lib.errors import SqlFileError
from lib.files import show
from lib.sql_lexer import QUOTED, blanked, lexemes
from lib.sqlfiles import SqlFile

RESERVED_PARAMS = ("cursor", "format")
# What a stream is given: how many seconds back new rows may have been stored.
WINDOW = "window"

_FILE_NAME = re.compile(r"(?P<name>[a-z][a-z0-9_]{0,63})\.sql")
_PLACEHOLDER = re.compile(r"\{\s*(?P<name>\w*)\s*(?::(?P<type>[^{}]*))?\}")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A file that keeps the contract: what it takes and the SQL that answers."""

    name: str
    place: str
    sql: str
    summary: str
    description: str
    params: tuple[Param, ...]
    cache: int = 0
    keys: tuple[Key, ...] = ()
    stream: Stream | None = None


def paths(folder: Path) -> list[Path]:
    """The files of a folder; raise SqlFileError if there is no such folder."""
    if not folder.is_dir():
        raise SqlFileError(f"{show(folder)}: no such folder; make it and add SQL files.")
    return sorted(path for path in folder.iterdir() if path.suffix.lower() == ".sql")


def read(path: Path, variables: dict[str, str]) -> Endpoint:
    """One file, checked against the contract; ClickHouse has not seen it yet."""
    place = show(path)
    name = _name(path, place)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise SqlFileError(f"{place}: cannot be read: {error}; make it UTF-8 text.") from error
    file = SqlFile(0, "endpoint", name, place, text)
    sql = sql_variables.substitute(file, variables, sql_variables.CLICKHOUSE).text
    sql = _statement(place, sql)
    header = headers.read(place, sql)
    keys = cursors.keys(f"{place}:{header.page[0]}", header.page[1]) if header.page else ()
    params = _params(place, sql, header, paged=bool(keys))
    # The first sentence, over however many lines it goes.
    summary, _, rest = re.sub(r"\.\s+", ".\n", " ".join(header.text), count=1).partition("\n")
    return Endpoint(name, place, sql, summary, rest, params, header.cache, keys, header.stream)


def _name(path: Path, place: str) -> str:
    match = _FILE_NAME.fullmatch(path.name)
    if not match:
        raise SqlFileError(
            f"{place}: not an endpoint's name; use a-z, 0-9 and _, as top_movers.sql."
        )
    return match["name"]


def _statement(place: str, text: str) -> str:
    """The text without the semicolon at its end; raise where it is not one SELECT."""
    text = sqlfiles.one_statement(place, text)
    first = next(lexemes(text), None)
    if first is None or not (first.text == "(" or first.is_word("SELECT", "WITH")):
        line = text.count("\n", 0, first.start if first else None) + 1
        raise SqlFileError(f"{place}:{line}: no SELECT; an endpoint is one SELECT statement.")
    return text


def _params(place: str, sql: str, header: Header, *, paged: bool) -> tuple[Param, ...]:
    """The parameters in the order of the header; each is used, and each used one is documented."""
    used = _placeholders(place, sql)
    if paged:
        used.setdefault("limit", (0, "UInt32"))
        header.params.setdefault("limit", (0, cursors.LIMIT))
    if header.stream:
        used.pop(WINDOW, None)
        used.setdefault(header.stream.filter, (0, "Array(String)"))
    for name, (line, _) in used.items():
        if name not in header.params:
            raise SqlFileError(
                f"{place}:{line}: {{{name}}} is not documented; add `-- @param {name}: ...`."
            )
        if name in RESERVED_PARAMS:
            raise SqlFileError(f"{place}:{line}: {name} is built in; take another name.")
    for name, (line, _) in header.params.items():
        if name not in used:
            raise SqlFileError(
                f"{place}:{line}: {name} is not used; write {{{name}:Type}} or delete it."
            )
    return tuple(
        param(f"{place}:{line}", declared, used[name][1], f"{place}:{used[name][0]}")
        for name, (line, declared) in header.params.items()
    )


def _placeholders(place: str, sql: str) -> dict[str, tuple[int, str]]:
    """Each {name:Type} of the SQL: the line it first stands on, and its type."""
    found: dict[str, tuple[int, str]] = {}
    for match in _PLACEHOLDER.finditer(blanked(sql, "comment", *QUOTED)):
        line = sql.count("\n", 0, match.start()) + 1
        # A quoted part of a type is blank in the match.
        kind = sql[slice(*match.span("type"))].strip() if match["type"] is not None else ""
        if not match["name"] or not kind:
            raise SqlFileError(f"{place}:{line}: {match[0]} is no parameter; write {{name:Type}}.")
        first = found.setdefault(match["name"], (line, kind))
        if first[1] != kind:
            raise SqlFileError(
                f"{place}:{line}: {match['name']} is {kind} here and {first[1]} in line "
                f"{first[0]}; give it one type."
            )
    return found
