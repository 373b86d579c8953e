"""Records of many kinds from a seed: valid, nearly valid, and broken in every way."""

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tests.e2e.support import START, SYMBOLS

# The outcome of a record: a row of stocks.ticks, a dead letter of this stage, or any of them.
TICK, PARSE, RULE = "tick", "parse", "rule"
ANY = "any"

Make = Callable[[random.Random], bytes | None]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of record: its outcome, and a function that makes a random one."""

    outcome: str
    make: Make
    # Its share of the records, relative to the other kinds.
    weight: int = 25


def generate(seed: int, count: int) -> Iterator[tuple[str, bytes | None]]:
    """Records, each with the name of its kind; a seed gives the same ones each time."""
    rng = random.Random(seed)
    names = rng.choices([*KINDS], [kind.weight for kind in KINDS.values()], k=count)
    for name in names:
        yield name, KINDS[name].make(rng)


def valid(rng: random.Random) -> dict[str, Any]:
    time = START + timedelta(microseconds=rng.randrange(10**14))
    return {
        "symbol": rng.choice(SYMBOLS),
        "price": round(rng.uniform(0.01, 10_000), rng.randrange(7)) or 1,
        "volume": rng.randrange(2**32),
        "timestamp": time.isoformat() + rng.choice(["", "Z", "+00:00"]),
    }


def field(name: str, *values: Any) -> Make:
    """A tick in which one field has another value."""
    return lambda rng: _bytes(valid(rng) | {name: rng.choice(values)})


def text(form: str) -> Make:
    """A text in which each % stands for a tick."""
    return lambda rng: b"".join(
        _bytes(valid(rng)) if sign == "%" else sign.encode() for sign in form
    )


def fixed(*values: bytes | None) -> Make:
    return lambda rng: rng.choice(values)


def _bytes(value: Any) -> bytes:
    return json.dumps(value).encode()


def _without(rng: random.Random) -> bytes:
    tick = valid(rng)
    del tick[rng.choice([*tick])]
    return _bytes(tick)


def _renamed(rng: random.Random) -> bytes:
    tick = valid(rng)
    name = rng.choice([*tick])
    return _bytes({other if other != name else name.upper(): tick[other] for other in tick})


def _as_texts(rng: random.Random) -> bytes:
    return _bytes({name: str(value) for name, value in valid(rng).items()})


def _spaced(rng: random.Random) -> bytes:
    tick = [*valid(rng).items()]
    rng.shuffle(tick)
    return b" \t" + json.dumps(dict(tick), indent=rng.randrange(4)).encode() + b"\r\n "


def _escaped(rng: random.Random) -> bytes:
    tick = valid(rng)
    symbol = "".join(f"\\u{ord(sign):04x}" for sign in tick["symbol"])
    return _bytes(tick).replace(_bytes(tick["symbol"]), f'"{symbol}"'.encode())


def _cut(rng: random.Random) -> bytes:
    whole = _bytes(valid(rng))
    return whole[: rng.randrange(1, len(whole))]


def _changed(rng: random.Random) -> bytes:
    changed = bytearray(_bytes(valid(rng)))
    for _ in range(rng.randrange(1, 4)):
        changed[rng.randrange(len(changed))] = rng.randrange(256)
    return bytes(changed)


def _noise(rng: random.Random) -> bytes:
    return bytes([rng.choice([0, 1, 7, 65, 0x80, 0xFF])]) + rng.randbytes(rng.randrange(200))


def _latin(rng: random.Random) -> bytes:
    return _bytes(valid(rng)).replace(b'"symbol": "', b'"symbol": "\xe9')


def _large(rng: random.Random) -> bytes:
    return _bytes(valid(rng) | {"symbol": "A" * rng.randrange(100_000, 900_000)})


def _beside(rng: random.Random) -> bytes:
    return _bytes(valid(rng) | {"note": "x" * rng.randrange(1_000), "more": {"a": [1, None]}})


def _year(year: int) -> str:
    return datetime(year, 1, 1).isoformat()


KINDS = {
    "a tick": Kind(TICK, text("%"), 1_000),
    "a tick with blanks, in any order": Kind(TICK, _spaced),
    "a tick with escaped characters": Kind(TICK, _escaped),
    "a tick whose numbers are texts": Kind(TICK, _as_texts),
    "a tick with further fields": Kind(TICK, _beside),
    "an array of one tick": Kind(TICK, text("[%]")),
    "a tick, followed by other text": Kind(TICK, text("% x]")),
    "two ticks, one after the other": Kind(TICK, text("%%")),
    "a price of any size": Kind(TICK, field("price", 1, 5e-324, 1.7976931348623157e308, "2e5")),
    "a volume that is whole": Kind(TICK, field("volume", 0, 2**32 - 1, 100.0, "1e3")),
    "no value (a tombstone)": Kind(PARSE, fixed(None)),
    "an empty value": Kind(PARSE, fixed(b"")),
    "blanks": Kind(PARSE, fixed(b" ", b"\n\t")),
    "a tick whose end is missing": Kind(PARSE, _cut, 75),
    "random bytes": Kind(PARSE, _noise, 75),
    "an array of no object": Kind(PARSE, fixed(b"[]", b"[[]]", b"[null]", b"[1, 2]")),
    "an array of several ticks": Kind(PARSE, text("[%, %]"), 50),
    "an array of valid and invalid ticks": Kind(
        PARSE, lambda rng: b"[" + b", ".join([_bytes(valid(rng)), _without(rng)]) + b"]"
    ),
    "JSON that is no object": Kind(PARSE, fixed(b"null", b"17", b'"text"', b"true", b"1.5e3")),
    "text that is nearly JSON": Kind(
        PARSE, fixed(b"{'a': 1}", b"{a: 1}", b"{,}", b'{"a"}', b'{"a": 1,}', b"NaN", b"{", b"}")
    ),
    "a missing field": Kind(RULE, _without, 50),
    "a field in capitals": Kind(RULE, _renamed),
    "an empty object": Kind(RULE, fixed(b"{}")),
    "an invalid symbol": Kind(
        RULE, field("symbol", "", "aapl", "A" * 17, "A B", "\u00c4", None, 7.5e300, ["A"], {"a": 1})
    ),
    "an invalid price": Kind(
        RULE,
        field("price", 0, -1, "x", "", "150.5f", "0x1p7", " 1", "1 ", "1,5", "01", None, True, [1]),
    ),
    "a price that is not finite": Kind(
        RULE,
        text('{"price": 1e400, "rest": %}'),
    ),
    "an invalid volume": Kind(
        RULE, field("volume", -1, 2**32, 12.7, "x", "", "1e99", " 7", None, False, {"a": 1})
    ),
    "an invalid timestamp": Kind(
        RULE,
        field(
            "timestamp",
            "",
            "now",
            1712101512345,
            "2024-01-30",
            "2024-02-30T10:00:00",
            "2024-01-30T10:00",
            "2024-01-30T10:00:00+01:00",
            "2024-01-30T10:00:00.1234567",
            None,
            _year(1899),
            _year(2300),
            "2023-02-29T00:00:00",
            "2024-01-30T24:00:00",
        ),
    ),
    "a value of 100 KB to 1 MB": Kind(RULE, _large, 1),
    "text that is not UTF-8": Kind(PARSE, _latin),
    "a tick with changed bytes": Kind(ANY, _changed, 150),
}
