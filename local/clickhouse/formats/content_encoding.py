"""Content-Encoding both ways: gzip, deflate, lz4 frames and zstd."""

import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol

import lz4.frame
import zstandard

from lib.clickhouse_errors import Code
from local.clickhouse.errors import refusal


class Compressor(Protocol):
    """Compresses blocks into one body."""

    def add(self, block: bytes) -> bytes:
        """Compress a block and flush it, so that the client can read all of it at once."""
        ...

    def end(self) -> bytes:
        """The end of the body."""
        ...


class Plain:
    """No compression."""

    def add(self, block: bytes) -> bytes:
        return block

    def end(self) -> bytes:
        return b""


class Zlib:
    """gzip, or deflate, which in HTTP is zlib's format."""

    def __init__(self, *, gzip: bool) -> None:
        self._object = zlib.compressobj(3, zlib.DEFLATED, 31 if gzip else 15)

    def add(self, block: bytes) -> bytes:
        return self._object.compress(block) + self._object.flush(zlib.Z_SYNC_FLUSH)

    def end(self) -> bytes:
        return self._object.flush()


class Zstd:
    """One zstd frame, flushed after every block."""

    def __init__(self) -> None:
        self._object = zstandard.ZstdCompressor(level=1).compressobj()

    def add(self, block: bytes) -> bytes:
        flush = zstandard.COMPRESSOBJ_FLUSH_BLOCK
        return self._object.compress(block) + self._object.flush(flush)

    def end(self) -> bytes:
        return self._object.flush()


class Lz4:
    """One lz4 frame."""

    def __init__(self) -> None:
        self._object = lz4.frame.LZ4FrameCompressor(auto_flush=True)
        self._begun = False

    def _begin(self) -> bytes:
        begun, self._begun = self._begun, True
        return b"" if begun else bytes(self._object.begin())

    def add(self, block: bytes) -> bytes:
        return self._begin() + bytes(self._object.compress(block))

    def end(self) -> bytes:
        return self._begin() + bytes(self._object.flush())


class Both:
    """One compressor's output compressed by another."""

    def __init__(self, inner: Compressor, outer: Compressor) -> None:
        self._inner = inner
        self._outer = outer

    def add(self, block: bytes) -> bytes:
        return self._outer.add(self._inner.add(block))

    def end(self) -> bytes:
        return self._outer.add(self._inner.end()) + self._outer.end()


_COMPRESSORS: dict[str, Callable[[], Compressor]] = {
    "gzip": lambda: Zlib(gzip=True),
    "deflate": lambda: Zlib(gzip=False),
    "zstd": Zstd,
    "lz4": Lz4,
}


def choose(accepted: str) -> tuple[str | None, Compressor]:
    """The encoding to answer in, out of an Accept-Encoding header, and its compressor."""
    offers = [offer.split(";")[0].strip().lower() for offer in accepted.split(",")]
    for name in offers:
        if name in _COMPRESSORS:
            return name, _COMPRESSORS[name]()
    return None, Plain()


def decompress(chunks: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    """Decompress a body; one that breaks off or is not in that encoding is an error."""
    encoding = encoding.strip().lower()
    if encoding in ("", "identity"):
        yield from chunks
        return
    unpack = _decompressor(encoding)
    try:
        for chunk in chunks:
            yield from _unpacked(unpack, chunk)
    except (zlib.error, zstandard.ZstdError, RuntimeError, EOFError) as error:
        raise _broken(encoding, str(error)) from None
    if not unpack.eof:
        raise _broken(encoding, "the compressed body breaks off")


def _unpacked(unpack: Any, chunk: bytes) -> Iterator[bytes]:
    while chunk:
        # The member or frame before may have ended with the chunk before.
        if unpack.eof:
            unpack.restart()
        yield unpack.decompress(chunk)
        chunk = unpack.unused_data


class _Unpack:
    """A decompressor that can begin again where one member or frame ends and the next follows."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make
        self._object = make()

    def restart(self) -> None:
        self._object = self._make()

    @property
    def eof(self) -> bool:
        return bool(self._object.eof)

    @property
    def unused_data(self) -> bytes:
        return bytes(self._object.unused_data or b"")

    def decompress(self, chunk: bytes) -> bytes:
        return bytes(self._object.decompress(chunk))


def _decompressor(encoding: str) -> _Unpack:
    makers: dict[str, Callable[[], Any]] = {
        "gzip": lambda: zlib.decompressobj(31),
        "deflate": lambda: zlib.decompressobj(15),
        "zstd": lambda: zstandard.ZstdDecompressor().decompressobj(),
        "lz4": lz4.frame.LZ4FrameDecompressor,
    }
    if encoding not in makers:
        raise refusal(Code.UNKNOWN_COMPRESSION_METHOD, f"Unknown compression method {encoding}")
    return _Unpack(makers[encoding])


def _broken(encoding: str, why: str) -> Exception:
    return refusal(Code.CANNOT_DECOMPRESS, f"Cannot decompress the {encoding} body: {why}")
