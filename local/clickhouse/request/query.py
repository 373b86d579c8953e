"""A query: what one request asks of the engine."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import uuid4

from local.clickhouse.access.users import User
from local.clickhouse.engine.statement import Insert
from local.clickhouse.request.forms import External

# Settings of the interface rather than of the engine: clients send them with every request.
_ONLY_HTTP = {
    "enable_http_compression", "http_zlib_compression_level", "send_progress_in_http_headers",
    "http_headers_progress_interval_ms", "cancel_http_readonly_queries_on_client_close",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Query:
    """One query: its statement, its data, and the options of its request."""

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
    # Whether the response begins only when all of it is known.
    whole: bool
    session: str | None
    session_timeout: int
    session_check: bool
    # The client's Accept-Encoding.
    encoding: str
    # Whether the response is in ClickHouse's compressed blocks.
    compress: bool
    protocol: int
    # Unlike an id or a comment, which clients choose, it names this query alone.
    mark: str = field(default_factory=lambda: str(uuid4()))

    @property
    def engine_settings(self) -> dict[str, str]:
        """The settings for the engine; for a reader all, since the engine checks a reader's."""
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
        """The setting of that name for this query: a GET may only read."""
        readonly = self.settings.get("readonly", "0")
        return "2" if readonly == "0" and not self.may_write else readonly

    @property
    def takes_data(self) -> bool:
        """Whether this is an INSERT whose rows came with the request."""
        return self.insert is not None and bool(self.insert.fmt or self.input_fmt)
