"""A client for ClickHouse's HTTP interface as the read-only user; the server binds parameters."""

import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

import aiohttp

from api.problems import ProblemError
from lib.clickhouse_errors import ACCESS, Code
from lib.errors import ServiceError, one_line
from lib.settings import ClickHouse

log = logging.getLogger("millrace.api")

# More concurrent queries only slow each other down.
MAX_CONNECTIONS = 32
CONNECT_TIMEOUT = 2
_TIMEOUT = (Code.TIMEOUT_EXCEEDED, Code.TOO_SLOW, Code.QUERY_WAS_CANCELLED)
_TOO_LARGE = (
    Code.TOO_MANY_ROWS,
    Code.MEMORY_LIMIT_EXCEEDED,
    Code.TOO_MANY_BYTES,
    Code.TOO_MANY_ROWS_OR_BYTES,
)
_BUSY = (
    Code.TOO_MANY_SIMULTANEOUS_QUERIES,
    Code.SOCKET_TIMEOUT,
    Code.NETWORK_ERROR,
    Code.SERVER_OVERLOADED,
)
_LATE_EXCEPTION = re.compile(rb"__exception__\s.*?Code: (\d+)\. DB::Exception[^\n]*", re.DOTALL)


class QueryError(Exception):
    """ClickHouse refuses a query: the code, and the exception's text for the log."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


class ClickHouseClient:
    """A connection pool that all requests share."""

    def __init__(self, settings: ClickHouse, timeout: float) -> None:
        self._settings = settings
        self._is_available = True
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=MAX_CONNECTIONS, keepalive_timeout=30),
            headers={
                "X-ClickHouse-User": settings.reader_user,
                "X-ClickHouse-Key": settings.reader_password,
                "Accept-Encoding": "identity",
            },
            auto_decompress=False,
            # For each read, not for all: a slow client may take its time with a long response.
            timeout=aiohttp.ClientTimeout(connect=CONNECT_TIMEOUT, sock_read=timeout),
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._session.close()

    async def start(
        self, sql: str, parameters: Mapping[str, str], format: str
    ) -> aiohttp.ClientResponse:
        """Run a query; return when its response begins. Raise QueryError, or ProblemError if
        ClickHouse is unavailable or too slow."""
        fields = {f"param_{name}": text for name, text in parameters.items()}
        fields["default_format"] = format
        try:
            with translated_errors():
                response = await self._post(fields, sql.encode())
                if response.status != 200:
                    raise await self._error_of(response)
        except ProblemError as problem:
            self._log_change(is_available=problem.status != 503)
            raise
        self._log_change(is_available=True)
        return response

    async def fetch(self, sql: str, parameters: Mapping[str, str], format: str) -> bytes:
        """The whole response of a query with few rows."""
        response = await self.start(sql, parameters, format)
        with translated_errors():
            async with response:
                return await response.read()

    async def _post(self, fields: Mapping[str, str], sql: bytes) -> aiohttp.ClientResponse:
        url = f"http://{self._settings.address}/"
        # A pooled connection may have been closed by a restart of the server.
        with suppress(aiohttp.ServerDisconnectedError):
            return await self._session.post(url, params=fields, data=sql)
        return await self._session.post(url, params=fields, data=sql)

    async def _error_of(self, response: aiohttp.ClientResponse) -> Exception:
        async with response:
            text = one_line((await response.content.read(10_000)).decode(errors="replace"))
        code = int(response.headers.get("X-ClickHouse-Exception-Code", "0"))
        if code in ACCESS:
            return ServiceError(
                f"ClickHouse at {self._settings.address}: user {self._settings.reader_user} is "
                "refused; set clickhouse.reader_user and clickhouse.reader_password."
            )
        return error_of(code, text)

    def _log_change(self, *, is_available: bool) -> None:
        """Log once that ClickHouse is unavailable, and once that it is available again."""
        if is_available != self._is_available:
            fact = (
                "answers again"
                if is_available
                else "does not answer; waiting (`make up` starts it)"
            )
            log.warning("ClickHouse at %s %s", self._settings.address, fact)
        self._is_available = is_available


@contextmanager
def translated_errors() -> Iterator[None]:
    """Raise errors of the HTTP client as ProblemError."""
    try:
        yield
    except aiohttp.ConnectionTimeoutError:
        raise unavailable("is busy") from None
    except TimeoutError:
        raise ProblemError(504, "ClickHouse has no answer in time; ask for less.") from None
    except (aiohttp.ClientError, OSError):
        raise unavailable() from None


def unavailable(fact: str = "does not answer") -> ProblemError:
    """The problem that ClickHouse cannot answer now but may soon."""
    return ProblemError(503, f"ClickHouse {fact}; try again soon.", {"Retry-After": "1"})


def error_of(code: int, text: str) -> ProblemError | QueryError:
    """The error for an exception of ClickHouse: ProblemError if the client can fix it."""
    if code in _TIMEOUT:
        return ProblemError(504, "The query took too long; ask for less.")
    if code in _TOO_LARGE:
        return ProblemError(400, "The answer is too large; ask for less.")
    if code in _BUSY:
        return unavailable("is busy")
    return QueryError(code, text)


def late_error(body: bytes) -> ProblemError | QueryError | None:
    """The error for an exception at the end of a response that had begun; None without one."""
    match = _LATE_EXCEPTION.search(body[-10_000:])
    return error_of(int(match[1]), one_line(match[0].decode(errors="replace"))) if match else None
