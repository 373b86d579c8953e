"""An HTTP request, parsed into a query."""

from collections.abc import Mapping
from dataclasses import dataclass

from local.clickhouse.access.users import authenticate
from local.clickhouse.engine.statement import Insert, split_insert
from local.clickhouse.formats.compressed_blocks import unpacked
from local.clickhouse.formats.content_encoding import decompress
from local.clickhouse.request import parameters
from local.clickhouse.request.forms import described, externals, is_form, read_form
from local.clickhouse.request.parameters import is_true
from local.clickhouse.request.query import Query


@dataclass(frozen=True, slots=True)
class Request:
    """A request as received: header names in lower case, the body in the pieces it came in."""

    method: str
    path: str
    params: Mapping[str, str]
    headers: Mapping[str, str]
    body: tuple[bytes, ...] = ()


def parse_query(request: Request) -> Query:
    """Parse a request; raise QueryError, as a server would answer, for one that is invalid."""
    user = authenticate(request.headers, request.params)
    body = b"".join(decompress(request.body, request.headers.get("content-encoding", "")))
    if is_true(request.params.get("decompress")):
        body = unpacked(body, check=not is_true(request.params.get(parameters.NO_CHECKSUM)))
    params, files = dict(request.params), dict[str, bytes]()
    if is_form(request.headers.get("content-type", "")):
        fields, files = read_form(request.headers["content-type"], body)
        params, body = {**params, **fields}, b""
    sql, insert, data = _statement(params.get("query", ""), body)
    header_fmt = request.headers.get("x-clickhouse-format")
    ignored = parameters.RESERVED | described(files)
    return Query(
        user=user,
        query_id=parameters.query_id(params, request.headers),
        sql=sql,
        insert=insert,
        data=data,
        fmt=params.get("default_format") or header_fmt or "TabSeparated",
        input_fmt=header_fmt or params.get("default_format"),
        params={
            name[6:]: _escaped(text) for name, text in params.items() if name.startswith("param_")
        },
        settings={
            name: text
            for name, text in params.items()
            if name not in ignored and not name.startswith("param_")
        },
        database=params.get("database") or request.headers.get("x-clickhouse-database"),
        externals=tuple(externals(files, params)),
        may_write=user.may_write and request.method == "POST",
        whole=is_true(params.get("wait_end_of_query")) or "buffer_size" in params,
        session=params.get("session_id") or None,
        session_timeout=parameters.session_timeout(params.get("session_timeout")),
        session_check=is_true(params.get("session_check")),
        encoding=request.headers.get("accept-encoding", ""),
        compress=is_true(params.get("compress")),
        protocol=parameters.protocol_version(params.get("client_protocol_version")),
    )


def _statement(text: str, body: bytes) -> tuple[bytes, Insert | None, bytes]:
    """The statement and the data that follows it: the body continues the text of the address."""
    sql = text.encode(errors="surrogateescape")
    insert = split_insert(sql)
    if insert is not None and insert.fmt:
        return sql, insert, sql[insert.data_start :] + body
    whole = sql + b"\n" + body if sql and body else sql or body
    continued = split_insert(whole)
    if insert is not None and body and not (continued and continued.fmt):
        return sql, insert, body
    return whole, continued, whole[continued.data_start :] if continued else b""


def _escaped(text: str) -> str:
    """A parameter of the query; a byte that is not UTF-8 is written as ClickHouse writes it."""
    return text.encode(errors="surrogateescape").decode(errors="backslashreplace")
