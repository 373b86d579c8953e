"""The reason for a record of which the source made no row, in words."""

import pytest

from jobs.accounting.reasons import OTHERWISE, reason


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "no value (a tombstone)"),
        (b"", "an empty value"),
        (b"ab\xff", "not UTF-8: byte 2 is 0xff"),
        (b'{"a": "\xc3"}', "not UTF-8: byte 7 is 0xc3"),
        (b"  ", "not JSON: Expecting value: character 2"),
        (b"AAPL", "not JSON: Expecting value: character 0"),
        (b'{"a": 1', "not JSON: Expecting ',' delimiter: character 7"),
        ('{"ä": 1} 2'.encode(), "not JSON: Extra data: character 9"),
        (b'{"a": NaN}', "not JSON: NaN is no number in JSON"),
        (b'{"a": -Infinity}', "not JSON: -Infinity is no number in JSON"),
        (b"[" * 100_000, "JSON that is nested too deeply to be read"),
        (b" null ", "not an object: null"),
        (b"42", "not an object: 42"),
        (b'"text"', 'not an object: "text"'),
        (b'"\\ud800"', 'not an object: "\\ud800"'),
        (b"1" * 5_000, f"not an object: {'1' * 50}..."),
        (b"[]", "an array without an object"),
        (b"[1, [{}]]", "an array without an object"),
        (b"[{}, 1]", "an array whose element 2 is not an object"),
        (b"[{}, {}]", "an array of 2 objects: one record is one row"),
        (b"[{}]", f"an array with {OTHERWISE}"),
        (b'{"price": 1e999}', OTHERWISE),
        (b"{}", OTHERWISE),
    ],
)
def test_the_reason_is_what_the_value_is(value: bytes | None, words: str) -> None:
    assert reason(value) == words


def test_the_reason_for_a_large_record_is_short() -> None:
    assert reason(b'{"a": "' + b"x" * 10_000_000) == (
        "not JSON: Unterminated string starting at: character 6"
    )
