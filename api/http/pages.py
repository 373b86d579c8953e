"""What a browser gets: the dashboard, the description of the API as a page, and what they load.

None of it holds data: it is served without a key.
"""

from pathlib import Path
from typing import Any

from litestar import HttpMethod, Request, Response, route
from litestar.datastructures import State
from litestar.exceptions import NotFoundException

from api.http import static_files
from api.http.static_files import File

Asker = Request[Any, Any, State]
READ = [HttpMethod.GET, HttpMethod.HEAD]


@route("/", http_method=READ)
async def dashboard(request: Asker) -> Response[bytes]:
    """The dashboard."""
    return _answer(request, static_files.static("index.html"))


@route("/docs", http_method=READ)
async def docs(request: Asker) -> Response[bytes]:
    """Swagger UI over /openapi.json."""
    return _answer(request, static_files.static("docs.html"))


@route("/static/{path:path}", http_method=READ)
async def static(request: Asker, path: Path) -> Response[bytes]:
    """A file of api/static."""
    return _answer(request, static_files.static(path.as_posix().lstrip("/")))


@route("/assets/{name:str}", http_method=READ)
async def asset(request: Asker, name: str) -> Response[bytes]:
    """A file out of one of the JARs."""
    return _answer(request, request.app.state.assets.get(name))


def _answer(request: Asker, found: File | None) -> Response[bytes]:
    if found is None:
        raise NotFoundException("There is no such page or file.")
    headers = request.headers
    return static_files.answer(
        found, headers.get("accept-encoding", ""), headers.get("if-none-match", "")
    )


HANDLERS = [dashboard, docs, static, asset]
