"""The pages: the dashboard, Swagger UI, and the files that they load.

They contain no data, so they need no key.
"""

from pathlib import Path
from typing import Any

from litestar import HttpMethod, Request, Response, route
from litestar.datastructures import State
from litestar.exceptions import NotFoundException

from api.http import static_files
from api.http.static_files import File

HttpRequest = Request[Any, Any, State]
READ_METHODS = [HttpMethod.GET, HttpMethod.HEAD]


@route("/", http_method=READ_METHODS)
async def dashboard(request: HttpRequest) -> Response[bytes]:
    """The dashboard."""
    return _respond(request, static_files.find("index.html"))


@route("/docs", http_method=READ_METHODS)
async def docs(request: HttpRequest) -> Response[bytes]:
    """Swagger UI over /openapi.json."""
    return _respond(request, static_files.find("docs.html"))


@route("/static/{path:path}", http_method=READ_METHODS)
async def static(request: HttpRequest, path: Path) -> Response[bytes]:
    """A file of api/static."""
    return _respond(request, static_files.find(path.as_posix().lstrip("/")))


@route("/assets/{name:str}", http_method=READ_METHODS)
async def asset(request: HttpRequest, name: str) -> Response[bytes]:
    """A file from one of the JARs."""
    return _respond(request, request.app.state.assets.get(name))


def _respond(request: HttpRequest, file: File | None) -> Response[bytes]:
    if file is None:
        raise NotFoundException("There is no such page or file.")
    headers = request.headers
    return static_files.respond(
        file, headers.get("accept-encoding", ""), headers.get("if-none-match", "")
    )


HANDLERS = [dashboard, docs, static, asset]
