"""ClickHouse's own compressed blocks, in a response with compress=1 and a body with decompress=1.

A block has a checksum of 16 bytes, the CityHash128 of the rest; a byte for the method; two sizes as
UInt32, of the block from that byte on and of the plain data; the compressed data.
"""

import struct
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

import lz4.block
import zstandard
from clickhouse_cityhash.cityhash import CityHash128

from lib.clickhouse_errors import Code
from local.clickhouse.errors import refusal

_HEAD = struct.Struct("<BII")
_HASH = 16
# The size of the data in a block that is sent, and the limit for one that is received.
_PLAIN_SIZE = 1 << 20
_MAX_SIZE = 1 << 30


class _Method(NamedTuple):
    mark: int
    pack: Callable[[bytes], bytes]
    unpack: Callable[[bytes, int], bytes]


def _unzstd(data: bytes, size: int) -> bytes:
    """Decompress a frame. It may state its size, which the library trusts, so that is checked."""
    if zstandard.frame_content_size(data) > size:
        raise zstandard.ZstdError("the frame states a larger size than the block")
    return zstandard.ZstdDecompressor().decompress(data, max_output_size=size)


_NONE = _Method(0x02, lambda data: data, lambda data, size: data)
_LZ4 = _Method(
    0x82,
    lambda data: bytes(lz4.block.compress(data, store_size=False)),
    lambda data, size: bytes(lz4.block.decompress(data, uncompressed_size=size)),
)
_ZSTD = _Method(
    0x90,
    lambda data: zstandard.ZstdCompressor(level=1).compress(data),
    _unzstd,
)
_BY_NAME = {"LZ4": _LZ4, "LZ4HC": _LZ4, "ZSTD": _ZSTD, "NONE": _NONE}
_BY_MARK = {method.mark: method for method in (_NONE, _LZ4, _ZSTD)}


class Blocks:
    """A compressor whose output is compressed blocks."""

    def __init__(self, settings: Mapping[str, str]) -> None:
        name = settings.get("network_compression_method", "LZ4").upper()
        self._method = _BY_NAME.get(name, _LZ4)

    def add(self, block: bytes) -> bytes:
        """The compressed blocks of some data."""
        parts = range(0, len(block), _PLAIN_SIZE)
        return b"".join(self._packed(block[start : start + _PLAIN_SIZE]) for start in parts)

    def end(self) -> bytes:
        """Nothing: each block is complete."""
        return b""

    def _packed(self, data: bytes) -> bytes:
        packed = self._method.pack(data)
        block = _HEAD.pack(self._method.mark, _HEAD.size + len(packed), len(data)) + packed
        return _hash(block) + block


def unpacked(body: bytes, *, check: bool) -> bytes:
    """The data in a body of compressed blocks; raise QueryError for an invalid one."""
    return b"".join(_unpacked(body, check=check))


def _unpacked(body: bytes, *, check: bool) -> Iterator[bytes]:
    start = 0
    while start < len(body):
        begin = start + _HASH
        if len(body) < begin + _HEAD.size:
            raise refusal(Code.CANNOT_READ_ALL_DATA, "A compressed block ends within its header")
        mark, packed, plain = _HEAD.unpack_from(body, begin)
        if not _HEAD.size <= packed <= _MAX_SIZE or plain > _MAX_SIZE:
            raise _broken("impossible sizes")
        block, start = body[begin : begin + packed], begin + packed
        if len(block) < packed:
            raise refusal(Code.CANNOT_READ_ALL_DATA, "A compressed block is incomplete")
        if check and _hash(block) != body[begin - _HASH : begin]:
            raise refusal(
                Code.CHECKSUM_DOESNT_MATCH, "The checksum of a compressed block does not match"
            )
        yield _plain(mark, block[_HEAD.size :], plain)


def _plain(mark: int, packed: bytes, size: int) -> bytes:
    if mark not in _BY_MARK:
        raise refusal(
            Code.UNKNOWN_COMPRESSION_METHOD, f"Unknown compression method of a block: {mark:#x}"
        )
    try:
        data = _BY_MARK[mark].unpack(packed, size)
    except (lz4.block.LZ4BlockError, zstandard.ZstdError) as error:
        raise _broken(str(error)) from None
    if len(data) != size:
        raise _broken(f"{len(data)} bytes instead of {size}")
    return data


def _broken(reason: str) -> Exception:
    return refusal(Code.CANNOT_DECOMPRESS, f"Cannot decompress a block of the body: {reason}")


def _hash(block: bytes) -> bytes:
    """The two halves as ClickHouse writes them: the upper one first, each in little endian."""
    number = CityHash128(block)
    return struct.pack("<QQ", number >> 64, number & (1 << 64) - 1)
