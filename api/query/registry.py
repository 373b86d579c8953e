"""The endpoints that are served: read from the files, checked by ClickHouse, replaced whole."""

import asyncio
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec
from clickhouse_connect.datatypes.base import ClickHouseType
from clickhouse_connect.datatypes.special import AggregateFunction

from api.contract import cursors, endpoints, parameters
from api.contract.columns import Columns, documents, select
from api.contract.endpoints import Endpoint
from api.query.clickhouse import RefusedError, Store
from lib.clickhouse_types import parse
from lib.errors import SqlFileError
from lib.quoting import quote_name

_AT = re.compile(r"position \d+ \((?P<token>.+?)\) \(line (?P<line>\d+), col (?P<column>\d+)\)")
_IDENTIFIER = re.compile(r"[`'](?P<name>[^`']+)[`']")
_NOISE = re.compile(
    r"^Code: \d+\. DB::Exception: "
    r"|\.?\s*(In scope .*|Expected one of.*)?\(([A-Z_]+)\)( \(version .*)?$"
)


@dataclass(frozen=True, slots=True)
class Query:
    """An endpoint whose SQL ClickHouse accepts, with the columns that it answers."""

    endpoint: Endpoint
    columns: Columns
    key_types: tuple[ClickHouseType, ...]
    # What ClickHouse took for each parameter.
    samples: Mapping[str, str]
    # What follows SELECT, by whether it is for readers without types.
    selects: Mapping[bool, str]
    # The columns that JSON rows hold as text and an answer as a value.
    documents: tuple[str, ...]

    def sql(self, *, as_text: bool, after: bool) -> str:
        """The statement to send: the file's own, cut into pages, its columns as they travel."""
        # The file's header stands first, and its last line may be a comment.
        source = f"(\n{self.endpoint.sql}\n)"
        columns = self.selects[as_text]
        if not self.endpoint.keys:
            return f"SELECT {columns} FROM {source}"
        keys = self.endpoint.keys
        where = f" WHERE {cursors.after(keys, self.key_types)}" if after else ""
        order = cursors.order(keys, self.key_types)
        page = f"SELECT * FROM {source}{where} ORDER BY {order} LIMIT {{_rows:UInt64}}"
        return f"SELECT {columns} FROM ({page})"


Registry = Mapping[str, Query]


async def load(folder: Path, variables: dict[str, str], store: Store) -> Registry:
    """Every endpoint of the folder; raise SqlFileError with a line for each wrong one."""
    paths = endpoints.paths(folder)
    loading = (_loaded(path, variables, store) for path in paths)
    loaded = await asyncio.gather(*loading, return_exceptions=True)
    if errors := [found for found in loaded if isinstance(found, SqlFileError)]:
        raise SqlFileError(*map(str, errors))
    for found in loaded:
        if isinstance(found, BaseException):
            raise found
    return {found.endpoint.name: found for found in loaded if isinstance(found, Query)}


async def _loaded(path: Path, variables: dict[str, str], store: Store) -> Query:
    return await checked(endpoints.read(path, variables), store)


async def checked(endpoint: Endpoint, store: Store) -> Query:
    """Ask ClickHouse what an endpoint answers; raise SqlFileError if it refuses."""
    samples = {p.name: parameters.bound(p, parameters.sample(p)) for p in endpoint.params}
    if endpoint.stream:
        samples[endpoints.WINDOW] = "1"
    found = await _described(endpoint, endpoint.sql, samples, store)
    rows = (msgspec.json.decode(line) for line in found.splitlines())
    columns = {row["name"]: _type(row["type"]) for row in rows}
    _check_columns(endpoint, columns)
    selects = {as_text: select(columns, as_text=as_text) for as_text in (True, False)}
    kinds = _key_types(endpoint, columns)
    query = Query(endpoint, columns, kinds, samples, selects, documents(columns))
    as_it_is = ", ".join(map(quote_name, columns))
    # What is right alone may not be as it is sent: in a subquery, each column in its form.
    for as_text in (form for form in selects if form or selects[form] != as_it_is):
        sql = query.sql(as_text=as_text, after=False)
        await _described(endpoint, sql, {**samples, "_rows": "1"}, store)
    return query


def _check_columns(endpoint: Endpoint, columns: Columns) -> None:
    for name, kind in columns.items():
        if isinstance(kind, AggregateFunction):
            raise SqlFileError(
                f"{endpoint.place}: {name}: a state of an aggregation, which no format holds; "
                "end it with finalizeAggregation or a -Merge function."
            )
    for name in endpoint.stream.columns if endpoint.stream else ():
        if name not in columns:
            raise _no_column(endpoint, f"@stream {name}", columns)


def _no_column(endpoint: Endpoint, wanted: str, columns: Columns) -> SqlFileError:
    return SqlFileError(
        f"{endpoint.place}: {wanted}: not a column of the answer; it has {', '.join(columns)}."
    )


async def _described(
    endpoint: Endpoint, sql: str, samples: Mapping[str, str], store: Store
) -> bytes:
    try:
        return await store.ask(f"DESCRIBE TABLE ({sql}\n)", samples, "JSONEachRow")
    except RefusedError as error:
        raise _explained(endpoint, samples, str(error)) from None


def _type(text: str) -> ClickHouseType | None:
    with suppress(ValueError):
        return parse(text)
    return None


def _key_types(endpoint: Endpoint, columns: Columns) -> tuple[ClickHouseType, ...]:
    found = []
    for key in endpoint.keys:
        if key.column not in columns:
            raise _no_column(endpoint, f"@page {key.column}", columns)
        try:
            found.append(cursors.key_type(columns[key.column]))
        except ValueError as error:
            raise SqlFileError(f"{endpoint.place}: @page {key.column}: {error}.") from None
    return tuple(found)


def _explained(endpoint: Endpoint, samples: Mapping[str, str], text: str) -> SqlFileError:
    """ClickHouse's refusal with the line of the file, and the values that the check chose."""
    number = _line_of_token(endpoint.sql, text) or _line_of_name(endpoint.sql, text)
    place = f"{endpoint.place}:{number}" if number else endpoint.place
    tried = [f"{p.name} = {samples[p.name]}" for p in endpoint.params if p.required]
    given = f" with {', '.join(tried)}" if tried else ""
    remedy = "fix the file" + (", or give it a default" if tried else "")
    return SqlFileError(f"{place}: ClickHouse refuses it{given}: {_NOISE.sub('', text)}; {remedy}.")


def _line_of_token(sql: str, text: str) -> int:
    """Where the parser stopped; 0 if it did not. The embedded server counts a line of its own."""
    match = _AT.search(text)
    if not match:
        return 0
    lines = sql.splitlines()
    found, column = int(match["line"]), int(match["column"]) - 1
    near = (number for number in (found, found - 1) if 0 < number <= len(lines))
    return next((n for n in near if lines[n - 1][column:].startswith(match["token"])), found)


def _line_of_name(sql: str, text: str) -> int:
    """The line of the first name that the refusal speaks of; 0 if it names none of the file's."""
    for match in _IDENTIFIER.finditer(text):
        for number, line in enumerate(sql.splitlines(), start=1):
            if match["name"] in line and not line.startswith("--"):
                return number
    return 0
