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


class Flushed:
    """One zlib or zstd body, flushed after every block."""

    def __init__(self, compressor: Any, flush: int) -> None:
        self._compressor = compressor
        self._flush = flush

    def add(self, block: bytes) -> bytes:
        return bytes(self._compressor.compress(block) + self._compressor.flush(self._flush))

    def end(self) -> bytes:
        return bytes(self._compressor.flush())


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


# Deflate is zlib's format in HTTP.
_COMPRESSORS: dict[str, Callable[[], Compressor]] = {
    "gzip": lambda: Flushed(zlib.compressobj(3, wbits=31), zlib.Z_SYNC_FLUSH),
    "deflate": lambda: Flushed(zlib.compressobj(3), zlib.Z_SYNC_FLUSH),
    "zstd": lambda: Flushed(
        zstandard.ZstdCompressor(level=1).compressobj(), zstandard.COMPRESSOBJ_FLUSH_BLOCK
    ),
    "lz4": Lz4,
}
_DECOMPRESSORS: dict[str, Callable[[], Any]] = {
    "gzip": lambda: zlib.decompressobj(31),
    "deflate": zlib.decompressobj,
    "zstd": lambda: zstandard.ZstdDecompressor().decompressobj(),
    "lz4": lz4.frame.LZ4FrameDecompressor,
}


def choose(accepted: str) -> tuple[str | None, Compressor]:
    """The encoding to answer in, out of an Accept-Encoding header, and its compressor."""
    offers = [offer.split(";")[0].strip().lower() for offer in accepted.split(",")]
    for name in offers:
        if name in _COMPRESSORS:
            return name, _COMPRESSORS[name]()
    return None, Plain()


def decompress(chunks: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    """Decompress a body; raise QueryError for one that is incomplete or in another encoding."""
    encoding = encoding.strip().lower()
    if encoding in ("", "identity"):
        yield from chunks
        return
    if encoding not in _DECOMPRESSORS:
        raise refusal(Code.UNKNOWN_COMPRESSION_METHOD, f"Unknown compression method {encoding}")
    decompressor = _DECOMPRESSORS[encoding]()
    try:
        for chunk in chunks:
            while chunk:
                # A member or frame has ended and the next one follows, perhaps in a later chunk.
                if decompressor.eof:
                    decompressor = _DECOMPRESSORS[encoding]()
                yield decompressor.decompress(chunk)
                chunk = decompressor.unused_data
    except (zlib.error, zstandard.ZstdError, RuntimeError, EOFError) as error:
        raise _broken(encoding, str(error)) from None
    if not decompressor.eof:
        raise _broken(encoding, "it is incomplete")


def _broken(encoding: str, reason: str) -> Exception:
    return refusal(Code.CANNOT_DECOMPRESS, f"Cannot decompress the {encoding} body: {reason}")
