"""What stands between any request and the application: who may ask, how much, and from where."""

import re
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

from api import problems
from api.problems import ProblemError
from api.query import keys
from api.query.responses import BrokenOffError
from lib.settings import Api

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

# Probes have no key, and /health tells them only whether the pipeline is up; a browser has none for
# a page, and pages hold no data.
OPEN = ("/health", "/", "/docs")
OPEN_FOLDERS = ("/assets/", "/static/")
_LOOPBACK = re.compile(r"(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?", re.IGNORECASE)
_HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"x-frame-options", b"DENY"),
    (
        b"content-security-policy",
        b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        b"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
]


def shielded(app: App, settings: Api) -> App:
    """The application behind the checks; each answer carries the headers that browsers heed."""
    count = keys.counted(settings.keys)

    async def shield(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return

        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *_HEADERS]
            await send(message)

        refusal = refused(scope, settings, count)
        if refusal:
            await refusing(refusal)(scope, receive, send)
            return
        try:
            await app(scope, receive, send_safely)
        except Exception as error:
            # Returning without the end of an answer makes the server close the connection.
            if not _is_broken_off(error):
                raise

    return shield


def _is_broken_off(error: BaseException | None) -> bool:
    """Whether this is, or comes from, an answer that ClickHouse did not finish."""
    if error is None or isinstance(error, BrokenOffError):
        return error is not None
    inner = error.exceptions if isinstance(error, BaseExceptionGroup) else ()
    return any(map(_is_broken_off, (error.__cause__, *inner)))


def refused(
    scope: Mapping[str, Any], settings: Api, count: Callable[[str], ProblemError | None]
) -> ProblemError | None:
    """Why a request gets no further, if so; else its key's rule goes on with it."""
    version = scope["http_version"]
    if not version.startswith("1."):
        return ProblemError(505, f"HTTP {version} is not spoken here; ask with HTTP/1.1.")
    headers = dict(scope["headers"])
    length = len(scope.get("raw_path") or b"") + len(scope["query_string"])
    if length > settings.max_address:
        return ProblemError(
            414, f"The address has {length} bytes; it may have {settings.max_address}."
        )
    if headers.get(b"content-length", b"0") != b"0" or b"transfer-encoding" in headers:
        return ProblemError(413, "A request has no body here; send parameters in the address.")
    if not settings.keys:
        host = headers.get(b"host", b"localhost").decode("latin-1")
        # A page from elsewhere whose name leads here must not read through a browser.
        return (
            None
            if _LOOPBACK.fullmatch(host)
            else ProblemError(
                403, "Only this machine's own addresses are served; ask for 127.0.0.1 or localhost."
            )
        )
    if is_open(scope["path"]):
        return None
    owner = keys.holder(headers.get(b"authorization", b""), settings.keys)
    if owner is None:
        return ProblemError(
            401,
            "A key is needed; send it as `Authorization: Bearer <key>`.",
            {"WWW-Authenticate": "Bearer"},
        )
    keys.attach(scope, settings.keys[owner].only)
    return count(owner)


def is_open(path: str) -> bool:
    """Whether an address is served without a key."""
    return path in OPEN or path.startswith(OPEN_FOLDERS)


def refusing(problem: ProblemError) -> App:
    """An application that answers every request with a problem and closes the connection."""
    body = problem.body()
    pairs = last_headers(problem, body)

    async def refuse(_: Message, __: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": problem.status, "headers": pairs})
        await send({"type": "http.response.body", "body": body})

    return refuse


def last_headers(problem: ProblemError, body: bytes) -> list[tuple[bytes, bytes]]:
    """The headers of a refusal after which the connection closes."""
    headers = {**problem.headers, "Content-Type": problems.MEDIA_TYPE, "Content-Length": len(body)}
    # The rest of a refused request is not read.
    headers["Connection"] = "close"
    pairs = [(name.lower().encode(), str(value).encode()) for name, value in headers.items()]
    return [*pairs, *_HEADERS]
