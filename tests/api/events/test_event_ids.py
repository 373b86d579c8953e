"""The id of an event: what it holds, how long it is, and what is refused."""

import random
import zlib
from base64 import urlsafe_b64encode

import msgspec
import pytest

from api.contract.stream_offsets import Position
from api.events.event_ids import MAX_LENGTH, MAX_SOURCES, decode, encode

NOW = 1795703285
RANDOM = random.Random(1)


def ticks(partitions: int, offsets: tuple[int, int], writers: int = 1) -> Position:
    return {
        f"stocks/ticks_{writer}/{partition}/": RANDOM.randrange(*offsets)
        for writer in range(writers)
        for partition in range(partitions)
    }


@pytest.mark.parametrize(
    ("position", "longest"),
    [
        ({}, 30),
        (ticks(4, (0, 10**9)), 80),
        (ticks(100, (0, 10**9)), 700),
        (ticks(1000, (10**9, 10**9 + 10**6)), 4000),
        (ticks(1000, (0, 10**9)), MAX_LENGTH),
        (ticks(1000, (0, 10**4), writers=2), MAX_LENGTH),
        ({"a/": 1, "a/1/": 2, "a/01/": 3, "a/-1/": 4, "7/": 5, "\n\u00e9/3/": 6}, 200),
        ({"": 2**63 - 1}, 60),
    ],
    ids=["nothing", "4", "100", "1000", "1000 unlike", "2 writers", "odd names", "one"],
)
def test_an_id_is_short_and_exact(position: Position, longest: int) -> None:
    identity = encode(NOW + 0.9, position)
    assert len(identity) <= longest
    assert decode(identity) == (NOW, position)


@pytest.mark.parametrize(
    ("position", "apart"),
    [
        (ticks(1000, (0, 10**12)), 2**8),
        (ticks(3000, (10**9, 10**9 + 10**6)), 2**12),
        (ticks(MAX_SOURCES, (10**9, 10**9 + 10**6)), 2**16),
        (ticks(1000, (0, 2**63)), 2**40),
        # Even the names are too long, or encoding would take too long.
        ({f"sensor-{RANDOM.randrange(10**9)}/": 5 for _ in range(2000)}, 6),
        (ticks(MAX_SOURCES + 1, (0, 2**63)), 2**63),
    ],
)
def test_offsets_that_do_not_fit_are_rounded_down(position: Position, apart: int) -> None:
    """Then rows are sent again, and none is missed."""
    identity = encode(NOW, position)
    assert len(identity) <= MAX_LENGTH
    seconds, rounded = decode(identity) or (0, {})
    assert seconds == NOW and rounded.keys() <= position.keys()
    assert all(0 <= offset - rounded.get(source, 0) < apart for source, offset in position.items())


def packed(value: object) -> str:
    return urlsafe_b64encode(zlib.compress(msgspec.msgpack.encode(value))).decode()


@pytest.mark.parametrize(
    "identity",
    [
        "",
        "5f0c",
        "\u00e9",
        "%%%",
        encode(NOW, {"a/1/": 5})[:-4],
        packed((NOW, [("a/", [0, 10**12])], b"")),
        packed((NOW, [("a/", [0, 10**12, 5, 1 - 10**12])], b"12345678")),
        packed((NOW, [("a/", [0])], b"")),
        packed((NOW, [("a/", [0, 1])], b"1234567")),
        packed((NOW, [("a/", [0, 1])], b"\xff" * 8)),
        packed((2**40, [], b"")),
        packed((NOW, [("a" * 10**7, [0, 1])], b"12345678")),
        urlsafe_b64encode(b'[1, {"a": -1}]').decode(),
        urlsafe_b64encode(b'[1, {"a": 9223372036854775808}]').decode(),
        urlsafe_b64encode(b"[1").decode(),
    ],
)
def test_anything_else_is_refused(identity: str) -> None:
    assert decode(identity) is None
