"""SQL expressions with their types."""

from dataclasses import dataclass

from lib.quoting import quote_string


@dataclass(frozen=True, slots=True)
class Expression:
    """An expression and the name of its type."""

    sql: str
    type: str


def cast(sql: str, kind: str) -> str:
    """An expression cast to another type."""
    return f"CAST({sql}, {quote_string(kind)})"
