"""Static files: with an ETag, compressed for clients that accept it."""

import gzip
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from litestar import Response

from api.query.responses import etag

FOLDER = Path(__file__).resolve().parents[1] / "static"
# Files of other types are not served.
TYPES = {
    ".css": "text/css",
    ".html": "text/html",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}
_GZIP = re.compile(
    r"(^|,)\s*gzip\s*(;\s*q=(0?\.0*[1-9]\d*|1(\.0*)?)\s*)?(,|$)", re.ASCII | re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class File:
    """A file: its bytes and the same compressed by gzip, each with its own ETag."""

    media_type: str
    plain: tuple[bytes, str]
    compressed: tuple[bytes, str]


def make_file(name: str, body: bytes) -> File:
    """A file of one of the TYPES, compressed once for all requests."""
    # Without a time: equal bytes have equal tags.
    compressed = gzip.compress(body, mtime=0)
    media_type = TYPES[Path(name).suffix]
    return File(media_type, (body, etag(body)), (compressed, etag(compressed)))


def find(name: str) -> File | None:
    """A file of api/static as it is now, so that edits are served; None if there is none."""
    # A lookup, not a path: no name leads out of the folder.
    paths = {path.relative_to(FOLDER).as_posix(): path for path in FOLDER.rglob("*")}
    path = paths.get(name)
    if path is None or path.suffix not in TYPES or not path.is_file():
        return None
    stat = path.stat()
    return _read(path, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=128)
def _read(path: Path, modified: int, size: int) -> File:
    return make_file(path.name, path.read_bytes())


def respond(file: File, accept_encoding: str, if_none_match: str) -> Response[bytes]:
    """The file, or 304 if it is unchanged; browsers cache it and revalidate it each time."""
    compresses = _GZIP.search(accept_encoding) is not None
    body, tag = file.compressed if compresses else file.plain
    headers = {"Cache-Control": "no-cache", "Vary": "Accept-Encoding", "ETag": tag}
    if tag in if_none_match:
        return Response(b"", status_code=304, headers=headers)
    if compresses:
        headers["Content-Encoding"] = "gzip"
    return Response(body, media_type=file.media_type, headers=headers)
