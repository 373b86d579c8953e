"""One HTTP request, read into what it asks of the engine."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl
from uuid import uuid4

from lib.clickhouse_errors import Code
from local.clickhouse.access.users import User, authenticate
from local.clickhouse.engine.statement import Insert, split_insert
from local.clickhouse.errors import refusal
from local.clickhouse.formats.compressed_blocks import unpacked
from local.clickhouse.formats.content_encoding import decompress
from local.clickhouse.request.forms import External, described, externals, is_form, read_form

# Parameters of the interface itself; every other one is a setting.
_RESERVED = {
    "query", "user", "password", "quota_key", "database", "default_format", "session_id",
    "session_timeout", "session_check", "close_session", "compress", "decompress", "stacktrace",
    "buffer_size", "wait_end_of_query", "query_id", "role", "client_protocol_version",
}  # fmt: skip

# Settings of the interface rather than of the engine: clients send them with every request.
_ONLY_HTTP = {
    "enable_http_compression", "http_zlib_compression_level", "send_progress_in_http_headers",
    "http_headers_progress_interval_ms", "cancel_http_readonly_queries_on_client_close",
}  # fmt: skip
_NO_CHECKSUM = "http_native_compression_disable_checksumming_on_decompress"
_DEFAULT_TIMEOUT, _MAX_TIMEOUT = 60, 3600
# What no header may hold.
CONTROL = re.compile(r"[\x00-\x1f\x7f]")
# Python refuses a text of very many.
_MOST_DIGITS = 20


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it came: names of headers in lower case, the body in the pieces it came in."""

    method: str
    path: str
    params: Mapping[str, str]
    headers: Mapping[str, str]
    body: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Query:
    """What a request asks of the engine."""

    user: User
    query_id: str
    sql: bytes
    insert: Insert | None
    data: bytes
    fmt: str
    input_fmt: str | None
    params: Mapping[str, str]
    settings: Mapping[str, str]
    database: str | None
    externals: tuple[External, ...]
    may_write: bool
    whole: bool
    session: str | None
    session_timeout: int
    session_check: bool
    encoding: str
    compress: bool
    protocol: int
    # Known to nobody else, unlike an id or a comment that clients choose.
    mark: str = field(default_factory=lambda: str(uuid4()))

    @property
    def engine_settings(self) -> dict[str, str]:
        """What the engine must be told; of a reader all, since it decides what a reader may set."""
        return {
            name: text
            for name, text in self.settings.items()
            if name not in _ONLY_HTTP or not self.user.may_write
        }

    @property
    def text(self) -> bytes:
        """The statement without the rows that follow it."""
        return self.insert.head if self.insert and self.takes_data else self.sql

    @property
    def readonly(self) -> str:
        """What the setting of that name is for the query: a GET may only read."""
        asked = self.settings.get("readonly", "0")
        return "2" if asked == "0" and not self.may_write else asked

    @property
    def takes_data(self) -> bool:
        """Whether this is an INSERT whose rows came with the request."""
        return self.insert is not None and bool(self.insert.fmt or self.input_fmt)


def read_params(query_string: bytes) -> dict[str, str]:
    """The parameters in the address; a byte that is not UTF-8 is kept as a surrogate."""
    text = query_string.decode("latin-1")
    return dict(parse_qsl(text, keep_blank_values=True, errors="surrogateescape"))


def read_query(request: Request) -> Query:
    """Read a request, or say as a server would what is wrong with it."""
    user = authenticate(request.headers, request.params)
    body = b"".join(decompress(request.body, request.headers.get("content-encoding", "")))
    if _is_true(request.params.get("decompress")):
        body = unpacked(body, check=not _is_true(request.params.get(_NO_CHECKSUM)))
    params, files = dict(request.params), dict[str, bytes]()
    if is_form(request.headers.get("content-type", "")):
        fields, files = read_form(request.headers["content-type"], body)
        params, body = {**params, **fields}, b""
    sql, insert, data = _statement(params.get("query", ""), body)
    asked = request.headers.get("x-clickhouse-format")
    ignored = _RESERVED | described(files)
    return Query(
        user=user,
        query_id=_read_id(params, request.headers),
        sql=sql,
        insert=insert,
        data=data,
        fmt=params.get("default_format") or asked or "TabSeparated",
        input_fmt=asked or params.get("default_format"),
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
        whole=_is_true(params.get("wait_end_of_query")) or "buffer_size" in params,
        session=params.get("session_id") or None,
        session_timeout=_read_timeout(params.get("session_timeout")),
        session_check=_is_true(params.get("session_check")),
        encoding=request.headers.get("accept-encoding", ""),
        compress=_is_true(params.get("compress")),
        protocol=_read_version(params.get("client_protocol_version")),
    )


def _statement(text: str, body: bytes) -> tuple[bytes, Insert | None, bytes]:
    """The statement, and the data that follows it: a body continues what the address began."""
    sql = text.encode(errors="surrogateescape")
    insert = split_insert(sql) if sql else None
    if insert is not None and insert.fmt:
        return sql, insert, sql[insert.data_start :] + body
    whole = sql + b"\n" + body if sql and body else sql or body
    if insert is None:
        insert = split_insert(whole)
    elif body:
        insert_whole = split_insert(whole)
        if insert_whole is not None and insert_whole.fmt:
            return whole, insert_whole, whole[insert_whole.data_start :]
        return sql, insert, body
    return whole, insert, whole[insert.data_start :] if insert else b""


def _escaped(text: str) -> str:
    """A parameter of the query; a byte that is not UTF-8 is written as ClickHouse writes it."""
    return text.encode(errors="surrogateescape").decode(errors="backslashreplace")


def _read_id(params: Mapping[str, str], headers: Mapping[str, str]) -> str:
    """The query's id, which the answer's headers repeat; a new one if none is given."""
    text = params.get("query_id") or headers.get("x-clickhouse-query-id", "")
    if CONTROL.search(text):
        raise refusal(Code.BAD_ARGUMENTS, "The query_id has a control character")
    return text or str(uuid4())


def _read_timeout(text: str | None) -> int:
    """The session_timeout parameter, as a server checks it."""
    if text is None:
        return _DEFAULT_TIMEOUT
    if not text.isascii() or not text.isdigit():
        raise refusal(Code.INVALID_SESSION_TIMEOUT, f"Invalid session timeout: '{text}'")
    if len(text) > _MOST_DIGITS or int(text) > _MAX_TIMEOUT:
        raise refusal(
            Code.INVALID_SESSION_TIMEOUT,
            f"Session timeout '{text}' is larger than max_session_timeout: {_MAX_TIMEOUT}.",
        )
    return int(text)


def _read_version(text: str | None) -> int:
    """The client_protocol_version parameter: a number, or 0 for a client that states none."""
    if not text or not text.isascii() or not text.isdigit():
        return 0
    if len(text) > _MOST_DIGITS:
        raise refusal(Code.BAD_ARGUMENTS, "client_protocol_version is not a 64-bit number")
    return int(text)


def _is_true(text: str | None) -> bool:
    return text is not None and text.lower() in ("1", "true")
