"""The served endpoints: read from the files and checked by ClickHouse."""

import asyncio
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec
from clickhouse_connect.datatypes.base import ClickHouseType
from clickhouse_connect.datatypes.numeric import Float
from clickhouse_connect.datatypes.special import AggregateFunction

from api.contract import cursors, endpoints, parameters
from api.contract.columns import Columns, json_columns, select
from api.contract.endpoints import Endpoint
from api.query.clickhouse import ClickHouseClient, QueryError
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
    """An endpoint whose SQL ClickHouse accepts, with the columns of its rows."""

    endpoint: Endpoint
    columns: Columns
    key_types: tuple[ClickHouseType, ...]
    # The value of each parameter in the check.
    samples: Mapping[str, str]
    # The SELECT list, by whether the format has no types (`as_text`).
    selects: Mapping[bool, str]
    # The columns of which JSON rows contain the text, and a response the value.
    json_columns: tuple[str, ...]

    def sql(self, *, as_text: bool, after: bool) -> str:
        """The statement to send: the file's SELECT, in pages, its columns converted."""
        # On lines of its own, as it begins and may end with a comment.
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


async def load(folder: Path, variables: dict[str, str], client: ClickHouseClient) -> Registry:
    """Every endpoint of the folder; raise SqlFileError with a line for each wrong one."""
    paths = endpoints.paths(folder)
    loading = (_load(path, variables, client) for path in paths)
    loaded = await asyncio.gather(*loading, return_exceptions=True)
    if errors := [error for error in loaded if isinstance(error, SqlFileError)]:
        raise SqlFileError(*map(str, errors))
    for each in loaded:
        if isinstance(each, BaseException):
            raise each
    registry = {each.endpoint.name: each for each in loaded if isinstance(each, Query)}
    if lines := [*_events_without_stream(registry)]:
        raise SqlFileError(*lines)
    return registry


def events_of(registry: Registry, query: Query) -> tuple[Query, ...]:
    """The queries whose rows are events in the stream of this one."""
    return tuple(
        each
        for each in registry.values()
        if each.endpoint.event
        and each.endpoint.event.stream == query.endpoint.name
        and _is_same_filter(each, query)
    )


def _events_without_stream(registry: Registry) -> Iterator[str]:
    for each in registry.values():
        if event := each.endpoint.event:
            stream = registry.get(event.stream)
            if not stream or not _is_same_filter(each, stream):
                yield (
                    f"{each.endpoint.place}: @event {event.name} in {event.stream}: no such stream "
                    "with the same parameter; name one that selects by it."
                )


def _is_same_filter(event: Query, stream: Query) -> bool:
    """Whether one parameter, with the same values, selects the rows of both."""
    return bool(
        event.endpoint.stream
        and stream.endpoint.stream
        and event.endpoint.stream.filter == stream.endpoint.stream.filter
    )


async def _load(path: Path, variables: dict[str, str], client: ClickHouseClient) -> Query:
    return await check(endpoints.read(path, variables), client)


async def check(endpoint: Endpoint, client: ClickHouseClient) -> Query:
    """Let ClickHouse describe an endpoint's rows; raise SqlFileError if it refuses the SQL."""
    samples = {p.name: parameters.bind(p, parameters.sample(p)) for p in endpoint.parameters}
    if endpoint.stream:
        samples[endpoints.WINDOW] = "1"
    if endpoints.reads_after(endpoint):
        samples[endpoints.AFTER] = cursors.NO_ROW
    lines = await _describe(endpoint, endpoint.sql, samples, client)
    rows = (msgspec.json.decode(line) for line in lines.splitlines())
    columns = {row["name"]: _type(row["type"]) for row in rows}
    _check_columns(endpoint, columns)
    selects = {as_text: select(columns, as_text=as_text) for as_text in (True, False)}
    kinds = _key_types(endpoint, columns)
    query = Query(endpoint, columns, kinds, samples, selects, json_columns(columns))
    unchanged = ", ".join(map(quote_name, columns))
    # SQL that is valid alone may not be valid as it is sent: as a subquery, its columns converted.
    for as_text in (form for form in selects if form or selects[form] != unchanged):
        sql = query.sql(as_text=as_text, after=False)
        await _describe(endpoint, sql, {**samples, "_rows": "1"}, client)
    return query


def _check_columns(endpoint: Endpoint, columns: Columns) -> None:
    for name, kind in columns.items():
        if isinstance(kind, AggregateFunction):
            raise SqlFileError(
                f"{endpoint.place}: {name}: a state of an aggregation, which no format can hold; "
                "end it with finalizeAggregation or a -Merge function."
            )
    for name in endpoint.stream.columns if endpoint.stream else ():
        if name not in columns:
            raise _no_column(endpoint, f"@stream {name}", columns)


def _no_column(endpoint: Endpoint, tag: str, columns: Columns) -> SqlFileError:
    return SqlFileError(
        f"{endpoint.place}: {tag}: not a column of the answer; it has {', '.join(columns)}."
    )


async def _describe(
    endpoint: Endpoint, sql: str, samples: Mapping[str, str], client: ClickHouseClient
) -> bytes:
    try:
        return await client.fetch(f"DESCRIBE TABLE ({sql}\n)", samples, "JSONEachRow")
    except QueryError as error:
        raise _refusal(endpoint, samples, str(error)) from None


def _type(text: str) -> ClickHouseType | None:
    with suppress(ValueError):
        return parse(text)
    return None


def _key_types(endpoint: Endpoint, columns: Columns) -> tuple[ClickHouseType, ...]:
    kinds = []
    for key in endpoint.keys:
        if key.column not in columns:
            raise _no_column(endpoint, f"@page {key.column}", columns)
        try:
            kinds.append(cursors.key_type(columns[key.column]))
        except ValueError as error:
            raise SqlFileError(f"{endpoint.place}: @page {key.column}: {error}.") from None
    if kinds and isinstance(kinds[0], Float) and endpoints.reads_after(endpoint):
        raise SqlFileError(
            f"{endpoint.place}: {{{endpoints.AFTER}}}: NaN is NULL there, as it is for the first "
            "page; begin @page with a column of another type."
        )
    return tuple(kinds)


def _refusal(endpoint: Endpoint, samples: Mapping[str, str], text: str) -> SqlFileError:
    """The exception of ClickHouse with the line of the file and the samples of the check."""
    number = _line_of_token(endpoint.sql, text) or _line_of_name(endpoint.sql, text)
    place = f"{endpoint.place}:{number}" if number else endpoint.place
    tried = [f"{p.name} = {samples[p.name]}" for p in endpoint.parameters if p.required]
    samples_used = f" with {', '.join(tried)}" if tried else ""
    remedy = "fix the file" + (", or give it a default" if tried else "")
    return SqlFileError(
        f"{place}: ClickHouse refuses it{samples_used}: {_NOISE.sub('', text)}; {remedy}."
    )


def _line_of_token(sql: str, text: str) -> int:
    """The line at which the parser stopped, or 0. The embedded server counts one line more."""
    match = _AT.search(text)
    if not match:
        return 0
    lines = sql.splitlines()
    line, column = int(match["line"]), int(match["column"]) - 1
    near = (number for number in (line, line - 1) if 0 < number <= len(lines))
    return next((n for n in near if lines[n - 1][column:].startswith(match["token"])), line)


def _line_of_name(sql: str, text: str) -> int:
    """The line of the first name in the exception that is also in the file, or 0."""
    for match in _IDENTIFIER.finditer(text):
        for number, line in enumerate(sql.splitlines(), start=1):
            if match["name"] in line and not line.startswith("--"):
                return number
    return 0
