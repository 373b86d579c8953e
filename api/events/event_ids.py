"""The id of an event: when it was sent, and a position, in few enough characters for a header.

The offsets are laid out byte by byte, all first bytes first, so that what they share costs nothing
once compressed: 1000 partitions take about 4,000 characters.
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

# Of 8 KB, which is what proxies take of a header, and some servers of all of them.
LONGEST = 6000
# To encode more would take too long.
MOST_SOURCES = 5000

# A source that ends in a number, as a partition does: only the number differs from others.
_NUMBERED = re.compile(r"(?P<name>.*/)?(?P<number>0|[1-9]\d{0,17})/", re.DOTALL | re.ASCII)
_INT64 = range(2**63)
# What ClickHouse takes for a time.
_SECONDS = range(2**32)

# Sources of one name, with first number and count of each run of numbers; -1 is no number.
_Group = tuple[str, list[int]]
_Packed = tuple[int, list[_Group], bytes]


def encode(seconds: float, position: Position) -> str:
    """The id of a time, from which on rows are looked for, and a position.

    Where that takes more than LONGEST characters, offsets are rounded down until it fits, to none
    at worst: a client that comes back gets rows of the last minute again, and misses none."""
    nothing = _text(seconds, [], [])
    if len(position) > MOST_SOURCES:
        return nothing
    places = sorted((*_split(source), offset) for source, offset in position.items())
    groups = _groups([(name, number) for name, number, _ in places])

    def rounded(bits: int) -> str:
        return _text(seconds, groups, [offset >> bits << bits for *_, offset in places])

    exact = rounded(0)
    if len(exact) <= LONGEST:
        return exact
    bits = bisect_left(range(64), True, lo=1, key=lambda bits: len(rounded(bits)) <= LONGEST)
    return rounded(bits) if bits < 64 else nothing


def decode(identity: str) -> tuple[int, Position] | None:
    """What an id holds; None if it is none of ours."""
    try:
        data = urlsafe_b64decode(identity + "=" * (-len(identity) % 4))
        seconds, position = _read_json(data) if data.startswith(b"[") else _read(data)
    except (Base64Error, UnicodeError, ValueError, zlib.error, msgspec.DecodeError):
        return None
    is_sound = seconds in _SECONDS and all(offset in _INT64 for offset in position.values())
    return (seconds, position) if is_sound else None


def _text(seconds: float, groups: list[_Group], offsets: list[int]) -> str:
    words = struct.pack(f">{len(offsets)}Q", *offsets)
    planes = b"".join(words[byte::8] for byte in range(8))
    packed = zlib.compress(msgspec.msgpack.encode((int(seconds), groups, planes)))
    return urlsafe_b64encode(packed).decode().rstrip("=")


def _read(data: bytes) -> tuple[int, Position]:
    # A longer one is none of ours, and may hold more than there is memory for.
    if len(data) > LONGEST:
        raise ValueError(len(data))
    seconds, groups, planes = msgspec.msgpack.decode(zlib.decompress(data), type=_Packed)
    count = len(planes) // 8
    # Asked before the runs are written out.
    counts = [count for _, runs in groups for count in runs[1::2]]
    if sum(counts) != count or min(counts, default=1) < 1:
        raise ValueError(count)
    words = bytes(chain(*zip(*(planes[n * count :][:count] for n in range(8)), strict=True)))
    sources = (_join(name, number) for name, runs in groups for number in _numbers(runs))
    return seconds, dict(zip(sources, struct.unpack(f">{count}Q", words), strict=True))


def _read_json(data: bytes) -> tuple[int, Position]:
    """What ids were before: a browser may come back with one after an upgrade."""
    return msgspec.json.decode(data, type=tuple[int, Position])


def _split(source: str) -> tuple[str, int]:
    match = _NUMBERED.fullmatch(source)
    return (match["name"] or "", int(match["number"])) if match else (source, -1)


def _join(name: str, number: int) -> str:
    return name if number < 0 else f"{name}{number}/"


def _groups(sources: list[tuple[str, int]]) -> list[_Group]:
    grouped = groupby(sources, key=lambda source: source[0])
    return [(name, _runs([number for _, number in found])) for name, found in grouped]


def _runs(numbers: list[int]) -> list[int]:
    """First and count of each run of sorted numbers."""
    found: list[int] = []
    for number in numbers:
        if found and found[-2] + found[-1] == number:
            found[-1] += 1
        else:
            found += [number, 1]
    return found


def _numbers(runs: list[int]) -> list[int]:
    pairs = zip(runs[::2], runs[1::2], strict=True)
    return [number for first, count in pairs for number in range(first, first + count)]
