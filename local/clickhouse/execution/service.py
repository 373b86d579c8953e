"""The service: handles, sessions, ids of running queries, cancellation."""

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from time import monotonic
from typing import TypeVar

from lib.clickhouse_errors import Code
from lib.quoting import quote_string
from local.clickhouse.access import guard
from local.clickhouse.engine.handle import Handle, content_types
from local.clickhouse.errors import QueryError, refusal
from local.clickhouse.execution.prepare import MARK, prepare
from local.clickhouse.execution.query_log import QueryLog
from local.clickhouse.execution.run import Answer, start
from local.clickhouse.execution.sessions import Session, Sessions, restored
from local.clickhouse.request.query import Query

WORKERS = 32
_SWEEP_SECONDS = 5.0
_KILL_SECONDS = 5.0
_KILL_AGAIN_SECONDS = 1.0
T = TypeVar("T")


class Service:
    """The engine, open as long as the program runs, and its running queries."""

    def __init__(self, path: Path) -> None:
        self._path = path
        # It also keeps the engine loaded: without an open handle chDB would shut it down.
        self._keeper = Handle(path)
        self._unsafe = guard.unsafe(self._keeper)
        self._workers = ThreadPoolExecutor(WORKERS, "clickhouse")
        # A KILL, which frees workers, must not wait for a free one.
        self._control = ThreadPoolExecutor(1, "clickhouse-control")
        self._running: set[str] = set()
        self._sessions = Sessions()
        self._log = QueryLog()
        self.content_types = content_types(self._keeper)
        self.version = self._keeper.ask("SELECT version()").strip()
        self.compresses = self._keeper.ask("SELECT getSetting('enable_http_compression')").strip()

    async def call(self, function: Callable[..., T], *arguments: object) -> T:
        """Run a blocking function in a worker thread; a cancellation waits for its end."""
        return await _finished(self._workers, function, *arguments)

    @asynccontextmanager
    async def answer(self, query: Query) -> AsyncIterator[Answer]:
        """Run a query; at the end of the block, what still runs is cancelled and closed."""
        self._register(query)
        session: Session | None = None
        entry = self._log.begin(query)
        try:
            session = self._sessions.acquire(query) if query.session else None
            held = ExitStack()
            try:
                entry.answer = await self.call(self._begin, query, session, held)
                yield entry.answer
            finally:
                await self.call(held.close)
        except QueryError as error:
            entry.error = error
            raise
        finally:
            self._log.end(entry)
            if session is not None:
                self._sessions.release(query, session)
            self._running.discard(query.query_id)

    def _register(self, query: Query) -> None:
        if query.query_id in self._running:
            raise refusal(
                Code.QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING,
                f"Query with id = {query.query_id} is already running.",
            )
        self._running.add(query.query_id)

    def _begin(self, query: Query, session: Session | None, held: ExitStack) -> Answer:
        """Run a query until its answer, or the beginning of a long one, is known; `held` closes
        what they use."""
        if self._log.is_read_by(query):
            self._on_fresh_handle(self._log.write)
        answer = start(self._open(query, session, held), query, self._unsafe)
        if answer.rest is not None:
            held.callback(answer.rest.close)
        return answer

    def _open(self, query: Query, session: Session | None, held: ExitStack) -> Handle:
        """The session's handle or a new one, ready for the query."""
        handle = session.handle if session and session.handle else Handle(self._path)

        def close() -> None:
            if session is None or session.handle is not handle:
                handle.close()

        held.callback(close)
        if session and query.user.may_write:
            held.enter_context(restored(handle, query))
        prepare(handle, query)
        if session and query.user.may_write:
            session.handle = handle
        return handle

    async def cancel(self, query: Query) -> None:
        """Kill a query that only reads, repeatedly until this is cancelled, since the query may
        still wait for a worker; return at once for any other query."""
        sql = f"KILL QUERY WHERE Settings['{MARK}'] = {quote_string(query.mark)} ASYNC"

        def kill(handle: Handle) -> bool:
            reads = handle.classify(query.sql)[0] == "READ_ONLY"
            if reads:
                handle.ask(sql)
            return reads

        while await _finished(self._control, self._on_fresh_handle, kill):
            await asyncio.sleep(_KILL_AGAIN_SECONDS)

    def _on_fresh_handle(self, work: Callable[[Handle], T]) -> T:
        handle = Handle(self._path)
        try:
            return work(handle)
        finally:
            handle.close()

    async def sweep(self) -> None:
        """Close expired sessions, until it is cancelled."""
        while True:
            await asyncio.sleep(_SWEEP_SECONDS)
            await self._close_sessions(everything=False)

    async def _close_sessions(self, *, everything: bool) -> None:
        for session in self._sessions.take_expired(everything=everything):
            if session.handle is not None:
                await _finished(self._control, session.handle.close)

    async def close(self) -> bool:
        """Kill all queries and shut the engine down; return whether all of them ended in time."""
        end = monotonic() + _KILL_SECONDS
        while self._running and monotonic() < end:
            # Repeated, since some may have waited for a worker until now.
            await _finished(self._control, self._on_fresh_handle, _kill_all)
            await asyncio.sleep(0.05)
        if self._running:
            return False
        await self._close_sessions(everything=True)
        self._workers.shutdown(wait=True)
        self._control.shutdown(wait=True)
        self._keeper.close()
        return True


def _kill_all(handle: Handle) -> None:
    handle.ask("KILL QUERY WHERE 1 ASYNC")


async def _finished(
    threads: ThreadPoolExecutor, function: Callable[..., T], *arguments: object
) -> T:
    """The result of a function that runs in a thread; a cancellation waits for its end: the caller
    may then close a handle, and chDB crashes if a thread is still inside it."""
    work = asyncio.get_running_loop().run_in_executor(threads, function, *arguments)
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        await asyncio.wait([work])
        raise
