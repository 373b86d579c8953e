"""Checks before the application: HTTP version, size, Host header, key and rate."""

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

from api import problems
from api.problems import ProblemError
from api.query import keys
from api.query.responses import TruncatedError
from lib import ports
from lib.settings import Api

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

# Paths that need no key. Probes have none, and get only the status from /health; browsers have none
# for a page, and pages contain no data.
OPEN_PATHS = ("/health", "/", "/docs")
OPEN_FOLDERS = ("/assets/", "/static/")
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


def protected(app: App, settings: Api) -> App:
    """The application behind the checks, with security headers on each response."""
    limiter = keys.rate_limiter(settings.keys)

    async def protect(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return

        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *_HEADERS]
            await send(message)

        problem = check(scope, settings, limiter)
        if problem:
            await problem_app(problem)(scope, receive, send)
            return
        try:
            await app(scope, receive, send_safely)
        except Exception as error:
            # Returning without the end of a response makes the server close the connection.
            if not _is_truncated(error):
                raise

    return protect


def _is_truncated(error: BaseException | None) -> bool:
    """Whether this is, or is caused by, a response that ClickHouse did not finish."""
    if error is None or isinstance(error, TruncatedError):
        return error is not None
    inner = error.exceptions if isinstance(error, BaseExceptionGroup) else ()
    return any(map(_is_truncated, (error.__cause__, *inner)))


def check(
    scope: Mapping[str, Any], settings: Api, limiter: Callable[[str], ProblemError | None]
) -> ProblemError | None:
    """The problem of a request; None if it is valid, with its key's restrictions attached."""
    version = scope["http_version"]
    if not version.startswith("1."):
        return ProblemError(505, f"HTTP {version} is not supported; use HTTP/1.1.")
    headers = dict(scope["headers"])
    length = len(scope.get("raw_path") or b"") + len(scope["query_string"])
    if length > settings.max_address:
        return ProblemError(
            414, f"The address has {length} bytes; it may have {settings.max_address}."
        )
    if headers.get(b"content-length", b"0") != b"0" or b"transfer-encoding" in headers:
        return ProblemError(413, "Requests have no body; send parameters in the address.")
    if not settings.keys:
        host = headers.get(b"host", b"localhost").decode("latin-1")
        # A page of another site whose name resolves to this machine must not read the answer.
        if ports.is_loopback(host):
            return None
        return ProblemError(
            403, "Only this machine's own addresses are served; ask for 127.0.0.1 or localhost."
        )
    if is_open(scope["path"]):
        return None
    owner = keys.owner_of(headers.get(b"authorization", b""), settings.keys)
    if owner is None:
        return ProblemError(
            401,
            "A key is needed; send it as `Authorization: Bearer <key>`.",
            {"WWW-Authenticate": "Bearer"},
        )
    keys.attach(scope, settings.keys[owner].only)
    return limiter(owner)


def is_open(path: str) -> bool:
    """Whether a path needs no key."""
    return path in OPEN_PATHS or path.startswith(OPEN_FOLDERS)


def problem_app(problem: ProblemError) -> App:
    """An application that answers every request with a problem and closes the connection."""
    body = problem.body()
    pairs = closing_headers(problem, body)

    async def answer(_: Message, __: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": problem.status, "headers": pairs})
        await send({"type": "http.response.body", "body": body})

    return answer


def closing_headers(problem: ProblemError, body: bytes) -> list[tuple[bytes, bytes]]:
    """The headers of a problem that ends the connection."""
    headers = {**problem.headers, "Content-Type": problems.MEDIA_TYPE, "Content-Length": len(body)}
    # The rest of a refused request is not read.
    headers["Connection"] = "close"
    pairs = [(name.lower().encode(), str(value).encode()) for name, value in headers.items()]
    return [*pairs, *_HEADERS]
