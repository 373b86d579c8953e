"""Records whose values are those of a tick, nearly are, or are not."""

import json
import random
from collections.abc import Iterator
from pathlib import Path

from lib.pattern import Pattern
from producer import rows, tick
from producer.tick import Tick

# A quote must not end the string of the SQL that it comes into.
SYMBOL = "[A-Z0-9^/'.-]{1,16}"

VALID = {
    "symbol": ["^GSPC", "BF/B", "O'X", "BRK.B", "A" * 16],
    "price": [
        "150.5", "1", "0.1", "1e3", "1E+3", "1.5e-7", "5e-324", "0.00000001",
        "1.7976931348623157e308", "9007199254740993", "123456789012345678901234567890", "1" * 300,
    ],
    "volume": [
        "0", "1", "100", "100.0", "100.000000000000000000000", "1e3", "1E3", "1.5e1", "10e-1", "-0",
        "4294967295", "4294967295.0", "4.294967295e9", "0e99",
    ],
    "timestamp": [
        "2024-01-02T10:00:00", "2024-01-02 10:00:00", "2024-01-02T10:00:00Z",
        "2024-01-02T10:00:00+00:00", "2024-01-02T10:00:00.1Z", "2024-01-02T10:00:00.123456Z",
        "2024-01-02T10:00:00.123456000Z", "2024-01-02T23:59:59.999999000000+00:00",
        "2024-02-29T00:00:00", "2000-02-29T00:00:00", "1900-01-01T00:00:00",
        "2299-12-31T23:59:59.999999Z",
    ],
}  # fmt: skip
INVALID = {
    "symbol": ["", "aapl", "A" * 17, "A B", "A\n", "\u00c4"],
    "price": [
        "", "150.5f", "150.5d", "0x1p7", " 150.5 ", " 1", "1 ", "1\n", "NaN", "Infinity", "+1",
        "1.", ".5", "01", "1,5", "1_0", "0", "0.0", "-0", "-1", "1e400", "1e-400", "1e", "e1",
        "1" * 400, "\u0661", "1\u00a0", "true", "null", "--1", "1.5.5", "0x10", "1L",
    ],
    "volume": [
        "", "12.7", "100.0d", "1e-1", "-1", "4294967296", "99999999999999999999", "1e10", "1e999",
        "1.0000000000000000001", "4294967295.0000000001", "0.99999999999999999999", "01", "1.",
        "+1", " 1", "0x10", "1e3\n", "1000000000000000000000e-18",
    ],
    "timestamp": [
        "", "1712101512345", "1712101512", "1712101512.345", "2024-01-02", "2024-01-02T10",
        "2024-01-02T10:00", "2024-01-02T10:00:00.", "2024-01-02T10:00:00.123456789Z",
        "2024-01-02T10:00:00.1234567", "2024-01-02T10:00:000Z", "2024-01-02T10:00:00,5",
        "2024-01-02T24:00:00", "2024-01-02T10:60:00", "2024-01-02T10:00:60", "2024-02-30T00:00:00",
        "2023-02-29T00:00:00", "1900-02-29T00:00:00", "2100-02-29T00:00:00", "2024-04-31T00:00:00",
        "2024-13-01T00:00:00", "2024-00-01T00:00:00", "2024-01-00T00:00:00", "2024-01-32T00:00:00",
        "1899-12-31T23:59:59", "2300-01-01T00:00:00", "0000-01-01T00:00:00", "20240102T100000",
        "2024-01-02T10:00:00+02:00", "2024-01-02T10:00:00-00:00", "2024-01-02T10:00:00+0000",
        "2024-01-02T10:00:00z", "2024-01-02t10:00:00", "2024-01-02T10:00:00 Z",
        "2024-W01-2T10:00:00", " 2024-01-02T10:00:00", "2024-01-02T10:00:00\n",
        "2024-01-02  10:00:00", "02.01.2024 10:00:00", "2024-01-02T1:00:00",
        "\u0662024-01-02T10:00:00", "yesterday",
    ],
}  # fmt: skip
GOOD = {"symbol": "A", "price": "1.5", "volume": "7", "timestamp": "2024-01-02T10:00:00Z"}
SPARE = "0123456789-+:.eETZ xf\n"


def near(texts: list[str], rng: random.Random) -> Iterator[str]:
    """Texts that differ in one place."""
    for text in texts:
        for _ in range(40):
            at, char = rng.randrange(len(text) + 1), rng.choice(SPARE)
            yield text[:at] + rng.choice(["", char]) + text[at + rng.randrange(2) :]


def record(column: str, value: str | None) -> str:
    """A good record but for one value."""
    return json.dumps(GOOD | {column: value})


def records() -> Iterator[str]:
    """Records that differ from a good one in one value: a text, and a number where it can be."""
    rng = random.Random(7)
    for column in GOOD:
        for text in [*VALID[column], *INVALID[column], *near(VALID[column], rng)]:
            line = record(column, text)
            yield line
            if is_json_number(text):
                yield line.replace(f": {json.dumps(text)}", f": {text}")
        yield record(column, None)
        yield json.dumps({name: GOOD[name] for name in GOOD if name != column})


def is_json_number(text: str) -> bool:
    # A line break in it would be the end of the record.
    if text != text.strip() or not text[-1:].isdigit():
        return False
    try:
        return isinstance(json.loads(text), int | float)
    except ValueError:
        return False


def produced(lines: list[str]) -> list[Tick | None]:
    """What the producer makes of records."""
    ticks: list[Tick | None] = []
    for _, values in rows.read_json(iter(lines), Path("corpus")):
        try:
            ticks.append(tick.parse(values, Pattern(SYMBOL)))
        except ValueError:
            ticks.append(None)
    return ticks
