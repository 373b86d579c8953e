"""Asks ClickHouse over HTTP as its read-only user; values are bound by the server."""

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

# More than this at once only makes each wait for the others.
CONNECTIONS = 32
CONNECT_SECONDS = 2
_TIMED_OUT = (Code.TIMEOUT_EXCEEDED, Code.TOO_SLOW, Code.QUERY_WAS_CANCELLED)
_TOO_MUCH = (
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
_LATE = re.compile(rb"__exception__\s.*?Code: (\d+)\. DB::Exception[^\n]*", re.DOTALL)


class RefusedError(Exception):
    """ClickHouse refuses a query: its code, and its own words for the log."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


class Store:
    """A pool of connections that many requests share."""

    def __init__(self, settings: ClickHouse, timeout: float) -> None:
        self._settings = settings
        self._is_away = False
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=CONNECTIONS, keepalive_timeout=30),
            headers={
                "X-ClickHouse-User": settings.reader_user,
                "X-ClickHouse-Key": settings.reader_password,
                "Accept-Encoding": "identity",
            },
            auto_decompress=False,
            # Of each wait, not of the whole: a long answer may take its time to a slow client.
            timeout=aiohttp.ClientTimeout(connect=CONNECT_SECONDS, sock_read=timeout),
        )

    async def close(self) -> None:
        """Give the connections back."""
        await self._session.close()

    async def start(self, sql: str, params: Mapping[str, str], fmt: str) -> aiohttp.ClientResponse:
        """Run a query; return when its answer begins. Raise RefusedError, or ProblemError if there
        is no ClickHouse or no answer in time."""
        query = {f"param_{name}": text for name, text in params.items()}
        query["default_format"] = fmt
        try:
            with explained():
                response = await self._post(query, sql.encode())
                if response.status != 200:
                    raise await self._refusal(response)
        except ProblemError as problem:
            self._note(is_away=problem.status == 503)
            raise
        self._note(is_away=False)
        return response

    async def ask(self, sql: str, params: Mapping[str, str], fmt: str) -> bytes:
        """The whole answer of a query that answers little."""
        response = await self.start(sql, params, fmt)
        with explained():
            async with response:
                return await response.read()

    async def _post(self, query: Mapping[str, str], sql: bytes) -> aiohttp.ClientResponse:
        url = f"http://{self._settings.address}/"
        # A pooled connection may have died with the server that it led to.
        with suppress(aiohttp.ServerDisconnectedError):
            return await self._session.post(url, params=query, data=sql)
        return await self._session.post(url, params=query, data=sql)

    async def _refusal(self, response: aiohttp.ClientResponse) -> Exception:
        async with response:
            text = one_line((await response.content.read(10_000)).decode(errors="replace"))
        code = int(response.headers.get("X-ClickHouse-Exception-Code", "0"))
        if code in ACCESS:
            return ServiceError(
                f"ClickHouse at {self._settings.address}: user {self._settings.reader_user} is "
                "refused; set clickhouse.reader_user and clickhouse.reader_password."
            )
        return refusal(code, text)

    def _note(self, *, is_away: bool) -> None:
        """Say once that ClickHouse is away, and once that it is back."""
        if is_away != self._is_away:
            state = "does not answer; waiting (`make up` starts it)" if is_away else "answers again"
            log.warning("ClickHouse at %s %s", self._settings.address, state)
        self._is_away = is_away


@contextmanager
def explained() -> Iterator[None]:
    """Turn what the client raises into a ProblemError."""
    try:
        yield
    except aiohttp.ConnectionTimeoutError:
        raise away("is busy") from None
    except TimeoutError:
        raise ProblemError(504, "ClickHouse has no answer in time; ask for less.") from None
    except (aiohttp.ClientError, OSError):
        raise away() from None


def away(fact: str = "does not answer") -> ProblemError:
    """ClickHouse cannot answer now; it may in a second."""
    return ProblemError(503, f"ClickHouse {fact}; try again soon.", {"Retry-After": "1"})


def refusal(code: int, text: str) -> ProblemError | RefusedError:
    """The error of a refusal: ProblemError if the client can fix it, else RefusedError."""
    if code in _TIMED_OUT:
        return ProblemError(504, "The query took too long; ask for less.")
    if code in _TOO_MUCH:
        return ProblemError(400, "The answer is too large; ask for less.")
    if code in _BUSY:
        return away("is busy")
    return RefusedError(code, text)


def late_refusal(answer: bytes) -> ProblemError | RefusedError | None:
    """The refusal that ClickHouse wrote into an answer it had begun, if it broke off for one."""
    match = _LATE.search(answer[-10_000:])
    return refusal(int(match[1]), one_line(match[0].decode(errors="replace"))) if match else None
