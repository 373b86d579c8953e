"""Pieces of SQL that are put together from names, types and expressions."""

from dataclasses import dataclass

from lib.quoting import quote_string


@dataclass(frozen=True, slots=True)
class Sent:
    """An expression and its type."""

    sql: str
    type: str


def cast(sql: str, kind: str) -> str:
    """An expression as another type."""
    return f"CAST({sql}, {quote_string(kind)})"
