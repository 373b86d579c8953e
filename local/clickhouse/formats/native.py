"""Native blocks for a client that states its protocol version (client_protocol_version).

chDB always writes version 0, which has no block info, no mark of a column's serialization and no
time zone in a DateTime. A later version has these between the columns.
"""

from collections.abc import Sequence

from local.clickhouse.formats.native_columns import Columns
from local.clickhouse.formats.native_cursor import Cursor

# The versions at which ClickHouse changed the format, by its own constants' names.
TIME_ZONE_IN_DATETIME = 54337
CUSTOM_SERIALIZATION = 54454

# Field 1: the block is not an overflow; field 2: it has no bucket; 0: the end of the fields.
_BLOCK_INFO = b"\x01\x00\x02\xff\xff\xff\xff\x00"


def reframed(data: bytes, version: int, types: Sequence[str]) -> bytes:
    """Blocks of version 0, rewritten for a client of this version; `types` as DESCRIBE returns
    them."""
    return _Blocks(data, version, types).rewrite()


class _Blocks:
    """Blocks of version 0, and the part that is rewritten so far."""

    def __init__(self, data: bytes, version: int, types: Sequence[str]) -> None:
        self._data = data
        self._version = version
        self._types = types
        self._cursor = Cursor(data)
        self._columns = Columns(self._cursor)
        self._copied = 0
        self._parts: list[bytes] = []

    def rewrite(self) -> bytes:
        while self._cursor.at < len(self._data):
            self._put(_BLOCK_INFO)
            columns, rows = self._cursor.size(), self._cursor.size()
            for number in range(columns):
                self._column(number, rows)
        self._put(b"")
        return b"".join(self._parts)

    def _column(self, number: int, rows: int) -> None:
        self._cursor.text()
        begin = self._cursor.at
        name = self._cursor.text()
        if name == "DateTime" and self._types and self._version >= TIME_ZONE_IN_DATETIME:
            text = self._types[number].encode()
            self._put(_packed(len(text)) + text, since=begin)
        if self._version >= CUSTOM_SERIALIZATION:
            self._put(b"\x00")
        self._columns.skip(name, rows)

    def _put(self, text: bytes, since: int | None = None) -> None:
        """Copy the data up to the cursor, or to `since`, and write a text in place of the rest."""
        end = self._cursor.at if since is None else since
        self._parts += [self._data[self._copied : end], text]
        self._copied = self._cursor.at


def _packed(size: int) -> bytes:
    """A number of seven bits a byte."""
    packed = bytearray()
    while size > 127:
        packed.append(size & 127 | 128)
        size >>= 7
    packed.append(size)
    return bytes(packed)
