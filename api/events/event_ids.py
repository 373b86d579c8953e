"""Event ids: the time at which an event was sent and a position, short enough for a header.

The offsets are stored byte by byte, all first bytes first, so that their common bytes compress to
nothing: 1000 partitions take about 4,000 characters.
"""

import re
import struct
import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from bisect import bisect_left
from itertools import chain, groupby

import msgspec

from api.contract.stream_offsets import Position

# Proxies accept headers of 8 KB, and some servers 8 KB for all of them.
MAX_LENGTH = 6000
# Encoding more would take too long.
MAX_SOURCES = 5000

# A source that ends with a number, as a partition: sources differ only by the number.
_NUMBERED = re.compile(r"(?P<name>.*/)?(?P<number>0|[1-9]\d{0,17})/", re.DOTALL | re.ASCII)
_INT64 = range(2**63)
# The times that ClickHouse accepts.
_SECONDS = range(2**32)

# Sources with one name: first number and count of each run of numbers; -1 is no number.
_Group = tuple[str, list[int]]
_Packed = tuple[int, list[_Group], bytes]


def encode(seconds: float, position: Position) -> str:
    """The id of a position and the time from which on rows are looked for.

    If that takes more than MAX_LENGTH characters, offsets are rounded down until it fits, or left
    out: a client that resumes gets rows of the last minute again, and misses none."""
    empty = _text(seconds, [], [])
    if len(position) > MAX_SOURCES:
        return empty
    places = sorted((*_split(source), offset) for source, offset in position.items())
    groups = _groups([(name, number) for name, number, _ in places])

    def rounded(bits: int) -> str:
        return _text(seconds, groups, [offset >> bits << bits for *_, offset in places])

    exact = rounded(0)
    if len(exact) <= MAX_LENGTH:
        return exact
    bits = bisect_left(range(64), True, lo=1, key=lambda bits: len(rounded(bits)) <= MAX_LENGTH)
    return rounded(bits) if bits < 64 else empty


def decode(identity: str) -> tuple[int, Position] | None:
    """The time and the position of an id; None if it is not valid."""
    try:
        data = urlsafe_b64decode(identity + "=" * (-len(identity) % 4))
        seconds, position = _read(data)
    except (Base64Error, UnicodeError, ValueError, zlib.error, msgspec.DecodeError):
        return None
    is_valid = seconds in _SECONDS and all(offset in _INT64 for offset in position.values())
    return (seconds, position) if is_valid else None


def _text(seconds: float, groups: list[_Group], offsets: list[int]) -> str:
    words = struct.pack(f">{len(offsets)}Q", *offsets)
    planes = b"".join(words[byte::8] for byte in range(8))
    packed = zlib.compress(msgspec.msgpack.encode((int(seconds), groups, planes)))
    return urlsafe_b64encode(packed).decode().rstrip("=")


def _read(data: bytes) -> tuple[int, Position]:
    # A longer one is not ours, and may expand to more than the memory.
    if len(data) > MAX_LENGTH:
        raise ValueError(len(data))
    seconds, groups, planes = msgspec.msgpack.decode(zlib.decompress(data), type=_Packed)
    count = len(planes) // 8
    # Checked before the runs are expanded.
    counts = [count for _, runs in groups for count in runs[1::2]]
    if sum(counts) != count or min(counts, default=1) < 1:
        raise ValueError(count)
    words = bytes(chain(*zip(*(planes[n * count :][:count] for n in range(8)), strict=True)))
    sources = (_join(name, number) for name, runs in groups for number in _numbers(runs))
    return seconds, dict(zip(sources, struct.unpack(f">{count}Q", words), strict=True))


def _split(source: str) -> tuple[str, int]:
    match = _NUMBERED.fullmatch(source)
    return (match["name"] or "", int(match["number"])) if match else (source, -1)


def _join(name: str, number: int) -> str:
    return name if number < 0 else f"{name}{number}/"


def _groups(sources: list[tuple[str, int]]) -> list[_Group]:
    grouped = groupby(sources, key=lambda source: source[0])
    return [(name, _runs([number for _, number in group])) for name, group in grouped]


def _runs(numbers: list[int]) -> list[int]:
    """First and count of each run of sorted numbers."""
    runs: list[int] = []
    for number in numbers:
        if runs and runs[-2] + runs[-1] == number:
            runs[-1] += 1
        else:
            runs += [number, 1]
    return runs


def _numbers(runs: list[int]) -> list[int]:
    pairs = zip(runs[::2], runs[1::2], strict=True)
    return [number for first, count in pairs for number in range(first, first + count)]
