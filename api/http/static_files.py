"""Files as browsers get them: with a tag, and packed for those who unpack."""

import gzip
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from litestar import Response

from api.query import responses

FOLDER = Path(__file__).resolve().parents[1] / "static"
# Other files of the folder are not served.
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
    """What is sent: the bytes as they are and packed by gzip, each with its own tag."""

    media_type: str
    plain: tuple[bytes, str]
    packed: tuple[bytes, str]


def file(name: str, body: bytes) -> File:
    """A file of one of the TYPES, packed once for all who ask."""
    # No time in it: the same bytes, the same tag.
    packed = gzip.compress(body, mtime=0)
    return File(
        TYPES[Path(name).suffix], (body, responses.etag(body)), (packed, responses.etag(packed))
    )


def static(name: str) -> File | None:
    """A file of api/static as it is now, so that an edited one is live; None if there is none."""
    # Looked up, never made into a path: no name leads out of the folder.
    paths = {path.relative_to(FOLDER).as_posix(): path for path in FOLDER.rglob("*")}
    path = paths.get(name)
    if path is None or path.suffix not in TYPES or not path.is_file():
        return None
    stat = path.stat()
    return _read(path, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=128)
def _read(path: Path, changed: int, size: int) -> File:
    return file(path.name, path.read_bytes())


def answer(found: File, accept_encoding: str, if_none_match: str) -> Response[bytes]:
    """The file, or that it is unchanged; browsers keep it and ask each time whether it still is."""
    packs = _GZIP.search(accept_encoding) is not None
    body, tag = found.packed if packs else found.plain
    headers = {"Cache-Control": "no-cache", "Vary": "Accept-Encoding", "ETag": tag}
    if tag in if_none_match:
        return Response(b"", status_code=304, headers=headers)
    if packs:
        headers["Content-Encoding"] = "gzip"
    return Response(body, media_type=found.media_type, headers=headers)
