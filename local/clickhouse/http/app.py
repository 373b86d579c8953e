"""The ASGI application: ClickHouse's HTTP interface over the engine."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from contextlib import suppress
from typing import Any

from lib.ports import is_loopback
from local.clickhouse.errors import QueryError
from local.clickhouse.execution.service import Service
from local.clickhouse.http.response import Message, Response, Send
from local.clickhouse.request.parameters import read_params
from local.clickhouse.request.parse import Request, parse_query
from local.clickhouse.request.query import Query

Receive = Callable[[], Awaitable[Message]]

_HEALTH = {"/ping", "/replicas_status"}
_NO_HANDLER = (
    "There is no handle {path}\n\nUse / or /ping for health checks.\n"
    "Or /replicas_status for more sophisticated health checks.\n\n"
    "Send queries from your program with POST method or GET /?query=...\n"
)


class App:
    """The application: parses requests, runs queries in the service, sends responses."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """The ASGI entry."""
        if scope["type"] == "lifespan":
            await self._run_lifespan(receive, send)
        elif scope["type"] == "http":
            await self._respond(scope, receive, send)

    async def _run_lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        sweeper = asyncio.create_task(self._service.sweep())
        await send({"type": "lifespan.startup.complete"})
        await receive()
        sweeper.cancel()
        if not await self._service.close():
            # A thread is still inside the engine; an exit that waits for it may never come.
            os._exit(0)
        await send({"type": "lifespan.shutdown.complete"})

    async def _respond(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        body = await _read_body(receive)
        if body is None:
            # The client disconnected in the middle of its body: nothing of it may be stored.
            return
        headers = {
            name.decode("latin-1"): text.decode("latin-1") for name, text in scope["headers"]
        }
        params = read_params(scope["query_string"])
        request = Request(scope["method"], scope["path"], params, headers, tuple(body))
        response = Response(send, self._service, params.get("query_id", ""))
        try:
            await self._route(request, response, receive)
        except QueryError as error:
            await response.fail(error)

    async def _route(self, request: Request, response: Response, receive: Receive) -> None:
        if not _is_local(request.headers):
            await response.text(
                403, "Only programs on this machine are served: Host and Origin must be loopback.\n"
            )
        elif request.method == "OPTIONS":
            await response.text(204, "")
        elif request.path in _HEALTH or (request.path == "/" and _is_bare_get(request)):
            await response.text(200, "Ok.\n")
        elif request.path != "/" or request.method not in ("GET", "HEAD", "POST"):
            await response.text(404, _NO_HANDLER.format(path=request.path))
        else:
            await self._run(request, response, receive)

    async def _run(self, request: Request, response: Response, receive: Receive) -> None:
        query = await self._service.call(parse_query, request)
        response.expect(query)
        watch = asyncio.create_task(self._watch(query, response, receive))
        try:
            async with self._service.answer(query) as answer:
                await response.answer(query, answer)
            await response.finish()
        finally:
            watch.cancel()

    async def _watch(self, query: Query, response: Response, receive: Receive) -> None:
        """Cancel a query that only reads when its client disconnects."""
        while (await receive())["type"] != "http.disconnect":
            pass
        if response.complete:
            return
        response.client_is_gone = True
        if not query.takes_data:
            with suppress(QueryError):
                await self._service.cancel(query)


async def _read_body(receive: Receive) -> list[bytes] | None:
    """The whole body, in pieces; None if the client disconnected before its end."""
    pieces: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        pieces.append(message.get("body", b""))
        if not message.get("more_body"):
            return pieces


def _is_bare_get(request: Request) -> bool:
    return request.method in ("GET", "HEAD") and not request.params


def _is_local(headers: Mapping[str, str]) -> bool:
    """Whether Host and Origin are loopback: a web page must not reach the database through a
    browser, since no user has a password."""
    host, origin = headers.get("host", "localhost"), headers.get("origin", "http://localhost")
    return is_loopback(host) and is_loopback(origin.partition("//")[2])
