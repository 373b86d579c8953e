"""The application: routes, what they answer, and errors as problem details."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from litestar import HttpMethod, Litestar, Request, Response, route
from litestar.datastructures import State
from litestar.exceptions import HTTPException
from litestar.response import Stream

from api import health, openapi, problems, registry, reload, requests, sse
from api import metrics as numbers
from api.answers import Whole
from api.metrics import Metrics
from api.problems import Problem
from api.push import Push
from api.service import Service
from api.shield import App, shielded
from api.store import Store
from lib.settings import Settings

log = logging.getLogger("millrace.api")

Asker = Request[Any, Any, State]
READ = [HttpMethod.GET, HttpMethod.HEAD]


def create_app(
    settings: Settings, *, reloads: bool = False, is_ending: Callable[[], bool] = lambda: False
) -> App:
    """The API of the endpoints in settings.sql_dir, which must be right by now; `is_ending` tells
    those who follow that the server wants to stop."""
    metrics = Metrics()
    endpoints: dict[str, registry.Query] = {}

    @asynccontextmanager
    async def lifespan(app: Litestar) -> AsyncIterator[None]:
        store = Store(settings.clickhouse, settings.api.timeout)
        folder, variables = settings.sql_dir / "api", settings.variables()
        endpoints.update(await registry.load(folder, variables, store))
        app.state.service = service = Service(store, endpoints)
        app.state.push = Push(service, settings.api.max_followers, is_ending)
        app.state.update({"metrics": metrics, "settings": settings})
        watching = (
            reload.watch(folder, variables, store, endpoints) if reloads else asyncio.sleep(0)
        )
        task = asyncio.create_task(watching)
        try:
            yield
        finally:
            task.cancel()
            app.state.push.close()
            await store.close()

    app = Litestar(
        [endpoint, describe, check_health, show_metrics],
        lifespan=[lifespan],
        openapi_config=None,
        exception_handlers={Problem: problem, HTTPException: http_problem, Exception: bug},
    )
    return shielded(numbers.measured(app, metrics, endpoints), settings.api)  # type: ignore[arg-type]


@route("/api/{name:str}", http_method=READ)
async def endpoint(request: Asker, name: str) -> Response[bytes] | Stream:
    """What sql/api/<name>.sql answers."""
    service: Service = request.app.state.service
    query = service.find(name)
    address, accept = request.scope["query_string"], request.headers.get("accept", "")
    if query.endpoint.stream or requests.wants_events(accept):
        return await events(request, query)
    asked = requests.read(query, address, accept)
    answer = await service.answer(query, asked)
    headers = {"Cache-Control": _cache_control(query.endpoint.cache), "Vary": "Accept"}
    if not isinstance(answer, Whole):
        return Stream(answer, media_type=asked.format.media_type, headers=headers)
    headers["ETag"] = answer.etag
    if answer.etag in request.headers.get("if-none-match", ""):
        return Response(b"", status_code=304, headers=headers)
    return Response(answer.body, media_type=asked.format.media_type, headers=headers)


async def events(request: Asker, query: registry.Query) -> Response[bytes] | Stream:
    """What the endpoint answers from now on, for as long as the client stays."""
    if request.method == HttpMethod.HEAD:
        return Response(b"", media_type=sse.MEDIA_TYPE, headers=sse.HEADERS)
    push: Push = request.app.state.push
    seen = request.headers.get("last-event-id", "")
    body = await push.body(query, request.scope["query_string"], seen)
    return Stream(body, media_type=sse.MEDIA_TYPE, headers=sse.HEADERS)


@route("/openapi.json", http_method=READ)
async def describe(request: Asker) -> dict[str, Any]:
    """Every endpoint's parameters, rows and errors."""
    state = request.app.state
    keys = bool(state.settings.api.keys)
    return openapi.document(state.service.registry, keys=keys)


@route("/health", http_method=READ)
async def check_health(request: Asker) -> Response[health.Health]:
    """Whether the parts answer; 503 if ClickHouse does not."""
    found = await health.ask(request.app.state.service)
    return Response(found, status_code=503 if found.status == "down" else 200)


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


def problem(_: Request[Any, Any, Any], error: Problem) -> Response[bytes]:
    """A problem as its answer."""
    return Response(
        error.body(),
        status_code=error.status,
        headers=error.headers,
        media_type=problems.MEDIA_TYPE,
    )


def http_problem(request: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    """What Litestar refuses."""
    more: dict[str, Any] = {}
    if error.status_code == 404:
        more["endpoints"] = [f"/api/{name}" for name in request.app.state.service.registry]
    return problem(request, Problem(error.status_code, str(error.detail), error.headers, **more))


def bug(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """Anything else is ours: the log gets the traceback, the client does not."""
    log.error("a bug in the API", exc_info=error)
    return problem(request, Problem(500, "Something is wrong with the API; its log says what."))
