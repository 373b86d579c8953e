"""Strings and identifiers as ClickHouse's SQL and query parameters write them.

Not clickhouse-connect's: its `quote_identifier` returns a name in backquotes unchanged, and its
`escape_str` puts a backslash before a line break.
"""

import re

_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\0": "\\0"})
# Bytes that are not UTF-8, as Python's surrogateescape has them.
_ESCAPES |= {0xDC00 + byte: f"\\x{byte:02x}" for byte in range(0x80, 0x100)}


def escape(text: str) -> str:
    """The value of a query parameter: backslashes, control characters and bytes escaped."""
    return text.translate(_ESCAPES)


def quote_string(text: str) -> str:
    """A string literal."""
    return "'" + escape(text).replace("'", "\\'") + "'"


def quote_name(name: str) -> str:
    """An identifier: of a column, a table, a database or a setting."""
    return "`" + escape(name).replace("`", "\\`") + "`"


def unquote_name(name: str) -> str:
    """An identifier without backquotes or double quotes around it, and without their escapes."""
    name = name.strip()
    if not name.startswith(("`", '"')):
        return name
    return re.sub(rf"{name[0]}(.)|\\(.)", lambda m: m[1] or m[2], name[1:-1])
