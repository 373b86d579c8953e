"""Numbers and texts in Native blocks."""

import pytest

from local.clickhouse.formats.native_cursor import Cursor


@pytest.mark.parametrize(
    ("data", "size"), [(b"\x00", 0), (b"\x7f", 127), (b"\x80\x01", 128), (b"\xff\xff\x03", 65535)]
)
def test_a_size_has_seven_bits_a_byte(data: bytes, size: int) -> None:
    cursor = Cursor(data + b"rest")
    assert (cursor.size(), cursor.at) == (size, len(data))


def test_numbers_and_texts_follow_each_other() -> None:
    cursor = Cursor((300).to_bytes(8, "little") + b"\x03a\xc3\xa9" + b"\x80\x01" + b"x" * 128)
    assert (cursor.number(), cursor.text(), cursor.text()) == (300, "aé", "x" * 128)


def test_texts_of_any_size_are_skipped() -> None:
    data = b"\x00" + b"\x01a" + b"\xac\x02" + b"x" * 300 + b"\x01b"
    cursor = Cursor(data)
    cursor.skip_texts(3)
    assert cursor.text() == "b" and cursor.at == len(data)
