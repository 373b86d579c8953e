"""The application: its routes, their responses, and errors as problem details."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from litestar import HttpMethod, Litestar, Response, route
from litestar.connection import ASGIConnection
from litestar.exceptions import HTTPException
from litestar.handlers import BaseRouteHandler
from litestar.response import Stream

from api import problems
from api.events import sse
from api.events.push import Publisher
from api.http import metrics, openapi, pages
from api.http.metrics import Metrics
from api.http.middleware import App, is_open, protected
from api.http.pages import READ_METHODS, HttpRequest
from api.http.static_files import File
from api.problems import ProblemError
from api.query import health, keys, reload
from api.query.clickhouse import ClickHouseClient
from api.query.formats import prefers_events
from api.query.registry import Query, Registry
from api.query.reload import FileStamps
from api.query.request import read_followed, read_request
from api.query.responses import BufferedResponse
from api.query.service import QueryService
from lib.settings import Settings

log = logging.getLogger("millrace.api")


def create_app(
    settings: Settings,
    loaded: Registry,
    assets: Mapping[str, File],
    *,
    stamps: FileStamps | None = None,
    is_ending: Callable[[], bool] = lambda: False,
) -> App:
    """The API of the loaded endpoints, and its pages with their assets.

    With `stamps`, those of the files before they were loaded, edited files are reloaded;
    `is_ending` tells long responses that the server stops."""
    counters = Metrics()
    endpoints = {**loaded}

    @asynccontextmanager
    async def lifespan(app: Litestar) -> AsyncIterator[None]:
        client = ClickHouseClient(settings.clickhouse, settings.api.timeout)
        service = QueryService(client, endpoints)
        publisher = Publisher(service, settings.api.max_followers, is_ending)
        app.state.update({"service": service, "publisher": publisher, "metrics": counters})
        app.state.update({"settings": settings, "assets": assets})
        folder, variables = settings.sql_dir / "api", settings.variables()
        watching = None
        if stamps is not None:
            watch = reload.watch(folder, variables, client, endpoints, stamps)
            watching = asyncio.create_task(watch)
        try:
            yield
        finally:
            if watching:
                watching.cancel()
            publisher.close()
            await client.close()

    app = Litestar(
        [endpoint, describe, check_health, show_metrics, *pages.HANDLERS],
        lifespan=[lifespan],
        guards=[guard],
        openapi_config=None,
        exception_handlers={ProblemError: problem, HTTPException: http_problem, Exception: bug},
    )
    return protected(metrics.instrumented(app, counters, endpoints), settings.api)  # type: ignore[arg-type]


def guard(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Raise ProblemError for a restricted key and a route that does not respect restrictions."""
    restrictions = keys.restrictions_of(connection.scope)
    if restrictions and not handler.opt.get("respects_restrictions"):
        names = " and ".join(restrictions)
        raise ProblemError(
            403, f"This key may read only some {names}, and this answer is not limited to them."
        )


@route("/api/{name:str}", http_method=READ_METHODS, respects_restrictions=True)
async def endpoint(request: HttpRequest, name: str) -> Response[bytes] | Stream:
    """The answer of sql/api/<name>.sql."""
    service: QueryService = request.app.state.service
    query = service.find(name)
    accept = request.headers.get("accept", "")
    if query.endpoint.stream or prefers_events(accept):
        return await events(request, query)
    restrictions = keys.restrictions_of(request.scope)
    query_request = read_request(query, request.scope["query_string"], accept, restrictions)
    answer = await service.answer(query, query_request)
    headers = {"Cache-Control": _cache_control(query.endpoint.cache)}
    # Another key may get another answer, from a browser's cache too.
    headers["Vary"] = "Accept, Authorization"
    media_type = query_request.format.media_type
    if not isinstance(answer, BufferedResponse):
        return Stream(answer, media_type=media_type, headers=headers)
    headers["ETag"] = answer.etag
    if answer.etag in request.headers.get("if-none-match", ""):
        return Response(b"", status_code=304, headers=headers)
    return Response(answer.body, media_type=media_type, headers=headers)


async def events(request: HttpRequest, query: Query) -> Response[bytes] | Stream:
    """The endpoint's answers from now on, until the client disconnects."""
    restrictions = keys.restrictions_of(request.scope)
    target = read_followed(query, request.scope["query_string"], restrictions)
    if request.method == HttpMethod.HEAD:
        return Response(b"", media_type=sse.MEDIA_TYPE, headers=sse.HEADERS)
    publisher: Publisher = request.app.state.publisher
    body = await publisher.subscribe(query, target, request.headers.get("last-event-id", ""))
    return Stream(body, media_type=sse.MEDIA_TYPE, headers=sse.HEADERS)


@route("/openapi.json", http_method=READ_METHODS, respects_restrictions=True)
async def describe(request: HttpRequest) -> dict[str, Any]:
    """The parameters, rows and errors of every endpoint that the key can use."""
    needs_key = bool(request.app.state.settings.api.keys)
    return openapi.document(usable(request), keys=needs_key)


def usable(request: HttpRequest) -> Registry:
    """The endpoints that a request's key can use."""
    service: QueryService = request.app.state.service
    restrictions = keys.restrictions_of(request.scope)
    return {
        name: query
        for name, query in service.registry.items()
        if not keys.missing_parameters(query.endpoint, restrictions)
    }


@route("/health", http_method=READ_METHODS)
async def check_health(request: HttpRequest) -> Response[health.Health]:
    """The status of the pipeline, 503 if it is down; keys without restrictions also get its parts
    and the reasons."""
    status = await health.check(request.app.state.service)
    status_code = 503 if status.status in ("down", "starting") else 200
    authorization = request.headers.get("authorization", "")
    if not keys.is_unrestricted(authorization, request.app.state.settings.api):
        status = health.Health(status.status, status.clickhouse, [])
    return Response(status, status_code=status_code)


@route("/metrics", http_method=READ_METHODS)
async def show_metrics(request: HttpRequest) -> Response[bytes]:
    """Metrics for Prometheus."""
    counters: Metrics = request.app.state.metrics
    status = await health.check(request.app.state.service)
    counters.followers.set(request.app.state.publisher.count)
    counters.up.set(status.clickhouse == "up")
    counters.set_parts(status.parts)
    return Response(counters.text(), media_type=metrics.MEDIA_TYPE)


def _cache_control(seconds: int) -> str:
    return f"max-age={seconds}" if seconds else "no-cache"


def problem(request: HttpRequest, error: ProblemError) -> Response[bytes]:
    """A problem as a response; a list of endpoints has only those that the key can use."""
    if "endpoints" in error.extensions:
        error.extensions["endpoints"] = [f"/api/{name}" for name in usable(request)]
    return Response(
        error.body(),
        status_code=error.status,
        headers=error.headers,
        media_type=problems.MEDIA_TYPE,
    )


def http_problem(request: HttpRequest, error: HTTPException) -> Response[bytes]:
    """An error that Litestar raises."""
    extensions: dict[str, Any] = {}
    # The names of endpoints that need a key are not shown without one.
    if error.status_code == 404 and not is_open(request.scope["path"]):
        extensions["endpoints"] = []
    return problem(
        request, ProblemError(error.status_code, str(error.detail), error.headers, **extensions)
    )


def bug(request: HttpRequest, error: Exception) -> Response[bytes]:
    """Any other error is a bug: the log gets the traceback, the client does not."""
    log.error("a bug in the API", exc_info=error)
    return problem(request, ProblemError(500, "The API has failed; its log says why."))
