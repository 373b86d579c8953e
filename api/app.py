"""The application: routes, what they answer, and errors as problem details."""

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
from api.events.push import Push
from api.http import metrics as numbers
from api.http import middleware, openapi, pages
from api.http.metrics import Metrics
from api.http.middleware import App, shielded
from api.http.pages import READ, Asker
from api.http.static_files import File
from api.problems import ProblemError
from api.query import health, keys, reload
from api.query import request as requests
from api.query.clickhouse import Store
from api.query.registry import Query, Registry
from api.query.reload import Stamps
from api.query.responses import Whole
from api.query.service import Service
from lib.settings import Settings

log = logging.getLogger("millrace.api")


def create_app(
    settings: Settings,
    loaded: Registry,
    assets: Mapping[str, File],
    *,
    seen: Stamps | None = None,
    is_ending: Callable[[], bool] = lambda: False,
) -> App:
    """The API of these endpoints, as settings.sql_dir has them, and its pages with what they load.

    With `seen`, how the files were before they were read, those that are edited are put into
    service; `is_ending` tells those who follow that the server wants to stop."""
    folder, variables = settings.sql_dir / "api", settings.variables()
    metrics = Metrics()
    endpoints = {**loaded}

    @asynccontextmanager
    async def lifespan(app: Litestar) -> AsyncIterator[None]:
        store = Store(settings.clickhouse, settings.api.timeout)
        app.state.service = service = Service(store, endpoints)
        app.state.push = Push(service, settings.api.max_followers, is_ending)
        app.state.update({"metrics": metrics, "settings": settings, "assets": assets})
        watching = None
        if seen is not None:
            watch = reload.watch(folder, variables, store, endpoints, seen)
            watching = asyncio.create_task(watch)
        try:
            yield
        finally:
            if watching:
                watching.cancel()
            app.state.push.close()
            await store.close()

    app = Litestar(
        [endpoint, describe, check_health, show_metrics, *pages.HANDLERS],
        lifespan=[lifespan],
        guards=[guard],
        openapi_config=None,
        exception_handlers={ProblemError: problem, HTTPException: http_problem, Exception: bug},
    )
    return shielded(numbers.measured(app, metrics, endpoints), settings.api)  # type: ignore[arg-type]


def guard(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Raise ProblemError where a key that sees only some values asks for what cannot heed that."""
    only = keys.only(connection.scope)
    if only and not handler.opt.get("respects_restrictions"):
        names = " and ".join(only)
        raise ProblemError(
            403, f"This key sees only some {names}, and this is not about them alone."
        )


@route("/api/{name:str}", http_method=READ, respects_restrictions=True)
async def endpoint(request: Asker, name: str) -> Response[bytes] | Stream:
    """What sql/api/<name>.sql answers."""
    service: Service = request.app.state.service
    query = service.find(name)
    address, accept = request.scope["query_string"], request.headers.get("accept", "")
    if query.endpoint.stream or requests.wants_events(accept):
        return await events(request, query)
    asked = requests.read(query, address, accept, keys.only(request.scope))
    answer = await service.answer(query, asked)
    # Who changes the key asks something else, also where a browser keeps answers.
    headers = {"Cache-Control": _cache_control(query.endpoint.cache)}
    headers["Vary"] = "Accept, Authorization"
    if not isinstance(answer, Whole):
        return Stream(answer, media_type=asked.format.media_type, headers=headers)
    headers["ETag"] = answer.etag
    if answer.etag in request.headers.get("if-none-match", ""):
        return Response(b"", status_code=304, headers=headers)
    return Response(answer.body, media_type=asked.format.media_type, headers=headers)


async def events(request: Asker, query: Query) -> Response[bytes] | Stream:
    """What the endpoint answers from now on, for as long as the client stays."""
    wanted = requests.followed(query, request.scope["query_string"], keys.only(request.scope))
    if request.method == HttpMethod.HEAD:
        return Response(b"", media_type=sse.MEDIA_TYPE, headers=sse.HEADERS)
    push: Push = request.app.state.push
    body = await push.body(query, wanted, request.headers.get("last-event-id", ""))
    return Stream(body, media_type=sse.MEDIA_TYPE, headers=sse.HEADERS)


@route("/openapi.json", http_method=READ, respects_restrictions=True)
async def describe(request: Asker) -> dict[str, Any]:
    """Every usable endpoint's parameters, rows and errors."""
    needs_key = bool(request.app.state.settings.api.keys)
    return openapi.document(usable(request), keys=needs_key)


def usable(request: Asker) -> Registry:
    """The endpoints that a request's key may ask."""
    service: Service = request.app.state.service
    found, only = service.registry.items(), keys.only(request.scope)
    return {name: query for name, query in found if keys.is_usable(query.endpoint, only)}


@route("/health", http_method=READ)
async def check_health(request: Asker) -> Response[health.Health]:
    """Whether the pipeline is up, 503 if it is down; which part and why, to who may see all."""
    found = await health.ask(request.app.state.service)
    status_code = 503 if found.status in ("down", "starting") else 200
    if not keys.is_unrestricted(
        request.headers.get("authorization", ""), request.app.state.settings.api
    ):
        found = health.Health(found.status, found.clickhouse, [])
    return Response(found, status_code=status_code)


@route("/metrics", http_method=READ)
async def show_metrics(request: Asker) -> Response[bytes]:
    """Numbers for Prometheus."""
    metrics: Metrics = request.app.state.metrics
    found = await health.ask(request.app.state.service)
    metrics.followers.set(request.app.state.push.count)
    metrics.up.set(found.clickhouse == "up")
    metrics.set_parts(found.parts)
    return Response(metrics.text(), media_type=numbers.MEDIA_TYPE)


def _cache_control(seconds: int) -> str:
    return f"max-age={seconds}" if seconds else "no-cache"


def problem(request: Asker, error: ProblemError) -> Response[bytes]:
    """A problem as its answer; of endpoints it lists those that the key may ask."""
    if "endpoints" in error.more:
        error.more["endpoints"] = [f"/api/{name}" for name in usable(request)]
    return Response(
        error.body(),
        status_code=error.status,
        headers=error.headers,
        media_type=problems.MEDIA_TYPE,
    )


def http_problem(request: Asker, error: HTTPException) -> Response[bytes]:
    """What Litestar refuses."""
    more: dict[str, Any] = {}
    # Who needs a key for the endpoints must not read their names without one.
    if error.status_code == 404 and not middleware.is_open(request.scope["path"]):
        more["endpoints"] = []
    return problem(
        request, ProblemError(error.status_code, str(error.detail), error.headers, **more)
    )


def bug(request: Asker, error: Exception) -> Response[bytes]:
    """Anything else is ours: the log gets the traceback, the client does not."""
    log.error("a bug in the API", exc_info=error)
    return problem(
        request, ProblemError(500, "Something is wrong with the API; its log says what.")
    )
